"""The SDK for mtl-host plugins in Python. A worker starts once, keeps its state, and is called for each of its items.

    from mtl_plugin import worker

    @worker
    class Square:
        def __call__(self, number: int) -> int:
            return number * number
"""

from . import context
from .context import Format, Level, Passing, log
from .export import worker
from .failure import BadItem, Refused
from .values import Range, i8, i16, i32, i64, i128, u8, u16, u32, u64, u128

__all__ = [
    "BadItem",
    "Format",
    "Level",
    "Passing",
    "Range",
    "Refused",
    "context",
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "log",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "worker",
]
