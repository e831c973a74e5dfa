/**
 * The exported functions. Only this file and `batch` handle addresses. An entry file exports the functions by name,
 * because after `export *` the transform of json-as finds nothing to compile.
 *
 * The item buffer is managed manually, not by the garbage collector. Globals keep alive all data that the host may read.
 */

import "./abort";
import { Batch } from "./batch";
import { MAX_LENGTH, Result } from "./result";
import { Base, failed, startWorker } from "./worker";

let buffer: usize = 0;
let worker: Base = failed("called before `init`");
let lastResult: Result = Result.none();

/** Allocates a buffer, which the host owns until it requests the next one. */
export function mtl_alloc(length: usize): usize {
  if (buffer) heap.free(buffer);
  buffer = heap.alloc(length);
  return buffer;
}

export function init(at: usize, length: usize): u64 {
  worker = startWorker(at, length);
  const problem = worker.problem();
  lastResult = problem == null ? Result.none() : Result.refused(problem);
  return lastResult.word;
}

export function call(at: usize, length: usize): u64 {
  lastResult = callWorker(at, length);
  return lastResult.word;
}

export function call_batch(at: usize): u32 {
  new Batch(at).run(callWorker);
  return 0;
}

export function finish(): u64 {
  lastResult = worker.finish();
  worker = failed("called after `finish`");
  return lastResult.word;
}

export function after_restore(): void {
  worker.afterRestore();
}

function callWorker(at: usize, length: usize): Result {
  const result = worker.answer(at, length);
  if (result.length <= MAX_LENGTH) return result;
  return Result.refused(`a result of ${result.length} bytes; the longest that can be passed has ${MAX_LENGTH}`);
}
