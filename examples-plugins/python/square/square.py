"""Squares numbers. The lesson: an item that cannot be read is a *bad item*, and a valid item without a result
is *refused*. Both have a message.

Integers are squared exactly up to 128 bits, other numbers as floating-point numbers.
"""

import math
import re

from mtl_plugin import BadItem, Refused, worker

WHOLE = re.compile(r"[+-]?[0-9]+")
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
# Unicode white space; `str.strip` removes more characters.
SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"


@worker
class Square:
    def __call__(self, item: str) -> str:
        item = item.strip(SPACE)
        # Integers beyond 128 bits are treated as floating-point numbers.
        if WHOLE.fullmatch(item) and len(item.lstrip("+-0")) < 40 and -(1 << 127) <= int(item) < 1 << 127:
            square = int(item) ** 2
            if square >= 1 << 128:
                raise Refused("the square has more than 128 bits")
            return str(square)
        number = float(item) if NUMBER.fullmatch(item) else math.inf
        if not math.isfinite(number):
            raise BadItem(f"not a number: `{item}`")
        return without_exponent(number * number)


def without_exponent(number: float) -> str:
    """Returns the shortest digits of the number, padded with zeros instead of an exponent."""
    digits, _, exponent = repr(number).removesuffix(".0").partition("e")
    if not exponent:
        return digits
    whole, _, fraction = digits.partition(".")
    point = len(whole) + int(exponent)
    digits = whole + fraction
    if point <= 0:
        return f"0.{'0' * -point}{digits}"
    return digits.ljust(point, "0") if point >= len(digits) else f"{digits[:point]}.{digits[point:]}"
