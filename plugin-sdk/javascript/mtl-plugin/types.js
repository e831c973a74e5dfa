/**
 * The types of parameters, each with a reader for the text of a JSON value.
 *
 * Readers never change a value: numbers do not wrap, and strings are not read as numbers.
 */

import { BadItem } from './failure.js';

const integerRange = (bits, signed) => {
  const size = 1n << BigInt(bits);
  return signed ? [-size / 2n, size / 2n - 1n] : [0n, size - 1n];
};

const ranges = {};
for (const bits of [8, 16, 32, 64, 128]) {
  ranges[`i${bits}`] = integerRange(bits, true);
  ranges[`u${bits}`] = integerRange(bits, false);
}
ranges.integer = [BigInt(Number.MIN_SAFE_INTEGER), BigInt(Number.MAX_SAFE_INTEGER)];

/** The readers of a JSON value's text, by the name of the type. */
export const readers = {
  json: (text) => JSON.parse(text),
  text: (text) => parseTyped(text, 'string', 'a string'),
  boolean: (text) => parseTyped(text, 'boolean', 'a boolean'),
  number: (text) => {
    const number = parseTyped(text, 'number', 'number');
    if (!Number.isFinite(number)) throw new BadItem('number out of range');
    return number;
  },
  bigint: (text) => parseInteger(text, 'bigint'),
};

for (const [name, [min, max]] of Object.entries(ranges)) {
  // A type that fits a Number becomes a Number, as the rest of the language expects.
  const isBig = min < BigInt(Number.MIN_SAFE_INTEGER) || max > BigInt(Number.MAX_SAFE_INTEGER);
  readers[name] = (text) => {
    const value = parseInteger(text, name);
    if (value < min || value > max) throw new BadItem(`invalid value: integer \`${value}\`, expected ${name}`);
    return isBig ? value : Number(value);
  };
}

function parseTyped(text, type, expected) {
  const value = JSON.parse(text);
  if (typeof value !== type) throw typeMismatch(text, expected);
  return value;
}

function parseInteger(text, expected) {
  const value = text.trim();
  if (!/^-?\d+$/.test(value)) throw typeMismatch(text, expected);
  return BigInt(value);
}

/** Returns the error of a value of another type. */
export const typeMismatch = (text, expected) => new BadItem(`invalid type: ${describe(text.trim())}, expected ${expected}`);

function describe(text) {
  switch (text[0]) {
    case 'n': return 'null';
    case 't': case 'f': return `boolean \`${text}\``;
    case '"': return `string ${JSON.stringify(JSON.parse(text))}`;
    case '[': return 'sequence';
    case '{': return 'map';
    default: return `${/^-?\d+$/.test(text) ? 'integer' : 'floating point'} \`${text}\``;
  }
}
