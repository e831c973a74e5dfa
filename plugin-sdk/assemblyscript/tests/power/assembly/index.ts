/** Raises numbers to powers: base to the exponent, modulo the modulus if the item has one. */

import { Arguments, Base, Format, Result, TypedWorker, resultFormat, start } from "../mtl-plugin";
export { after_restore, call, call_batch, finish, init, mtl_alloc } from "../mtl-plugin/exports";

class Power extends TypedWorker {
  constructor() {
    super(["base", "exponent", "modulus"]);
  }

  call(given: Arguments): Result {
    const base = given.read<i64>("base");
    const exponent = given.read<u32>("exponent");
    const reduced = given.has<i64>("modulus");
    const modulus = given.readOr<i64>("modulus", 0);
    if (given.failure) return given.failure!;

    const power = new Product();
    for (let left = exponent; left > 0; left--) {
      // All further powers have the same value, or alternate between two values.
      if (power.value == 0 || (base >= -1 && base <= 1 && exponent - left >= 2 && left % 2 == 0)) break;
      if (!power.times(base)) return Result.refused("the power has more than 64 bits");
    }
    if (!reduced) return Result.json<i64>(power.value);
    if (modulus == 0) return Result.badItem("nothing can be divided by this `modulus`");
    // This is the only remainder whose computation overflows 64 bits.
    if (modulus == -1) return Result.json<i64>(0);
    const rest = power.value % modulus;
    return Result.json<i64>(rest < 0 ? (modulus < 0 ? rest - modulus : rest + modulus) : rest);
  }
}

/** A product that does not wrap. */
class Product {
  value: i64 = 1;

  /** Returns false if the product overflows. */
  times(factor: i64): bool {
    const product = this.value * factor;
    if (this.value != 0 && (product / this.value != factor || (this.value == -1 && factor == i64.MIN_VALUE))) return false;
    this.value = product;
    return true;
  }
}

start((args: string): Base => {
  resultFormat(Format.JSON);
  return new Power();
});
