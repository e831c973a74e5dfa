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
 * The host may stop the module at any moment, and then reads the words. Therefore each word is written after the data
 * that it describes. The compiler does not reorder writes to memory.
 */

import { Result } from "./result";

const DONE: usize = 4;
const OUT: usize = 8;
const STOP: usize = 12;
const ENDS: usize = 16;

/** The number of result bytes after which a batch returns to the host. */
const FULL: usize = 1 << 20;
const MIN_CAPACITY: usize = 4096;

/** The results, back to back, in manually managed memory. */
let results: usize = 0;
let capacity: usize = 0;
/** A large result that the host reads in place. */
let large: Result | null = null;

export class Batch {
  private length: usize = 0;

  constructor(private readonly at: usize) {}

  run(answer: (at: usize, length: usize) => Result): void {
    const count = load<u32>(this.at);
    const items = this.at + ENDS + 4 * count;
    this.clear();
    let start = items;
    for (let index: u32 = 0; index < count; index++) {
      if (load<u32>(this.at, STOP) != 0 || this.length >= FULL) return;
      const end = items + load<u32>(this.at + 4 * index, ENDS);
      const result = answer(start, end - start);
      if (index == 0 && result.flags == 0 && <usize>result.length >= FULL) {
        // There may be no memory for a copy.
        large = result;
        store<u32>(this.at, result.at, OUT);
        this.setDone(index, result.length);
        return;
      }
      this.append(result);
      this.setDone(index, result.flags | <u32>this.length);
      start = end;
    }
  }

  private setDone(index: u32, end: u32): void {
    store<u32>(this.at + 4 * index, end, ENDS);
    store<u32>(this.at, index + 1, DONE);
  }

  /** Clears the results of the previous batch, and frees the memory of unusually large ones. */
  private clear(): void {
    large = null;
    if (capacity > 4 * FULL) this.moveTo(MIN_CAPACITY);
    else if (!results) this.moveTo(MIN_CAPACITY);
    else store<u32>(this.at, results, OUT);
  }

  private append(result: Result): void {
    const total = this.length + result.length;
    if (total > capacity) this.moveTo(max(total, 2 * capacity));
    memory.copy(results + this.length, result.at, result.length);
    this.length = total;
  }

  private moveTo(size: usize): void {
    const old = results;
    const larger = heap.alloc(size);
    if (this.length) memory.copy(larger, old, this.length);
    store<u32>(this.at, larger, OUT);
    results = larger;
    capacity = size;
    // Until the host has the new address, it reads from the old buffer.
    if (old) heap.free(old);
  }
}
