/**
 * A batch: many items in one call.
 *
 *      0  count        host: number of items
 *      4  done         plugin: number of finished items
 *      8  out          plugin: address of the result bytes
 *     12  stop         host: if not zero, the plugin returns
 *     16  end[count]   host: end of each item; plugin: end of each result, with two flags
 *         item bytes
 *
 * The host may stop the module at any moment and then reads the words. Therefore each word is written after the data
 * that it describes. The compiler does not reorder writes to memory.
 */

import { Result } from "./result";

const DONE: usize = 4;
const OUT: usize = 8;
const STOP: usize = 12;
const ENDS: usize = 16;

/** The number of result bytes after which a batch returns to the host. */
const FULL: usize = 1 << 20;
const LEAST: usize = 4096;

/** The results, back to back, in manually managed memory. */
let results: usize = 0;
let capacity: usize = 0;
/** A large result that the host reads in place. */
let large: Result | null = null;

export class Batch {
  private made: usize = 0;

  constructor(private readonly at: usize) {}

  work(answer: (at: usize, length: usize) => Result): void {
    const count = load<u32>(this.at);
    const items = this.at + ENDS + 4 * count;
    this.begin();
    let start = items;
    for (let index: u32 = 0; index < count; index++) {
      if (load<u32>(this.at, STOP) != 0 || this.made >= FULL) return;
      const end = items + load<u32>(this.at + 4 * index, ENDS);
      const result = answer(start, end - start);
      if (index == 0 && result.flags == 0 && <usize>result.length >= FULL) {
        // There may be no memory for a copy.
        large = result;
        store<u32>(this.at, result.at, OUT);
        this.done(index, result.length);
        return;
      }
      this.add(result);
      this.done(index, result.flags | <u32>this.made);
      start = end;
    }
  }

  private done(index: u32, end: u32): void {
    store<u32>(this.at + 4 * index, end, ENDS);
    store<u32>(this.at, index + 1, DONE);
  }

  /** Clears the results of the previous batch, and frees the memory of unusually large ones. */
  private begin(): void {
    large = null;
    if (capacity > 4 * FULL) this.moveTo(LEAST);
    else if (!results) this.moveTo(LEAST);
    else store<u32>(this.at, results, OUT);
  }

  private add(result: Result): void {
    const length = this.made + result.length;
    if (length > capacity) this.moveTo(max(length, 2 * capacity));
    memory.copy(results + this.made, result.at, result.length);
    this.made = length;
  }

  private moveTo(size: usize): void {
    const before = results;
    const larger = heap.alloc(size);
    if (this.made) memory.copy(larger, before, this.made);
    store<u32>(this.at, larger, OUT);
    results = larger;
    capacity = size;
    // Until the host has the new address, it reads from the old buffer.
    if (before) heap.free(before);
  }
}
