/**
 * Squares numbers. The lesson: an item that cannot be read is a bad item, and a valid item without a result
 * is refused. Both have a message.
 *
 * Integers are squared exactly up to 128 bits, other numbers as floating-point numbers.
 */

import { Base, Result, Worker, failed, formatNumber, isWhiteSpace, parseNumber, start } from "../mtl-plugin";
export { after_restore, call, call_batch, finish, init, mtl_alloc } from "../mtl-plugin/exports";

class Square extends Worker {
  call(item: string): Result {
    const text = trim(item);
    const digits = magnitude(text);
    if (digits != null && !isLarger(digits, text.startsWith("-") ? SMALLEST : LARGEST)) {
      if (isLarger(digits, ROOT)) return Result.refused("the square has more than 128 bits");
      return Result.text(square(digits));
    }
    const number = parseNumber(text);
    if (!isFinite(number)) return Result.badItem(`not a number: \`${text}\``);
    return Result.text(formatNumber(number * number));
  }
}

/** The largest signed integer of 128 bits, and the largest integer whose square fits 128 bits. */
const LARGEST = "170141183460469231731687303715884105727";
const SMALLEST = "170141183460469231731687303715884105728";
const ROOT = "18446744073709551615";

function trim(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isWhiteSpace(text.charCodeAt(from))) from++;
  while (to > from && isWhiteSpace(text.charCodeAt(to - 1))) to--;
  return text.substring(from, to);
}

/** Returns the digits of an integer, without sign and leading zeros; null if the text is not an integer. */
function magnitude(text: string): string | null {
  let from = text.startsWith("-") || text.startsWith("+") ? 1 : 0;
  if (from == text.length) return null;
  for (let at = from; at < text.length; at++) {
    if (<u32>(text.charCodeAt(at) - 0x30) >= 10) return null;
  }
  while (from < text.length - 1 && text.charCodeAt(from) == 0x30) from++;
  return text.substring(from);
}

function isLarger(digits: string, than: string): bool {
  return digits.length == than.length ? digits > than : digits.length > than.length;
}

/** Squares a number by long multiplication. */
function square(digits: string): string {
  const length = digits.length;
  const columns = new Array<i32>(2 * length).fill(0);
  for (let i = 0; i < length; i++) {
    for (let j = 0; j < length; j++) {
      columns[i + j + 1] += (digits.charCodeAt(i) - 0x30) * (digits.charCodeAt(j) - 0x30);
    }
  }
  for (let at = 2 * length - 1; at > 0; at--) {
    columns[at - 1] += columns[at] / 10;
    columns[at] %= 10;
  }
  while (columns.length > 1 && columns[0] == 0) columns.shift();
  return columns.join("");
}

start((args: string): Base => (args.length ? failed("this worker takes no arguments") : new Square()));
