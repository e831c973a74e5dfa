/** What a worker may know of the run it is in, and what it may tell it. */

import { host_log, item_format, result_format, worker_count, worker_index } from "./imports";

/** What the bytes of an item or of a result are. */
export enum Format {
  /** Any bytes; shown as text where they are UTF-8. */
  Text,
  /** One JSON value. */
  JSON,
}

/** How much a message matters. */
export enum Level { Trace, Debug, Info, Warn, Error }

/** The number of this worker: from 0 to `workerCount()` - 1. */
export function workerIndex(): u32 {
  return worker_index();
}

/** How many workers there are. */
export function workerCount(): u32 {
  return worker_count();
}

/** What every item of the run is. */
export function itemFormat(): Format {
  return <Format>item_format();
}

/** Declares what every result is. Called while the worker is started; without it: text. */
export function resultFormat(format: Format): void {
  result_format(format);
}

/** Shows a message, with the worker's number, where the run shows messages. */
export function log(level: Level, message: string): void {
  const bytes = String.UTF8.encode(message, false, String.UTF8.ErrorMode.REPLACE);
  host_log(level, changetype<usize>(bytes), bytes.byteLength);
}
