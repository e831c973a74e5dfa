"""Raises numbers to powers: a call with several parameters."""

from typing import Optional

from mtl_plugin import BadItem, Refused, i64, u32, worker


@worker
class Power:
    def __call__(self, base: i64, exponent: u32, modulus: Optional[i64]) -> int:
        if exponent > 63 and abs(base) > 1:
            raise Refused("the power has more than 64 bits")
        power = base ** (exponent if abs(base) > 1 else min(exponent, 1 if base >= 0 else exponent % 2 + 2))
        if not -(1 << 63) <= power < 1 << 63:
            raise Refused("the power has more than 64 bits")
        if modulus is None:
            return power
        if modulus == 0:
            raise BadItem("nothing can be divided by this `modulus`")
        return power % abs(modulus)
