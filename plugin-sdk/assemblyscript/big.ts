/** Unsigned integers of any size, with the operations that exact conversions need. */
export class Big {
  /** The limbs from the lowest on; the last is not 0. */
  private limbs: Array<u32> = [];

  static of(number: u64): Big {
    const big = new Big();
    for (; number; number >>= 32) big.limbs.push(<u32>number);
    return big;
  }

  static ofDigits(digits: string): Big {
    const big = new Big();
    for (let at = 0; at < digits.length; at++) big.multiply(10, digits.charCodeAt(at) - 0x30);
    return big;
  }

  times(other: Big): Big {
    const product = new Big();
    product.limbs = new Array<u32>(this.limbs.length + other.limbs.length).fill(0);
    for (let i = 0; i < this.limbs.length; i++) {
      let carry: u64 = 0;
      for (let j = 0; j < other.limbs.length; j++) {
        carry += <u64>this.limbs[i] * other.limbs[j] + product.limbs[i + j];
        product.limbs[i + j] = <u32>carry;
        carry >>= 32;
      }
      product.limbs[i + other.limbs.length] = <u32>carry;
    }
    return product.trim();
  }

  timesTenTo(exponent: i32): Big {
    const product = this.plus(new Big());
    for (; exponent >= 9; exponent -= 9) product.multiply(1000000000, 0);
    for (; exponent > 0; exponent--) product.multiply(10, 0);
    return product;
  }

  shifted(bits: i32): Big {
    const shifted = new Big();
    shifted.limbs = new Array<u32>(bits >> 5).fill(0).concat(this.limbs);
    return shifted.multiply(1 << (bits & 31), 0).trim();
  }

  plus(other: Big): Big {
    const sum = new Big();
    let carry: u64 = 0;
    for (let at = 0, length = max(this.limbs.length, other.limbs.length); at < length || carry; at++) {
      carry += <u64>this.limb(at) + other.limb(at);
      sum.limbs.push(<u32>carry);
      carry >>= 32;
    }
    return sum;
  }

  /** Subtracts a number that is not larger. */
  subtract(other: Big): void {
    let borrow: i64 = 0;
    for (let at = 0; at < this.limbs.length; at++) {
      borrow += <i64>this.limbs[at] - <i64>other.limb(at);
      this.limbs[at] = <u32>borrow;
      borrow >>= 32;
    }
    this.trim();
  }

  /** Returns -1 if this number is smaller, 0 if it is equal, 1 if it is larger. */
  compare(other: Big): i32 {
    if (this.limbs.length != other.limbs.length) return this.limbs.length < other.limbs.length ? -1 : 1;
    for (let at = this.limbs.length - 1; at >= 0; at--) {
      if (this.limbs[at] != other.limbs[at]) return this.limbs[at] < other.limbs[at] ? -1 : 1;
    }
    return 0;
  }

  private multiply(by: u32, carry: u64): Big {
    for (let at = 0; at < this.limbs.length; at++) {
      carry += <u64>this.limbs[at] * by;
      this.limbs[at] = <u32>carry;
      carry >>= 32;
    }
    if (carry) this.limbs.push(<u32>carry);
    return this;
  }

  private limb(at: i32): u32 {
    return at < this.limbs.length ? this.limbs[at] : 0;
  }

  private trim(): Big {
    while (this.limbs.length && this.limbs[this.limbs.length - 1] == 0) this.limbs.pop();
    return this;
  }
}
