/** Tests for `node --test`. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { BadItem } from './mtl-plugin/index.js';
import { Instance } from './mtl-plugin/testing.js';
import { MyWorker } from './worker.js';

test('everyone is greeted', () => {
  const worker = new Instance(MyWorker, 'Hi');
  assert.equal(worker.call('Ada'), 'Hi, Ada!');
  assert.throws(() => worker.call(''), BadItem);
  assert.equal(worker.finish(), 'greeted: 1');
});
