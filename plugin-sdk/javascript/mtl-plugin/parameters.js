/**
 * Fills the parameters of `call` from an item, by the rules of "Argument passing" in the host's
 * docs/plugin-interface.md.
 */

import { BadItem } from './failure.js';
import { elements, members } from './json.js';
import { NotText, decoded, encoded } from './text.js';
import { readers, unfit } from './types.js';

/** A parameter: its name, and its type, such as 'text', 'u32', or 'number?' for an optional number. */
export class Parameter {
  constructor(name, type) {
    this.name = name;
    this.optional = type.endsWith('?');
    this.type = this.optional ? type.slice(0, -1) : type;
    if (this.type !== 'bytes' && !Object.hasOwn(readers, this.type)) {
      const known = ['bytes', ...Object.keys(readers)].join(', ');
      throw new TypeError(`parameter \`${name}\` cannot have the type '${type}'; types are ${known}`);
    }
    this.takesText = this.type === 'text' || this.type === 'bytes';
  }

  /** Reads the parameter from the whole item. */
  fromItem(item, format) {
    if (!this.takesText) return this.fromValue(json(decoded(item)));
    if (format === 'json') {
      const written = decoded(item).trim();
      if (this.optional && written === 'null') return undefined;
      if (written.startsWith('"')) return this.fromValue(json(written, 'not a JSON string'));
    }
    return this.type === 'bytes' ? item : decoded(item);
  }

  /** Reads the parameter from the text of a JSON value. */
  fromValue(text) {
    if (this.optional && text.trim() === 'null') return undefined;
    return this.type === 'bytes' ? encoded(readers.text(text)) : readers[this.type](text);
  }

  /** Returns the value if the item has none. */
  missing() {
    if (!this.optional) throw new BadItem(`parameter \`${this.name}\` is missing`);
    return undefined;
  }
}

/** Fails unless the text is JSON. */
function json(text, problem = 'not the expected JSON') {
  try {
    JSON.parse(text);
  } catch (error) {
    throw new BadItem(`${problem}: ${error.message}`);
  }
  return text;
}

/** The parameters of `call`, in order. */
export class Parameters {
  constructor(types) {
    this.each = Object.entries(types).map(([name, type]) => new Parameter(name, type));
  }

  /** Returns the names for a sentence: `a`, `b` and `c`, in backticks. */
  get names() {
    const quoted = this.each.map(({ name }) => `\`${name}\``);
    const last = quoted.pop() ?? 'none';
    return quoted.length === 0 ? last : `${quoted.join(', ')} and ${last}`;
  }

  /** Returns the arguments for the method. */
  fill(item, format, passing) {
    if (passing === 'args') return this.#fromElements(item);
    if (passing === 'kwargs') return this.#fromMembers(item);
    return this.each.map((parameter) => named(parameter, () => parameter.fromItem(item, format)));
  }

  #fromElements(item) {
    const text = this.#shaped(item, 'array');
    if (!text.startsWith('[')) throw unfit(text, `an array of the parameters ${this.names}`);
    const given = elements(text);
    if (given.length > this.each.length) {
      throw new BadItem(`an array of ${given.length} elements, and the parameters are ${this.names}`);
    }
    return this.each.map((parameter, place) => read(parameter, given[place]));
  }

  #fromMembers(item) {
    const text = this.#shaped(item, 'object');
    if (!text.startsWith('{')) throw unfit(text, `an object with the parameters ${this.names}`);
    const given = new Map();
    for (const [key, value] of members(text)) {
      const name = this.#ofKey(key);
      if (given.has(name)) throw new BadItem(`parameter \`${name}\` is given twice`);
      given.set(name, value);
    }
    return this.each.map((parameter) => read(parameter, given.get(parameter.name)));
  }

  #shaped(item, shape) {
    let text;
    try {
      text = decoded(item);
    } catch (error) {
      throw new BadItem(`not a JSON ${shape}: ${error.message}`);
    }
    return json(text, `not a JSON ${shape}`).trim();
  }

  #ofKey(key) {
    const spelled = key.replaceAll('-', '_');
    const parameter = this.each.find(({ name }) => name === key || name === spelled);
    if (parameter) return parameter.name;
    throw new BadItem(`unknown parameter \`${JSON.stringify(key).slice(1, -1)}\`; the parameters are ${this.names}`);
  }
}

const read = (parameter, given) =>
  given === undefined ? parameter.missing() : named(parameter, () => parameter.fromValue(given));

function named(parameter, value) {
  try {
    return value();
  } catch (error) {
    if (!(error instanceof BadItem) || error instanceof NotText) throw error;
    throw new BadItem(`parameter \`${parameter.name}\`: ${error.message}`);
  }
}
