/**
 * The exported functions: with `batch`, the only ones that know addresses. An entry file exports them by name:
 * after `export *` the transform of json-as finds nothing to compile.
 *
 * The buffer is not the collector's: it is freed by hand. What the host may still read is kept in globals.
 */

import "./abort";
import { Batch } from "./batch";
import { MAX_LENGTH, Result } from "./result";
import { Base, failed, started } from "./worker";

let buffer: usize = 0;
let worker: Base = failed("called before `init`");
let kept: Result = Result.none();

/** The buffer is the host's until it asks for the next one. */
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
