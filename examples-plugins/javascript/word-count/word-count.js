/**
 * Counts words. The lesson: a worker keeps its state from item to item and reports it at the end.
 *
 * The result of an item is its number of words. The finish report is the total of the worker; the
 * totals of all workers add up to that of the input.
 */

import { context, plugin } from './mtl-plugin/index.js';

// Unicode white space separates words; it differs from `\s`.
const WORD = /[^\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/g;

export class WordCount {
  static results = 'json';

  counted = { worker: context.workerIndex(), items: 0, words: 0, bytes: 0 };

  call(item) {
    const words = item.match(WORD)?.length ?? 0;
    this.counted.items += 1;
    this.counted.words += words;
    this.counted.bytes += bytes(item);
    return words;
  }

  finish() {
    return this.counted;
  }
}

/** Returns the length of a text in UTF-8. */
function bytes(text) {
  let count = 0;
  for (const character of text) {
    const code = character.codePointAt(0);
    count += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return count;
}

export const worker = plugin(WordCount);
