/** The run, as a worker sees it: its number, the formats, and log messages. */

import { host_log, item_format, result_format, worker_count, worker_index } from "./imports";

/** The format of an item or a result. */
export enum Format {
  /** Any bytes, shown as text if they are UTF-8. */
  Text,
  /** One JSON value. */
  JSON,
}

/** The level of a log message. */
export enum Level { Trace, Debug, Info, Warn, Error }

/** Returns the number of this worker: from 0 to `workerCount()` - 1. */
export function workerIndex(): u32 {
  return worker_index();
}

/** Returns the number of workers. */
export function workerCount(): u32 {
  return worker_count();
}

/** Returns the format of the run's items. */
export function itemFormat(): Format {
  return <Format>item_format();
}

/** Declares the format of all results (default: text). Call it while the worker starts. */
export function resultFormat(format: Format): void {
  result_format(format);
}

/** Shows a message, with the worker's number, among the messages of the run. */
export function log(level: Level, message: string): void {
  const bytes = String.UTF8.encode(message, false, String.UTF8.ErrorMode.REPLACE);
  host_log(level, changetype<usize>(bytes), bytes.byteLength);
}
