/** Makes what the host calls out of a worker's class. */

import * as context from './context.js';
import { BadItem, Crash, Refused, told } from './failure.js';
import { written } from './json.js';
import { Parameter, Parameters } from './parameters.js';
import { encoded } from './text.js';

/** One worker, as the host sees it: bytes go in, and bytes come out. Natively used by `testing.js`. */
export class Guest {
  #made;
  #parameters;
  #arguments;
  #worker;
  #passing;
  #format;

  constructor(made) {
    if (typeof made.prototype?.call !== 'function') throw new TypeError(`\`${made.name}\` has no \`call\``);
    this.#made = made;
    this.#parameters = new Parameters(made.parameters ?? { item: 'text' });
    this.#arguments = new Parameter('init', made.init ?? 'text?');
  }

  /** Starts the worker. What is thrown ends the run. */
  init(args) {
    this.#passing = context.argumentPassing();
    this.#format = context.itemFormat();
    const { names, each } = this.#parameters;
    if (this.#passing === 'single' && each.length > 1) {
      throw new Refused(
        `\`call\` has ${each.length} parameters, ${names}: say \`--args args\` where an item is a JSON array of them, ` +
          '`--args kwargs` where it is a JSON object',
      );
    }
    context.resultFormat(this.#made.results ?? 'text');
    this.#worker = new this.#made(this.#initialised(args));
  }

  #initialised(args) {
    if (args.length > 0) return this.#arguments.fromItem(here(args), 'text');
    if (this.#arguments.takesText) return this.#arguments.type === 'text' ? '' : args;
    if (this.#arguments.optional) return undefined;
    throw new Refused('this worker needs arguments, as JSON');
  }

  /** Works on one item. */
  call(item) {
    const given = this.#parameters.fill(here(item), this.#format, this.#passing);
    return bytes(this.#worker.call(...given), context.declared());
  }

  /** Has the worker's closing report, if it makes one. */
  finish() {
    return bytes(this.#worker.finish?.(), 'text');
  }
}

/**
 * The bytes of a result; none for no record. Bytes are always taken as they are, and text is where results are text; all
 * else is written as JSON.
 */
function bytes(result, format) {
  if (result === undefined || result === null) return undefined;
  if (ArrayBuffer.isView(result)) return here(result);
  if (typeof result?.then === 'function') throw new TypeError('`call` has to give its result at once, not a promise');
  if (typeof result === 'string' && format === 'text') return encoded(result);
  return encoded(written(result));
}

/**
 * Bytes as a Uint8Array of the worker's own. componentize-js makes those that come in of another global object, to whose
 * Uint8Array the worker's `instanceof` does not apply.
 */
const here = ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength);

/** The `worker` that a plugin's module exports, made of a class. */
export function plugin(made) {
  const guest = new Guest(made);
  return {
    init: (args) => orElse(() => guest.init(args), told),
    call: (item) => orElse(() => guest.call(item), failure),
    finish: () => orElse(() => guest.finish(), told),
  };
}

/** What an exception is to the host: its item's fault, whatever it is. Only a `Crash` goes through, and ends the instance. */
function orElse(work, failed) {
  try {
    return work();
  } catch (error) {
    if (error instanceof Crash) throw error;
    throw failed(error);
  }
}

const failure = (error) => ({ tag: error instanceof BadItem ? 'bad-item' : 'refused', val: told(error) });
