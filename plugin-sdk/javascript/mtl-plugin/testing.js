/** Runs a worker natively, for its tests: bytes in, bytes out, as in the host. */

import { run } from './stand-in.js';
import { BadItem, Crash, Refused, told } from './failure.js';
import { Guest } from './guest.js';
import { decoded, encoded } from './text.js';

/** A worker that was started. `init` is the text of `--init`; throws `Refused` with what the run would end with. */
export class Instance {
  #guest;

  constructor(made, init = '', { passing = 'single', itemFormat = 'text', workerIndex = 0, workerCount = 1 } = {}) {
    Object.assign(run, { passing, itemFormat, workerIndex, workerCount, results: 'text', logged: [] });
    this.#guest = new Guest(made);
    thrown(() => this.#guest.init(bytes(init)));
  }

  /** The result of an item, as text; undefined for no record. Throws `BadItem` or `Refused`, whatever the worker threw. */
  call(item) {
    return text(thrown(() => this.#guest.call(bytes(item))));
  }

  /** The worker's closing report, as text. */
  finish() {
    return text(thrown(() => this.#guest.finish()));
  }

  /** What the worker has logged: pairs of level and message. */
  get logged() {
    return run.logged;
  }

  /** What the worker declared its results to be. */
  get resultFormat() {
    return run.results;
  }
}

const bytes = (given) => (typeof given === 'string' ? encoded(given) : given);
const text = (given) => (given === undefined ? undefined : decoded(given));

function thrown(work) {
  try {
    return work();
  } catch (error) {
    if (error instanceof BadItem || error instanceof Crash) throw error;
    throw new Refused(told(error), { cause: error });
  }
}
