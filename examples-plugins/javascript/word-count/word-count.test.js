/** Tests for `node --test` in this folder. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { BadItem } from './mtl-plugin/index.js';
import { Instance } from './mtl-plugin/testing.js';
import { WordCount } from './word-count.js';

test('each item is counted, and the report sums them up', () => {
  const count = new Instance(WordCount, '', { workerIndex: 1, workerCount: 2 });
  for (const [item, words] of [['to be or not', '4'], ['', '0'], ['  naïve\tword ', '2']]) {
    assert.equal(count.call(item), words, item);
  }
  assert.throws(() => count.call(Uint8Array.of(0xff)), BadItem);
  assert.equal(count.finish(), '{"worker":1,"items":3,"words":6,"bytes":26}');
});
