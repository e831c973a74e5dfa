/** Raises numbers to powers: a call with several parameters. */

import { BadItem, Refused, plugin } from './mtl-plugin/index.js';

const MOST = 1n << 63n;

export class Power {
  static parameters = { base: 'i64', exponent: 'u32', modulus: 'i64?' };
  static results = 'json';

  call(base, exponent, modulus) {
    const result = power(base, exponent);
    if (modulus === undefined) return result;
    if (modulus === 0n) throw new BadItem('nothing can be divided by this `modulus`');
    const left = result % modulus;
    return left < 0n ? left + (modulus < 0n ? -modulus : modulus) : left;
  }
}

function power(base, exponent) {
  let result = 1n;
  for (let done = 0; done < exponent; done += 1) {
    result *= base;
    if (result >= MOST || result < -MOST) throw new Refused('the power has more than 64 bits');
    // All further powers have the same value, or only another sign.
    if (result === 0n || (result === 1n && base === 1n)) break;
    if (base === -1n) return exponent % 2 === 0 ? 1n : -1n;
  }
  return result;
}

export const worker = plugin(Power);
