/**
 * Fills the parameters of `call` from an item, by the rules of "Argument passing" in the host's
 * docs/plugin-interface.md.
 */

import { BadItem } from './failure.js';
import { elements, members } from './json.js';
import { NotUtf8, decoded, encoded } from './text.js';
import { readers, typeMismatch } from './types.js';

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
    if (!this.takesText) return this.fromValue(checkJson(decoded(item)));
    if (format === 'json') {
      const value = decoded(item).trim();
      if (this.optional && value === 'null') return undefined;
      if (value.startsWith('"')) return this.fromValue(checkJson(value, 'not a JSON string'));
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

/** Returns the text if it is JSON; otherwise throws `BadItem`. */
function checkJson(text, description = 'not the expected JSON') {
  try {
    JSON.parse(text);
  } catch (error) {
    throw new BadItem(`${description}: ${error.message}`);
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
    return this.each.map((parameter) => withName(parameter, () => parameter.fromItem(item, format)));
  }

  #fromElements(item) {
    const text = this.#parse(item, 'array');
    if (!text.startsWith('[')) throw typeMismatch(text, `an array of the parameters ${this.names}`);
    const values = elements(text);
    if (values.length > this.each.length) {
      throw new BadItem(`an array of ${values.length} elements, and the parameters are ${this.names}`);
    }
    return this.each.map((parameter, index) => readValue(parameter, values[index]));
  }

  #fromMembers(item) {
    const text = this.#parse(item, 'object');
    if (!text.startsWith('{')) throw typeMismatch(text, `an object with the parameters ${this.names}`);
    const values = new Map();
    for (const [key, value] of members(text)) {
      const name = this.#parameterName(key);
      if (values.has(name)) throw new BadItem(`parameter \`${name}\` is given twice`);
      values.set(name, value);
    }
    return this.each.map((parameter) => readValue(parameter, values.get(parameter.name)));
  }

  #parse(item, shape) {
    let text;
    try {
      text = decoded(item);
    } catch (error) {
      throw new BadItem(`not a JSON ${shape}: ${error.message}`);
    }
    return checkJson(text, `not a JSON ${shape}`).trim();
  }

  #parameterName(key) {
    const withUnderscores = key.replaceAll('-', '_');
    const parameter = this.each.find(({ name }) => name === key || name === withUnderscores);
    if (parameter) return parameter.name;
    throw new BadItem(`unknown parameter \`${JSON.stringify(key).slice(1, -1)}\`; the parameters are ${this.names}`);
  }
}

const readValue = (parameter, value) =>
  value === undefined ? parameter.missing() : withName(parameter, () => parameter.fromValue(value));

/** Calls `read`. A bad item then names the parameter. */
function withName(parameter, read) {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof BadItem) || error instanceof NotUtf8) throw error;
    throw new BadItem(`parameter \`${parameter.name}\`: ${error.message}`);
  }
}
