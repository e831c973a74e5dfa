/** Fills the parameters of a `TypedWorker` from an item. */

import { Format } from "./context";
import { argument_passing } from "./imports";
import { Reader, Value, decodeString } from "./json";
import { parseNumber } from "./number";
import { Result } from "./result";
import { describeInvalidUtf8, quote, textAt } from "./text";
import { Base, Item, items } from "./worker";

/** The way in which the run passes arguments (`--args`). */
enum Passing { Single, Args, Kwargs }

/** A worker whose items fill parameters: by position, by name, or the whole item as the only parameter. */
export abstract class TypedWorker extends Base {
  private passing: Passing;

  /** Takes the names of the parameters, in order. */
  constructor(private readonly parameters: string[]) {
    super();
    this.passing = <Passing>argument_passing();
  }

  /** Works on one item with these arguments. */
  abstract call(given: Arguments): Result;

  problem(): string | null {
    const count = this.parameters.length;
    if (this.passing != Passing.Single || count < 2) return null;
    return `\`call\` has ${count} parameters, ${names(this.parameters)}: use \`--args args\` if an item is ` +
      "a JSON array of them, or `--args kwargs` if it is a JSON object";
  }

  answer(at: usize, length: usize): Result {
    const given = new Arguments(this.parameters, at, length);
    if (this.passing == Passing.Args) given.readElements();
    if (this.passing == Passing.Kwargs) given.readMembers();
    if (given.failure != null) return given.failure!;
    const result = this.call(given);
    // A missing parameter fails the item, whatever the worker returned.
    return given.failure != null ? given.failure! : result;
  }
}

/** The arguments in an item. The first problem with an argument becomes the result of the item. */
export class Arguments {
  /** The result of an item with a problem; null while no problem is found. */
  failure: Result | null = null;
  private values: Array<Value | null>;
  private whole: bool = true;

  constructor(private readonly parameters: string[], private readonly at: usize, private readonly length: usize) {
    this.values = new Array<Value | null>(parameters.length).fill(null);
  }

  /** Reads a parameter: a string, a `Uint8Array`, a bool or a number. After a problem, returns an empty value or 0. */
  read<T>(name: string): T {
    if (isString<T>()) return changetype<T>(this.text(name));
    if (isReference<T>()) {
      if (idof<T>() == idof<Uint8Array>()) return changetype<T>(this.bytes(name));
      ERROR("a parameter is a string, a `Uint8Array`, a bool or a number; `json` gives any other value as text");
    }
    const value = this.value(name);
    if (value == null) return <T>0;
    if (isBoolean<T>()) {
      if (value.first != 0x74 && value.first != 0x66) this.mismatch(name, "type", value, "a boolean");
      return <T>(value.first == 0x74);
    }
    if (isFloat<T>()) return this.float<T>(name, value);
    return this.integer<T>(name, value);
  }

  /** Reads an optional parameter, or returns `otherwise`. */
  readOr<T>(name: string, otherwise: T): T {
    return this.has<T>(name) ? this.read<T>(name) : otherwise;
  }

  /** Returns whether an optional parameter is present and not `null`. */
  has<T>(name: string): bool {
    const index = this.index(name);
    if (!this.whole) return this.values[index] != null && !this.values[index]!.isNull;
    if ((isString<T>() || isReference<T>()) && items == Format.Text) return true;
    const reader = Reader.whole(this.at, this.length);
    const value = reader.value();
    reader.finish();
    return reader.problem != null || !value.isNull;
  }

  /** Returns a parameter of any type as JSON text. */
  json(name: string): string {
    const value = this.value(name);
    return value == null ? "null" : value.text;
  }

  private text(name: string): string {
    const bytes = this.bytes(name);
    const problem = describeInvalidUtf8(bytes.dataStart, bytes.byteLength);
    if (problem == null) return textAt(bytes.dataStart, bytes.byteLength);
    this.fault(name, problem);
    return "";
  }

  private bytes(name: string): Uint8Array {
    if (this.whole) {
      const item = Item.of(this.at, this.length);
      if (item.problem == null) return item.bytes;
      this.fault(name, item.problem!);
      return new Uint8Array(0);
    }
    const value = this.value(name);
    if (value != null && value.first == 0x22) return decodeString(value);
    if (value != null) this.mismatch(name, "type", value, "a string");
    return new Uint8Array(0);
  }

  private float<T>(name: string, value: Value): T {
    if (!value.isNumber) {
      this.mismatch(name, "type", value, nameof<T>());
      return <T>0;
    }
    const number = <T>parseNumber(value.text);
    if (isFinite<T>(number)) return number;
    this.mismatch(name, "value", value, nameof<T>());
    return <T>0;
  }

  private integer<T>(name: string, value: Value): T {
    if (!value.isInteger) {
      this.mismatch(name, "type", value, nameof<T>());
      return <T>0;
    }
    const negative = value.first == 0x2d;
    let limit = u64.MAX_VALUE >> (64 - 8 * sizeof<T>() + (isSigned<T>() ? 1 : 0));
    if (negative) limit = isSigned<T>() ? limit + 1 : 0;
    let size: u64 = 0;
    for (let at = value.at + (negative ? 1 : 0); at < value.end; at++) {
      const digit = <u64>(load<u8>(at) - 0x30);
      if (size > limit / 10 || size * 10 > limit - digit || digit > limit) {
        this.mismatch(name, "value", value, nameof<T>());
        return <T>0;
      }
      size = size * 10 + digit;
    }
    return <T>(negative ? 0 - size : size);
  }

  /** Returns the JSON value of a parameter; null after a problem. */
  private value(name: string): Value | null {
    const index = this.index(name);
    if (!this.whole) {
      if (this.values[index] == null) this.fail(`parameter \`${name}\` is missing`);
      return this.values[index];
    }
    const reader = Reader.whole(this.at, this.length);
    const value = reader.value();
    reader.finish();
    if (reader.problem == null) return value;
    this.fault(name, `not the expected JSON: ${reader.problem!}`);
    return null;
  }

  private index(name: string): i32 {
    const index = this.parameters.indexOf(name);
    assert(index >= 0, `the worker reads a parameter that it does not have: \`${name}\``);
    return index;
  }

  private mismatch(name: string, aspect: string, value: Value, expected: string): void {
    this.fault(name, `invalid ${aspect}: ${value.describe()}, expected ${expected}`);
  }

  private fault(name: string, problem: string): void {
    this.fail(`parameter \`${name}\`: ${problem}`);
  }

  private fail(message: string): void {
    if (this.failure == null) this.failure = Result.badItem(message);
  }

  /** Reads the elements of an array, which are the parameters by position. */
  readElements(): void {
    const reader = this.openContainer(0x5b, "array of");
    if (reader == null) return;
    let count = 0;
    if (!reader.skipIf(0x5d)) {
      do {
        const value = reader.value();
        if (count < this.parameters.length) this.values[count] = value;
        count++;
      } while (reader.skipIf(0x2c));
    }
    if (count <= this.parameters.length) return;
    this.fail(`an array of ${count} elements, and the parameters are ${names(this.parameters)}`);
  }

  /** Reads the members of an object, which are the parameters by name. */
  readMembers(): void {
    const reader = this.openContainer(0x7b, "object with");
    if (reader == null || reader.skipIf(0x7d)) return;
    do {
      const key = decodeString(reader.key());
      const value = reader.value();
      this.addMember(textAt(key.dataStart, key.byteLength), value);
    } while (reader.skipIf(0x2c));
  }

  private addMember(key: string, value: Value): void {
    const index = parameterIndex(key, this.parameters);
    if (index < 0) {
      const quoted = quote(key);
      const escaped = quoted.substring(1, quoted.length - 1);
      return this.fail(`unknown parameter \`${escaped}\`; the parameters are ${names(this.parameters)}`);
    }
    if (this.values[index] != null) return this.fail(`parameter \`${this.parameters[index]}\` is given twice`);
    this.values[index] = value;
  }

  /** Returns a reader inside the brackets of an item, if the whole item is valid. */
  private openContainer(open: u8, shape: string): Reader | null {
    this.whole = false;
    const checker = Reader.whole(this.at, this.length);
    const value = checker.value();
    checker.finish();
    if (checker.problem != null) {
      this.fail(`not a JSON ${shape.split(" ")[0]}: ${checker.problem!}`);
      return null;
    }
    if (value.first != open) {
      this.fail(`invalid type: ${value.describe()}, expected an ${shape} the parameters ${names(this.parameters)}`);
      return null;
    }
    const reader = new Reader(value.at, value.end);
    reader.skipIf(open);
    return reader;
  }
}

/** Returns the number of the parameter that a key names, or -1. The key may have `-` for `_`. */
function parameterIndex(key: string, parameters: string[]): i32 {
  for (let index = 0; index < parameters.length; index++) {
    const name = parameters[index];
    if (name.length != key.length) continue;
    let at = 0;
    while (at < key.length && isSameLetter(name.charCodeAt(at), key.charCodeAt(at))) at++;
    if (at == key.length) return index;
  }
  return -1;
}

function isSameLetter(name: i32, key: i32): bool {
  return name == key || (name == 0x5f && key == 0x2d);
}

/** Returns the names for a sentence: `a`, `b` and `c`. */
function names(parameters: string[]): string {
  let list = "";
  for (let index = 0; index < parameters.length; index++) {
    if (index > 0) list += index + 1 == parameters.length ? " and " : ", ";
    list += "`" + parameters[index] + "`";
  }
  return list;
}
