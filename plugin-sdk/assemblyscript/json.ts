/**
 * Reads JSON in place and reports problems. The parsers of AssemblyScript's JSON libraries abort on invalid JSON, so a bad
 * item would cost the instance.
 */

import { describeInvalidUtf8, textAt } from "./text";

const QUOTE: u8 = 0x22;
const BACKSLASH: u8 = 0x5c;

/** A range of memory with one JSON value, without surrounding space. */
export class Value {
  constructor(readonly at: usize, readonly end: usize) {}

  get first(): u8 {
    return load<u8>(this.at);
  }

  get isNull(): bool {
    return this.first == 0x6e;
  }

  get text(): string {
    return textAt(this.at, this.end - this.at);
  }

  /** Describes the value for a message. */
  describe(): string {
    switch (this.first) {
      case QUOTE: return "string " + this.text;
      case 0x5b: return "sequence";
      case 0x7b: return "map";
      case 0x6e: return "null";
      case 0x74:
      case 0x66: return `boolean \`${this.text}\``;
    }
    return this.isInteger ? `integer \`${this.text}\`` : `floating point \`${this.text}\``;
  }

  get isNumber(): bool {
    return this.first == 0x2d || isDigit(this.first);
  }

  get isInteger(): bool {
    for (let at = this.at; at < this.end; at++) {
      const c = load<u8>(at);
      if (c == 0x2e || c == 0x65 || c == 0x45) return false;
    }
    return this.isNumber;
  }
}

function isDigit(c: u8): bool {
  return c - 0x30 < 10;
}

/** Reads JSON from left to right. At an error, it records the problem and moves to the end. */
export class Reader {
  private static readonly MAX_DEPTH: i32 = 128;

  problem: string | null = null;
  private depth: i32 = 0;
  private at: usize;

  constructor(private readonly begin: usize, private readonly end: usize) {
    this.at = begin;
    const problem = describeInvalidUtf8(begin, end - begin);
    if (problem != null) this.fail(problem);
  }

  /** Returns a reader of a text that is one value. */
  static whole(at: usize, length: usize): Reader {
    return new Reader(at, at + length);
  }

  /** Reads the next value. */
  value(): Value {
    this.skipSpace();
    const at = this.at;
    this.skip();
    return new Value(at, this.at);
  }

  /** Skips white space, and then this character if it follows. Returns whether it did. */
  skipIf(c: u8): bool {
    this.skipSpace();
    if (this.at >= this.end || load<u8>(this.at) != c) return false;
    this.at++;
    return true;
  }

  /** Skips white space and this character, or fails. */
  require(c: u8): void {
    if (!this.skipIf(c)) this.failExpected(`\`${String.fromCharCode(c)}\``);
  }

  /** Checks that only white space follows. */
  finish(): void {
    this.skipSpace();
    if (this.at < this.end) this.fail(`trailing characters from byte ${this.at - this.begin} on`);
  }

  private failExpected(name: string): void {
    this.fail(this.at < this.end ? `expected ${name} at byte ${this.at - this.begin}` : `it ends where ${name} is expected`);
  }

  private fail(problem: string): void {
    if (this.problem == null) this.problem = problem;
    this.at = this.end;
  }

  private skipSpace(): void {
    while (this.at < this.end) {
      const c = load<u8>(this.at);
      if (c != 0x20 && c != 0x09 && c != 0x0a && c != 0x0d) return;
      this.at++;
    }
  }

  private skip(): void {
    if (this.at >= this.end) return this.failExpected("a value");
    const c = load<u8>(this.at);
    if (c == QUOTE) return this.string();
    if (c == 0x2d || isDigit(c)) return this.number();
    if (c == 0x6e) return this.literal("null");
    if (c == 0x74) return this.literal("true");
    if (c == 0x66) return this.literal("false");
    if (c != 0x5b && c != 0x7b) return this.failExpected("a value");
    if (++this.depth > Reader.MAX_DEPTH) return this.fail("it is nested too deeply");
    this.at++;
    if (c == 0x5b) this.elements();
    else this.members();
    this.depth--;
  }

  private elements(): void {
    if (this.skipIf(0x5d)) return;
    do {
      this.value();
    } while (this.skipIf(0x2c));
    this.require(0x5d);
  }

  private members(): void {
    if (this.skipIf(0x7d)) return;
    do {
      this.key();
      this.value();
    } while (this.skipIf(0x2c));
    this.require(0x7d);
  }

  /** Reads a key and the following colon. */
  key(): Value {
    this.skipSpace();
    const at = this.at;
    if (at < this.end && load<u8>(at) == QUOTE) this.string();
    else this.failExpected("a key");
    const key = new Value(at, this.at);
    this.require(0x3a);
    return key;
  }

  private literal(word: string): void {
    for (let index = 0; index < word.length; index++, this.at++) {
      if (this.at >= this.end || load<u8>(this.at) != <u8>word.charCodeAt(index)) return this.failExpected(`\`${word}\``);
    }
  }

  private number(): void {
    if (load<u8>(this.at) == 0x2d) this.at++;
    const zero = this.at < this.end && load<u8>(this.at) == 0x30;
    if (zero) this.at++;
    else this.digits();
    if (this.at < this.end && load<u8>(this.at) == 0x2e) {
      this.at++;
      this.digits();
    }
    if (this.at < this.end && (load<u8>(this.at) | 0x20) == 0x65) {
      this.at++;
      if (this.at < this.end && (load<u8>(this.at) == 0x2b || load<u8>(this.at) == 0x2d)) this.at++;
      this.digits();
    }
  }

  private digits(): void {
    if (this.at >= this.end || !isDigit(load<u8>(this.at))) return this.failExpected("a digit");
    while (this.at < this.end && isDigit(load<u8>(this.at))) this.at++;
  }

  private string(): void {
    this.at++;
    while (this.at < this.end) {
      const c = load<u8>(this.at);
      if (c == QUOTE) {
        this.at++;
        return;
      }
      if (c < 0x20) return this.fail(`a control character at byte ${this.at - this.begin}`);
      if (c == BACKSLASH) {
        const length = escapeLength(this.at, this.end);
        if (!length) return this.fail(`an unknown escape at byte ${this.at - this.begin}`);
        this.at += length;
      } else {
        this.at++;
      }
    }
    this.failExpected('`"`');
  }
}

/** Returns the length of an escape or a pair of surrogate escapes; 0 if it is invalid. */
function escapeLength(at: usize, end: usize): usize {
  if (end - at < 2) return 0;
  switch (load<u8>(at, 1)) {
    case 0x22: case 0x5c: case 0x2f: case 0x62: case 0x66: case 0x6e: case 0x72: case 0x74: return 2;
  }
  const unit = codeUnitAt(at, end);
  if (unit < 0) return 0;
  if ((unit & 0xf800) != 0xd800) return 6;
  return (unit & 0xfc00) == 0xd800 && (codeUnitAt(at + 6, end) & 0xfc00) == 0xdc00 ? 12 : 0;
}

/** Returns the code unit of a `\u` escape; -1 if it is invalid. */
function codeUnitAt(at: usize, end: usize): i32 {
  if (at + 6 > end || load<u8>(at) != BACKSLASH || load<u8>(at, 1) != 0x75) return -1;
  let unit = 0;
  for (let index: usize = 2; index < 6; index++) {
    const c = load<u8>(at + index);
    const lower = c | 0x20;
    if (isDigit(c)) unit = unit * 16 + (c - 0x30);
    else if (lower >= 0x61 && lower <= 0x66) unit = unit * 16 + (lower - 0x61 + 10);
    else return -1;
  }
  return unit;
}

/** Decodes a valid JSON string to UTF-8. The text is never longer than the JSON. */
export function decodeString(value: Value): Uint8Array {
  const bytes = new Uint8Array(<i32>(value.end - value.at));
  const start = bytes.dataStart;
  let to = start;
  const end = value.end - 1;
  for (let at = value.at + 1; at < end; ) {
    const c = load<u8>(at);
    if (c != BACKSLASH) {
      store<u8>(to++, c);
      at++;
      continue;
    }
    const length = escapeLength(at, end);
    if (length == 2) store<u8>(to++, unescape(load<u8>(at, 1)));
    else to = putUtf8(length == 6 ? codeUnitAt(at, end) : joinSurrogates(codeUnitAt(at, end), codeUnitAt(at + 6, end)), to);
    at += length;
  }
  return bytes.subarray(0, <i32>(to - start));
}

function unescape(c: u8): u8 {
  switch (c) {
    case 0x62: return 0x08;
    case 0x66: return 0x0c;
    case 0x6e: return 0x0a;
    case 0x72: return 0x0d;
    case 0x74: return 0x09;
    default: return c;
  }
}

function joinSurrogates(high: i32, low: i32): i32 {
  return 0x10000 + ((high & 0x3ff) << 10) + (low & 0x3ff);
}

/** Writes a character as UTF-8 and returns the position after it. */
function putUtf8(c: i32, to: usize): usize {
  if (c < 0x80) {
    store<u8>(to, <u8>c);
    return to + 1;
  }
  const more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  const lead = more == 1 ? 0xc0 : more == 2 ? 0xe0 : 0xf0;
  store<u8>(to++, <u8>(lead | (c >> (6 * more))));
  for (let left = more - 1; left >= 0; left--) store<u8>(to++, <u8>(0x80 | ((c >> (6 * left)) & 0x3f)));
  return to;
}
