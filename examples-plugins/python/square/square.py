"""Squares numbers. The lesson: an item that cannot be read is a *bad item*, one that is fine and yet has no result is
*refused*, and both say why.

Whole numbers are squared exactly, as far as 128 bits go; others as floating-point numbers.
"""

import math
import re

from mtl_plugin import BadItem, Refused, worker

WHOLE = re.compile(r"[+-]?[0-9]+")
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
# What Unicode calls white space, which is not all that `str.strip` takes for it.
SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"


@worker
class Square:
    def __call__(self, item: str) -> str:
        item = item.strip(SPACE)
        # Beyond 128 bits a whole number is a floating-point number like others.
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
    """The shortest digits that stand for the number, and as many zeros as it takes."""
    digits, _, exponent = repr(number).removesuffix(".0").partition("e")
    if not exponent:
        return digits
    whole, _, fraction = digits.partition(".")
    point = len(whole) + int(exponent)
    digits = whole + fraction
    if point <= 0:
        return f"0.{'0' * -point}{digits}"
    return digits.ljust(point, "0") if point >= len(digits) else f"{digits[:point]}.{digits[point:]}"
