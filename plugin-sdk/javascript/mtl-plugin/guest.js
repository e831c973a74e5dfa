/** Makes the functions that the host calls, from a worker's class. */

import * as context from './context.js';
import { BadItem, Crash, Refused, failureMessage } from './failure.js';
import { toJson } from './json.js';
import { Parameter, Parameters } from './parameters.js';
import { encoded } from './text.js';

/** A worker as the host sees it: bytes in, bytes out. `testing.js` uses it natively. */
export class Guest {
  #workerClass;
  #parameters;
  #arguments;
  #worker;
  #passing;
  #format;

  constructor(workerClass) {
    if (typeof workerClass.prototype?.call !== 'function') throw new TypeError(`\`${workerClass.name}\` has no \`call\``);
    this.#workerClass = workerClass;
    this.#parameters = new Parameters(workerClass.parameters ?? { item: 'text' });
    this.#arguments = new Parameter('init', workerClass.init ?? 'text?');
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
    context.resultFormat(this.#workerClass.results ?? 'text');
    this.#worker = new this.#workerClass(this.#readInit(args));
  }

  #readInit(args) {
    if (args.length > 0) return this.#arguments.fromItem(localBytes(args), 'text');
    if (this.#arguments.takesText) return this.#arguments.type === 'text' ? '' : args;
    if (this.#arguments.optional) return undefined;
    throw new Refused('this worker needs arguments, as JSON');
  }

  /** Works on one item. */
  call(item) {
    const values = this.#parameters.fill(localBytes(item), this.#format, this.#passing);
    return encodeResult(this.#worker.call(...values), context.declaredFormat());
  }

  /** Returns the worker's finish report, if it has one. */
  finish() {
    return encodeResult(this.#worker.finish?.(), 'text');
  }
}

/**
 * Returns the bytes of a result, or undefined for no record. Bytes are written unchanged, and so is text if results are
 * text. Everything else is written as JSON.
 */
function encodeResult(result, format) {
  if (result === undefined || result === null) return undefined;
  if (ArrayBuffer.isView(result)) return localBytes(result);
  if (typeof result?.then === 'function') throw new TypeError('`call` must return its result directly, not a promise');
  if (typeof result === 'string' && format === 'text') return encoded(result);
  return encoded(toJson(result));
}

/**
 * Returns bytes as a Uint8Array of the worker's global object. componentize-js creates incoming bytes in another global
 * object, for which the worker's `instanceof Uint8Array` is false.
 */
const localBytes = ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength);

/** Makes the `worker` that a plugin's module exports from a class. */
export function plugin(workerClass) {
  const guest = new Guest(workerClass);
  return {
    init: (args) => convertErrors(() => guest.init(args), failureMessage),
    call: (item) => convertErrors(() => guest.call(item), itemFault),
    finish: () => convertErrors(() => guest.finish(), failureMessage),
  };
}

/** Converts exceptions for the host. Only a `Crash` passes through, and ends the instance. */
function convertErrors(run, convert) {
  try {
    return run();
  } catch (error) {
    if (error instanceof Crash) throw error;
    throw convert(error);
  }
}

const itemFault = (error) => ({ tag: error instanceof BadItem ? 'bad-item' : 'refused', val: failureMessage(error) });
