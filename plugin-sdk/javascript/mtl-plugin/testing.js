/** Runs a worker natively in tests. It takes bytes and returns bytes, as in the host. */

import { run } from './stand-in.js';
import { BadItem, Crash, Refused, failureMessage } from './failure.js';
import { Guest } from './guest.js';
import { decoded, encoded } from './text.js';

/** A running worker. `init` is the text of `--init`. Throws `Refused` with the message that would end the run. */
export class Instance {
  #guest;

  constructor(workerClass, init = '', { passing = 'single', itemFormat = 'text', workerIndex = 0, workerCount = 1 } = {}) {
    Object.assign(run, { passing, itemFormat, workerIndex, workerCount, results: 'text', logged: [] });
    this.#guest = new Guest(workerClass);
    convertErrors(() => this.#guest.init(bytes(init)));
  }

  /** Returns the record of an item as text, or undefined. Throws `BadItem` or `Refused`, whatever the worker threw. */
  call(item) {
    return text(convertErrors(() => this.#guest.call(bytes(item))));
  }

  /** Returns the worker's finish report as text. */
  finish() {
    return text(convertErrors(() => this.#guest.finish()));
  }

  /** The worker's log messages: pairs of level and message. */
  get logged() {
    return run.logged;
  }

  /** The format that the worker declared for its results. */
  get resultFormat() {
    return run.results;
  }
}

const bytes = (value) => (typeof value === 'string' ? encoded(value) : value);
const text = (value) => (value === undefined ? undefined : decoded(value));

function convertErrors(call) {
  try {
    return call();
  } catch (error) {
    if (error instanceof BadItem || error instanceof Crash) throw error;
    throw new Refused(failureMessage(error), { cause: error });
  }
}
