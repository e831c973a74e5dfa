/**
 * What a worker may know of the run it is in, and what it may tell it.
 *
 * In a plugin these are calls to the host. Natively, under `node --test`, a stand-in answers: one worker, text items,
 * unless `testing.js` says otherwise.
 */

import * as host from '#host';

const formats = ['text', 'json'];
const levels = ['trace', 'debug', 'info', 'warn', 'error'];
let results = 'text';

/** The number of this worker: from 0 to `workerCount()` - 1. */
export const workerIndex = () => host.workerIndex();

/** How many workers the pool has. */
export const workerCount = () => host.workerCount();

/** How the run was asked to pass arguments: 'single', 'args' or 'kwargs'. */
export const argumentPassing = () => host.argumentPassing();

/** What every item of the run is: 'text' or 'json'. */
export const itemFormat = () => host.itemFormat();

/** Declares, in the constructor, what every result is: 'text', or 'json' for what is written as JSON. */
export function resultFormat(format) {
  if (!formats.includes(format)) throw new TypeError(`a result is 'text' or 'json', and not '${format}'`);
  results = format;
  host.resultFormat(format);
}

/** Shows a message, with the worker's name, where the run shows messages. */
export function log(level, message) {
  if (!levels.includes(level)) throw new TypeError(`no level is called '${level}': ${levels.join(', ')}`);
  host.log(level, String(message));
}

/** What `resultFormat` declared. Of the SDK, not for workers. */
export const declared = () => results;
