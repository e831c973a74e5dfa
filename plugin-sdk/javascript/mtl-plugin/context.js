/**
 * The run, as a worker sees it: its number, the formats, and log messages.
 *
 * In a plugin these functions call the host. Under `node --test` a stand-in answers natively (default: one worker, text
 * items); `testing.js` sets its answers.
 */

import * as host from '#host';

const formats = ['text', 'json'];
const levels = ['trace', 'debug', 'info', 'warn', 'error'];
let results = 'text';

/** Returns the number of this worker: from 0 to `workerCount()` - 1. */
export const workerIndex = () => host.workerIndex();

/** Returns the number of workers in the pool. */
export const workerCount = () => host.workerCount();

/** Returns the way in which the run passes arguments: 'single', 'args' or 'kwargs'. */
export const argumentPassing = () => host.argumentPassing();

/** Returns the format of the run's items: 'text' or 'json'. */
export const itemFormat = () => host.itemFormat();

/** Declares the format of all results, 'text' or 'json'. Call it in the constructor. 'json' writes results as JSON. */
export function resultFormat(format) {
  if (!formats.includes(format)) throw new TypeError(`the format of results is 'text' or 'json', not '${format}'`);
  results = format;
  host.resultFormat(format);
}

/** Shows a message, with the worker's name, among the messages of the run. */
export function log(level, message) {
  if (!levels.includes(level)) throw new TypeError(`unknown level '${level}'; levels are ${levels.join(', ')}`);
  host.log(level, String(message));
}

/** Returns the format that `resultFormat` declared. For the SDK, not for workers. */
export const declaredFormat = () => results;
