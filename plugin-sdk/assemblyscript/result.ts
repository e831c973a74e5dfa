/** Results of a worker. */

import { formatNumber } from "./number";
import { quote } from "./text";

/** The flags of an answer, above a length of 30 bits. */
export const FAILED: u32 = 1 << 31;
export const NO_RECORD: u32 = 1 << 30;
export const MAX_LENGTH: i32 = (1 << 30) - 1;

/** The result of an item, or of a worker's `finish`. */
export class Result {
  private constructor(
    /** The owner of the bytes, which keeps them alive. */
    private owner: ArrayBuffer,
    readonly at: usize,
    readonly length: i32,
    readonly flags: u32,
  ) {}

  /** Returns a record of text, or of JSON as text. */
  static text(record: string): Result {
    return Result.utf8(record, 0);
  }

  /** Returns a record of bytes. */
  static bytes(record: Uint8Array): Result {
    return new Result(record.buffer, record.dataStart, record.byteLength, 0);
  }

  /** Returns a record of JSON: a string, a number or a bool. Call `resultFormat(Format.JSON)` when the worker starts. */
  static json<T>(value: T): Result {
    if (isString<T>()) return Result.text(quote(<string>value));
    if (isBoolean<T>()) return Result.text(value ? "true" : "false");
    if (isInteger<T>()) return Result.text(value.toString());
    if (isFloat<T>()) {
      const number = <f64>value;
      return isFinite(number)
        ? Result.text(formatNumber(number))
        : Result.refused(`the result is \`${number}\`, which JSON cannot represent`);
    }
    ERROR("`Result.json` takes a string, a number or a bool; give `Result.text` other JSON as text");
  }

  /** Returns no record: the item is filtered out. In `finish`, no report. */
  static none(): Result {
    return Result.utf8("", NO_RECORD);
  }

  /** Reports an invalid item. */
  static badItem(message: string): Result {
    return Result.utf8(message, FAILED | NO_RECORD);
  }

  /** Refuses a valid item. */
  static refused(message: string): Result {
    return Result.utf8(message, FAILED);
  }

  private static utf8(text: string, flags: u32): Result {
    const bytes = String.UTF8.encode(text, false, String.UTF8.ErrorMode.REPLACE);
    return new Result(bytes, changetype<usize>(bytes), bytes.byteLength, flags);
  }

  /** The encoding for the host: address, flags, length. */
  get word(): u64 {
    return (<u64>this.at << 32) | this.flags | this.length;
  }
}
