/** Makes the functions that the host calls, from a worker's class. */

import * as context from './context.js';
import { BadItem, Crash, Refused, told } from './failure.js';
import { written } from './json.js';
import { Parameter, Parameters } from './parameters.js';
import { encoded } from './text.js';

/** A worker as the host sees it: bytes in, bytes out. `testing.js` uses it natively. */
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

  /** Starts the worker. An exception ends the run. */
  init(args) {
    this.#passing = context.argumentPassing();
    this.#format = context.itemFormat();
    const { names, each } = this.#parameters;
    if (this.#passing === 'single' && each.length > 1) {
      throw new Refused(
        `\`call\` has ${each.length} parameters, ${names}: use \`--args args\` if an item is a JSON array of them, ` +
          'or `--args kwargs` if it is a JSON object',
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

  /** Returns the worker's finish report, if it has one. */
  finish() {
    return bytes(this.#worker.finish?.(), 'text');
  }
}

/**
 * Returns the bytes of a result, or undefined for no record. Bytes are written unchanged, and so is text if results are
 * text. Everything else is written as JSON.
 */
function bytes(result, format) {
  if (result === undefined || result === null) return undefined;
  if (ArrayBuffer.isView(result)) return here(result);
  if (typeof result?.then === 'function') throw new TypeError('`call` must return its result directly, not a promise');
  if (typeof result === 'string' && format === 'text') return encoded(result);
  return encoded(written(result));
}

/**
 * Returns bytes as a Uint8Array of the worker's global object. componentize-js creates incoming bytes in another global
 * object, for which the worker's `instanceof Uint8Array` is false.
 */
const here = ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength);

/** Makes the `worker` that a plugin's module exports from a class. */
export function plugin(made) {
  const guest = new Guest(made);
  return {
    init: (args) => orElse(() => guest.init(args), told),
    call: (item) => orElse(() => guest.call(item), failure),
    finish: () => orElse(() => guest.finish(), told),
  };
}

/** Converts an exception to the item's fault. Only a `Crash` passes through, and ends the instance. */
function orElse(work, failed) {
  try {
    return work();
  } catch (error) {
    if (error instanceof Crash) throw error;
    throw failed(error);
  }
}

const failure = (error) => ({ tag: error instanceof BadItem ? 'bad-item' : 'refused', val: told(error) });
