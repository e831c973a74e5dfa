/**
 * Counts words. The lesson: a worker keeps its state from item to item and reports it at the end.
 *
 * The result of an item is its number of words. The finish report is the total of the worker; the
 * totals of all workers add up to that of the input.
 */

import { Base, Format, Result, Worker, failed, isWhiteSpace, resultFormat, start, workerIndex } from "../mtl-plugin";
export { after_restore, call, call_batch, finish, init, mtl_alloc } from "../mtl-plugin/exports";

class WordCount extends Worker {
  private readonly worker: u32 = workerIndex();
  private items: u64 = 0;
  private words: u64 = 0;
  private bytes: u64 = 0;

  call(item: string): Result {
    const words = count(item);
    this.items++;
    this.words += words;
    this.bytes += String.UTF8.byteLength(item);
    return Result.json<u32>(words);
  }

  finish(): Result {
    return Result.text(`{"worker":${this.worker},"items":${this.items},"words":${this.words},"bytes":${this.bytes}}`);
  }
}

function count(text: string): u32 {
  let words: u32 = 0;
  let inside = false;
  for (let at = 0; at < text.length; at++) {
    const isSpace = isWhiteSpace(text.charCodeAt(at));
    if (!isSpace && !inside) words++;
    inside = !isSpace;
  }
  return words;
}

start((args: string): Base => {
  if (args.length) return failed("this worker takes no arguments");
  resultFormat(Format.JSON);
  return new WordCount();
});
