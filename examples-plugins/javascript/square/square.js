/**
 * Squares numbers. The lesson: an item that cannot be read is a *bad item*, one that is fine and yet has no result is
 * *refused*, and both say why.
 *
 * Whole numbers are squared exactly, as far as 128 bits go; others as floating-point numbers.
 */

import { BadItem, Refused, plugin } from './mtl-plugin/index.js';

// What Unicode calls white space, which is not what `trim` takes for it.
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

/** Undefined for what is not whole, or has more than 128 bits itself. */
function squareOfWhole(item) {
  const [, sign, digits] = WHOLE.exec(item) ?? [];
  if (digits === undefined) return undefined;
  const size = BigInt(digits);
  if (size >= 1n << 127n && !(sign === '-' && size === 1n << 127n)) return undefined;
  const square = size * size;
  if (square >= 1n << 128n) throw new Refused('the square has more than 128 bits');
  return square;
}

/** The shortest digits that stand for the number, and as many zeros as it takes. */
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
