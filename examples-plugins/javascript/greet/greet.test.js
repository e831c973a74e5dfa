/** Tests for `node --test` in this folder. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { Greet } from './greet.js';
import { Instance } from './mtl-plugin/testing.js';

test('everyone is greeted as init was told', () => {
  assert.equal(new Instance(Greet, 'Hello').call('Ada'), 'Hello, Ada!');
});
