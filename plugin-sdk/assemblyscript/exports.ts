/**
 * The exported functions. Only this file and `batch` handle addresses. An entry file exports the functions by name,
 * because after `export *` the transform of json-as finds nothing to compile.
 *
 * The item buffer is managed manually, not by the garbage collector. Globals keep alive all data that the host may read.
 */

import "./abort";
import { Batch } from "./batch";
import { MAX_LENGTH, Result } from "./result";
import { Base, failed, started } from "./worker";

let buffer: usize = 0;
let worker: Base = failed("called before `init`");
let kept: Result = Result.none();

/** Allocates a buffer, which the host owns until it requests the next one. */
export function mtl_alloc(length: usize): usize {
  if (buffer) heap.free(buffer);
  buffer = heap.alloc(length);
  return buffer;
}

export function init(at: usize, length: usize): u64 {
  worker = started(at, length);
  const problem = worker.problem();
  kept = problem == null ? Result.none() : Result.refused(problem);
  return kept.word;
}

export function call(at: usize, length: usize): u64 {
  kept = answered(at, length);
  return kept.word;
}

export function call_batch(at: usize): u32 {
  new Batch(at).work(answered);
  return 0;
}

export function finish(): u64 {
  kept = worker.finish();
  worker = failed("called after `finish`");
  return kept.word;
}

export function after_restore(): void {
  worker.afterRestore();
}

function answered(at: usize, length: usize): Result {
  const result = worker.answer(at, length);
  if (result.length <= MAX_LENGTH) return result;
  return Result.refused(`a result of ${result.length} bytes; the longest that can be passed has ${MAX_LENGTH}`);
}
