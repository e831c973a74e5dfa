/**
 * Squares numbers. The lesson: an item that cannot be read is a *bad item*, and a valid item without a result
 * is *refused*. Both have a message.
 *
 * Integers are squared exactly up to 128 bits, other numbers as floating-point numbers.
 */

import { BadItem, Refused, plugin } from './mtl-plugin/index.js';

// Unicode white space, which differs from that of `trim`.
const SPACE = '[\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]*';
const AROUND = new RegExp(`^${SPACE}|${SPACE}$`, 'g');
const WHOLE = /^([+-]?)0*(\d{1,39})$/;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

export class Square {
  call(item) {
    item = item.replace(AROUND, '');
    const whole = squareOfWhole(item);
    if (whole !== undefined) return String(whole);

    const number = NUMBER.test(item) ? Number(item) : NaN;
    if (!Number.isFinite(number)) throw new BadItem(`not a number: \`${item}\``);
    return withoutExponent(number * number);
  }
}

/** Squares an integer. Returns undefined if the item is not an integer or does not fit 128 bits. */
function squareOfWhole(item) {
  const [, sign, digits] = WHOLE.exec(item) ?? [];
  if (digits === undefined) return undefined;
  const size = BigInt(digits);
  if (size >= 1n << 127n && !(sign === '-' && size === 1n << 127n)) return undefined;
  const square = size * size;
  if (square >= 1n << 128n) throw new Refused('the square has more than 128 bits');
  return square;
}

/** Returns the shortest digits of the number, padded with zeros instead of an exponent. */
function withoutExponent(number) {
  if (number === Infinity) return 'inf';
  const [notation, exponent] = String(number).split('e');
  if (exponent === undefined) return notation;
  const [whole, fraction = ''] = notation.split('.');
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  if (point <= 0) return `0.${'0'.repeat(-point)}${digits}`;
  return point >= digits.length ? digits.padEnd(point, '0') : `${digits.slice(0, point)}.${digits.slice(point)}`;
}

export const worker = plugin(Square);
