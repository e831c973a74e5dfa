/**
 * Exact conversions of floating-point numbers; those of AssemblyScript's library are inexact in some cases. Reading
 * returns the number nearest to the text. Writing returns the shortest text that reads back as the number.
 */

import { Big } from "./big";

const NORMAL: u64 = 1 << 52;
const LARGEST: u64 = 0x7fefffffffffffff;

/** Reads a decimal number with optional sign, fraction and exponent. Returns NaN if the text is not a number. */
export function parseNumber(text: string): f64 {
  const decimal = Decimal.of(text);
  if (decimal == null) return NaN;
  return decimal.negative ? -decimal.nearest() : decimal.nearest();
}

/** Returns the shortest text that reads back as the number, without an exponent. */
export function formatNumber(number: f64): string {
  if (isNaN(number)) return "NaN";
  const sign = reinterpret<i64>(number) < 0 ? "-" : "";
  const size = abs(number);
  if (size == Infinity) return sign + "inf";
  return sign + (size == 0 ? "0" : shortestText(size));
}

/** A number as `digits` · 10^`exponent`. */
class Decimal {
  negative: bool = false;
  digits: string = "";
  exponent: i32 = 0;

  static of(text: string): Decimal | null {
    const decimal = new Decimal();
    let at = 0;
    const first = text.charCodeAt(0);
    if (first == 0x2b || first == 0x2d) {
      decimal.negative = first == 0x2d;
      at++;
    }
    const whole = digitsFrom(text, at);
    at += whole.length;
    let fraction = "";
    if (at < text.length && text.charCodeAt(at) == 0x2e) {
      fraction = digitsFrom(text, ++at);
      at += fraction.length;
    }
    if (whole.length + fraction.length == 0) return null;
    decimal.digits = whole + fraction;
    decimal.exponent = -fraction.length;
    return decimal.parseExponent(text, at) ? decimal.trim() : null;
  }

  private parseExponent(text: string, at: i32): bool {
    if (at == text.length) return true;
    if ((text.charCodeAt(at++) | 0x20) != 0x65) return false;
    const sign = at < text.length ? text.charCodeAt(at) : 0;
    if (sign == 0x2b || sign == 0x2d) at++;
    const digits = digitsFrom(text, at);
    if (!digits.length || at + digits.length < text.length) return false;
    let exponent = 0;
    // A larger exponent is out of range in any case.
    for (let index = 0; index < digits.length; index++) exponent = min(exponent * 10 + digit(digits, index), 99999999);
    this.exponent += sign == 0x2d ? -exponent : exponent;
    return true;
  }

  /** Removes leading and trailing zeros, and digits that cannot affect the result. */
  private trim(): Decimal {
    let from = 0;
    let to = this.digits.length;
    while (from < to && digit(this.digits, from) == 0) from++;
    while (to > from && digit(this.digits, to - 1) == 0) to--;
    this.exponent += this.digits.length - to;
    this.digits = this.digits.substring(from, to);
    // The midpoint of two numbers has fewer digits. A final 1 is enough to show that more digits follow.
    const maxDigits = 800;
    if (this.digits.length > maxDigits) {
      this.exponent += this.digits.length - maxDigits - 1;
      this.digits = this.digits.substring(0, maxDigits) + "1";
    }
    return this;
  }

  nearest(): f64 {
    const length = this.digits.length;
    if (!length || length + this.exponent < -330) return 0;
    if (length + this.exponent > 310) return Infinity;
    if (length <= 15 && abs(this.exponent) <= 22) {
      // Both operands are exact, so the result is rounded only once.
      const digits = <f64>U64.parseInt(this.digits);
      return this.exponent < 0 ? digits / powerOfTen(-this.exponent) : digits * powerOfTen(this.exponent);
    }
    return this.correct(this.approximate());
  }

  /** Returns an approximation; each step of its calculation rounds. */
  private approximate(): f64 {
    const leading = this.digits.substring(0, 15);
    let number = <f64>U64.parseInt(leading);
    const exponent = this.exponent + this.digits.length - leading.length;
    // Powers up to 10^22 are exact.
    for (let left = abs(exponent); left > 0; left -= 22) {
      const step = powerOfTen(min(left, 22));
      number = exponent < 0 ? number / step : number * step;
    }
    return number;
  }

  /** Moves from an approximation to the nearest number. */
  private correct(guess: f64): f64 {
    const top = Big.ofDigits(this.digits).timesTenTo(max(this.exponent, 0));
    const bottom = Big.of(1).timesTenTo(max(-this.exponent, 0));
    let bits = min(reinterpret<u64>(guess), LARGEST);
    while (true) {
      const parts = new Parts(bits);
      const above = compare(top, bottom, 2 * parts.mantissa + 1, parts.exponent - 1);
      if (above > 0 || (above == 0 && parts.isOdd)) {
        if (bits++ == LARGEST) return Infinity;
        continue;
      }
      if (parts.mantissa == 0) break;
      const below = parts.isLowest
        ? compare(top, bottom, 4 * parts.mantissa - 1, parts.exponent - 2)
        : compare(top, bottom, 2 * parts.mantissa - 1, parts.exponent - 1);
      if (below < 0 || (below == 0 && parts.isOdd)) bits--;
      else break;
    }
    return reinterpret<f64>(bits);
  }
}

/** A number as `mantissa` · 2^`exponent`. */
class Parts {
  mantissa: u64;
  exponent: i32;
  /** Is true if the next smaller number is nearer than the next larger one. */
  isLowest: bool;

  constructor(bits: u64) {
    const exponent = <i32>(bits >> 52);
    const fraction = bits & (NORMAL - 1);
    this.mantissa = exponent ? fraction | NORMAL : fraction;
    this.exponent = max(exponent, 1) - 1075;
    this.isLowest = fraction == 0 && exponent > 1;
  }

  get isOdd(): bool {
    return <bool>(this.mantissa & 1);
  }
}

/** Compares `top` / `bottom` to `mantissa` · 2^`exponent`. */
function compare(top: Big, bottom: Big, mantissa: u64, exponent: i32): i32 {
  const other = bottom.times(Big.of(mantissa));
  return exponent < 0 ? top.shifted(-exponent).compare(other) : top.compare(other.shifted(exponent));
}

/** Returns the shortest digits by the algorithm of Steele and White, as `0.digits` · 10^`point`. */
function shortestText(number: f64): string {
  const parts = new Parts(reinterpret<u64>(number));
  // The values below are in units of half the distance to the next number.
  const extra = parts.isLowest ? 2 : 1;
  const up = max(parts.exponent, 0);
  let rest = Big.of(parts.mantissa).shifted(up + extra);
  let unit = Big.of(1).shifted(max(-parts.exponent, 0) + extra);
  let below = Big.of(1).shifted(up);
  let above = parts.isLowest ? below.shifted(1) : below;
  const inclusive = parts.isOdd ? 0 : 1;

  let point = <i32>Math.ceil(Math.log10(number) - 1e-10);
  unit = unit.timesTenTo(max(point, 0));
  rest = rest.timesTenTo(max(-point, 0));
  below = below.timesTenTo(max(-point, 0));
  above = above.timesTenTo(max(-point, 0));
  if (rest.plus(above).compare(unit) + inclusive > 0) {
    point++;
  } else {
    rest = rest.timesTenTo(1);
    below = below.timesTenTo(1);
    above = above.timesTenTo(1);
  }

  let digits = "";
  while (true) {
    let digit = 0;
    for (; rest.compare(unit) >= 0; digit++) rest.subtract(unit);
    const canStop = rest.compare(below) - inclusive < 0;
    const canRaise = rest.plus(above).compare(unit) + inclusive > 0;
    if (canStop || canRaise) {
      const raise = canRaise && (!canStop || rest.shifted(1).compare(unit) >= 0);
      return insertPoint(digits + (raise ? digit + 1 : digit).toString(), point);
    }
    digits += digit.toString();
    rest = rest.timesTenTo(1);
    below = below.timesTenTo(1);
    above = above.timesTenTo(1);
  }
}

function insertPoint(digits: string, point: i32): string {
  if (point <= 0) return "0." + "0".repeat(-point) + digits;
  if (point >= digits.length) return digits + "0".repeat(point - digits.length);
  return digits.substring(0, point) + "." + digits.substring(point);
}

function digitsFrom(text: string, from: i32): string {
  let to = from;
  while (to < text.length && <u32>digit(text, to) < 10) to++;
  return text.substring(from, to);
}

function digit(text: string, at: i32): i32 {
  return text.charCodeAt(at) - 0x30;
}

function powerOfTen(exponent: i32): f64 {
  let power = 1.0;
  for (; exponent > 0; exponent--) power *= 10;
  return power;
}
