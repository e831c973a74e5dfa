/** Run by `node --test`. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { BadItem } from './mtl-plugin/index.js';
import { Instance } from './mtl-plugin/testing.js';
import { MyWorker } from './worker.js';

test('a line is measured', () => {
  assert.equal(new Instance(MyWorker).call('hello'), '5 characters');
  assert.equal(new Instance(MyWorker, 'letters').call('hello'), '5 letters');
});

test('an empty line is a bad item', () => {
  assert.throws(() => new Instance(MyWorker).call(''), BadItem);
});
