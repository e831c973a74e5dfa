/**
 * The types of parameters, each with a reader for the text of a JSON value.
 *
 * Readers never change a value: numbers do not wrap, and strings are not read as numbers.
 */

import { BadItem } from './failure.js';

const whole = (bits, signed) => {
  const size = 1n << BigInt(bits);
  return signed ? [-size / 2n, size / 2n - 1n] : [0n, size - 1n];
};

const ranges = {};
for (const bits of [8, 16, 32, 64, 128]) {
  ranges[`i${bits}`] = whole(bits, true);
  ranges[`u${bits}`] = whole(bits, false);
}
ranges.integer = [BigInt(Number.MIN_SAFE_INTEGER), BigInt(Number.MAX_SAFE_INTEGER)];

/** The readers of a JSON value's text, by the name of the type. */
export const readers = {
  json: (text) => JSON.parse(text),
  text: (text) => typed(text, 'string', 'a string'),
  boolean: (text) => typed(text, 'boolean', 'a boolean'),
  number: (text) => {
    const number = typed(text, 'number', 'number');
    if (!Number.isFinite(number)) throw new BadItem('number out of range');
    return number;
  },
  bigint: (text) => digits(text, 'bigint'),
};

for (const [name, [least, most]] of Object.entries(ranges)) {
  // A type that fits a Number becomes a Number, as the rest of the language expects.
  const isBig = least < BigInt(Number.MIN_SAFE_INTEGER) || most > BigInt(Number.MAX_SAFE_INTEGER);
  readers[name] = (text) => {
    const value = digits(text, name);
    if (value < least || value > most) throw new BadItem(`invalid value: integer \`${value}\`, expected ${name}`);
    return isBig ? value : Number(value);
  };
}

function typed(text, type, expected) {
  const value = JSON.parse(text);
  if (typeof value !== type) throw unfit(text, expected);
  return value;
}

function digits(text, expected) {
  const value = text.trim();
  if (!/^-?\d+$/.test(value)) throw unfit(text, expected);
  return BigInt(value);
}

/** Returns the error of a value of another type. */
export const unfit = (text, expected) => new BadItem(`invalid type: ${found(text.trim())}, expected ${expected}`);

function found(text) {
  switch (text[0]) {
    case 'n': return 'null';
    case 't': case 'f': return `boolean \`${text}\``;
    case '"': return `string ${JSON.stringify(JSON.parse(text))}`;
    case '[': return 'sequence';
    case '{': return 'map';
    default: return `${/^-?\d+$/.test(text) ? 'integer' : 'floating point'} \`${text}\``;
  }
}
