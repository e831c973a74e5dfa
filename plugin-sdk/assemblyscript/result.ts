/** What a worker answers. */

import { formatNumber } from "./number";
import { quote } from "./text";

/** The flags of an answer, over a length of 30 bits. */
export const FAILED: u32 = 1 << 31;
export const NO_RECORD: u32 = 1 << 30;
export const MAX_LENGTH: i32 = (1 << 30) - 1;

/** What becomes of an item, or of a worker at its end. */
export class Result {
  private constructor(
    /** Keeps the bytes alive. */
    private owner: ArrayBuffer,
    readonly at: usize,
    readonly length: i32,
    readonly flags: u32,
  ) {}

  /** A record of text, or of JSON as text. */
  static text(record: string): Result {
    return Result.utf8(record, 0);
  }

  /** A record of bytes. */
  static bytes(record: Uint8Array): Result {
    return new Result(record.buffer, record.dataStart, record.byteLength, 0);
  }

  /** A record of JSON: a string, a number or a bool. Say `resultFormat(Format.JSON)` when the worker starts. */
  static json<T>(value: T): Result {
    if (isString<T>()) return Result.text(quote(<string>value));
    if (isBoolean<T>()) return Result.text(value ? "true" : "false");
    if (isInteger<T>()) return Result.text(value.toString());
    if (isFloat<T>()) {
      const number = <f64>value;
      return isFinite(number)
        ? Result.text(formatNumber(number))
        : Result.refused(`the result is \`${number}\`, which JSON cannot say`);
    }
    ERROR("`Result.json` takes a string, a number or a bool; give `Result.text` other JSON as text");
  }

  /** No record: the item is filtered out. Of `finish`: no report. */
  static none(): Result {
    return Result.utf8("", NO_RECORD);
  }

  /** No record: the item cannot be read as what it should be. */
  static badItem(message: string): Result {
    return Result.utf8(message, FAILED | NO_RECORD);
  }

  /** No record: the item is what it should be, and yet has none. */
  static refused(message: string): Result {
    return Result.utf8(message, FAILED);
  }

  private static utf8(text: string, flags: u32): Result {
    const bytes = String.UTF8.encode(text, false, String.UTF8.ErrorMode.REPLACE);
    return new Result(bytes, changetype<usize>(bytes), bytes.byteLength, flags);
  }

  /** As the host reads it: address, flags, length. */
  get word(): u64 {
    return (<u64>this.at << 32) | this.flags | this.length;
  }
}
