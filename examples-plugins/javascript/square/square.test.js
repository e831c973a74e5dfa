/** Tests for `node --test` in this folder. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { BadItem, Refused } from './mtl-plugin/index.js';
import { Instance } from './mtl-plugin/testing.js';
import { Square } from './square.js';

test('numbers are squared, and other items have a message', () => {
  const square = new Instance(Square);
  for (const [item, expected] of [
    ['12', '144'],
    [' -12\r', '144'],
    ['1.5', '2.25'],
    ['1e11', '10000000000000000000000'],
    ['1e-4', '0.00000001'],
    ['18446744073709551615', '340282366920938463426481119284349108225'],
    ['18446744073709551616', new Refused('the square has more than 128 bits')],
    ['twelve', new BadItem('not a number: `twelve`')],
    ['Infinity', new BadItem('not a number: `Infinity`')],
  ]) {
    if (typeof expected === 'string') assert.equal(square.call(item), expected);
    else assert.throws(() => square.call(item), expected);
  }
});
