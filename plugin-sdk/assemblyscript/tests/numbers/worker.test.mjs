import assert from "node:assert/strict";
import { test } from "node:test";
import { built, run } from "./mtl-plugin/testing.mjs";

const plugin = built(import.meta.dirname);

/** Returns the bits of a number and its shortest text, according to JavaScript. */
function expected(text) {
  const number = Number(text);
  const bits = new BigUint64Array(Float64Array.of(number).buffer)[0];
  return `${bits.toString(16)} ${plain(number)}`;
}

/** Returns the number without an exponent. */
function plain(number) {
  if (!Number.isFinite(number)) return String(number).replace("Infinity", "inf");
  const sign = Object.is(number, -0) || number < 0 ? "-" : "";
  const [mantissa, exponent = "0"] = String(Math.abs(number)).split("e");
  const [whole, fraction = ""] = mantissa.split(".");
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  if (point >= digits.length) return sign + digits + "0".repeat(point - digits.length);
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** Compares two texts. If two are equally short and near, JavaScript takes the even one, Rust and this SDK the larger. */
function assertSame(actual, expected, item) {
  const [bits, text] = actual.split(" ");
  assert.equal(bits, expected.split(" ")[0], item);
  assert.equal(text.length, expected.length - bits.length - 1, item);
  assert.equal(Number(text), Number(item), item);
}

/** Returns a fixed series of numbers of all sizes. */
function* bits(count) {
  let state = 88172645463325252n;
  for (; count > 0; count--) {
    state ^= BigInt.asUintN(64, state << 13n);
    state ^= state >> 7n;
    state ^= BigInt.asUintN(64, state << 17n);
    yield state;
  }
}

test("numbers are those of JavaScript, to the last bit", () => {
  const worker = run(plugin);
  const edges = [
    "0", "-0", "0.0e5", "1", "10", "1e22", "1e23", "9007199254740993", "9007199254740993.0000000000000000001",
    "9007199254740992.5", "9007199254740995", "5e-324", "2.4703282292062327e-324", "2.4703282292062328e-324", "2.2250738585072014e-308",
    "2.2250738585072011e-308", "1.7976931348623157e308", "1.7976931348623158e308", "1.7976931348623159e308", "1e309",
    "1e-400", "1e99999999999", "-1e-99999999999", ".5", "5.", "+7", "0.1", "0.30000000000000004", "123456789.123456789",
    "8.41e21", "9.5e-323", "2e-323", "1" + "0".repeat(400) + "e-400", "0." + "0".repeat(400) + "1e400", "9".repeat(2000) + "e-1900",
    "9007199254740993." + "0".repeat(1000) + "1",
  ];
  for (const item of edges) assert.equal(worker.call(item), expected(item), item);
  for (const item of ["", ".", "e5", "1e", "1e+", "1x", "--1", "inf", "NaN", "0x10", " 1", "1_0"]) {
    assert.match(worker.call(item), / NaN$/, item);
  }
});

test("so are those of any bits that there can be", () => {
  const worker = run(plugin);
  for (const word of bits(300)) {
    const number = new Float64Array(BigUint64Array.of(word).buffer)[0];
    if (!Number.isFinite(number)) continue;
    const near = [String(number), number.toExponential(20), number.toPrecision(17), String(number * 2 ** -512)];
    for (const item of near) assertSame(worker.call(item), expected(item), item);
  }
  for (let power = -1074; power < 1024; power += 7) {
    const item = String(2 ** power);
    assertSame(worker.call(item), expected(item), item);
  }
});
