"""Reads JSON values by type hints.

A value that does not fit raises `Mismatch` with the type found and the type expected. Readers never change a value:
numbers do not wrap, and strings are not read as numbers.
"""

import dataclasses
import json
import types
import typing
from typing import Annotated, Any, Literal, Union


class Mismatch(ValueError):
    """The error of a value that does not fit its type."""


@dataclasses.dataclass(frozen=True)
class Range:
    """The range of an integer type, as in `Annotated[int, Range("u8", 0, 255)]`."""

    name: str
    least: int
    most: int


def _integer(name, least, most):
    return Annotated[int, Range(name, least, most)]


i8, i16, i32, i64, i128 = (_integer(f"i{bits}", -(1 << bits - 1), (1 << bits - 1) - 1) for bits in (8, 16, 32, 64, 128))
u8, u16, u32, u64, u128 = (_integer(f"u{bits}", 0, (1 << bits) - 1) for bits in (8, 16, 32, 64, 128))


def parse(text, pairs=None):
    """Parses a JSON text. Calls `pairs`, if given, with the members of each object, the outermost last."""

    def members(found):
        pairs(found)
        return dict(found)

    hook = members if pairs else None
    return json.loads(text, parse_float=_finite, parse_constant=_no_constant, object_pairs_hook=hook)


def _finite(text):
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise Mismatch("number out of range")
    return number


def _no_constant(name):
    raise Mismatch(f"`{name}` is not JSON")


def describe(value):
    """Describes a value for a message."""
    match value:
        case None:
            return "null"
        case bool():
            return f"boolean `{str(value).lower()}`"
        case int():
            return f"integer `{value}`"
        case float():
            return f"floating point `{value}`"
        case str():
            return f"string {json.dumps(value, ensure_ascii=False)}"
        case list():
            return "sequence"
        case _:
            return "map"


def type_mismatch(value, expected):
    """Returns the error of a value of another type."""
    return Mismatch(f"invalid type: {describe(value)}, expected {expected}")


def reader(hint):
    """Returns the function that reads a JSON value as the type `hint`.

    Raises TypeError if no JSON value can have this type.
    """
    if hint in _PLAIN:
        return _PLAIN[hint]
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        ranges = [extra for extra in inner[1:] if isinstance(extra, Range)]
        return _in_range(ranges[0]) if ranges and inner[0] is int else reader(inner[0])
    if origin in (Union, types.UnionType):
        return _one_of([reader(each) for each in inner])
    if origin is Literal:
        return _literal(inner)
    if origin is list:
        return _list_of(reader(inner[0]))
    if origin is tuple and Ellipsis not in inner:
        return _tuple_of([reader(each) for each in inner])
    if origin is dict and inner[0] is str:
        return _dict_of(reader(inner[1]))
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _dataclass(hint)
    raise TypeError(f"no JSON value can be read as `{hint}`")


def _any(value):
    return value


def _null(value):
    if value is not None:
        raise type_mismatch(value, "null")
    return value


def _text(value):
    if not isinstance(value, str):
        raise type_mismatch(value, "a string")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Mismatch("half of a surrogate pair in a string") from None
    return value


def _bytes(value):
    return _text(value).encode()


def _bool(value):
    if not isinstance(value, bool):
        raise type_mismatch(value, "a boolean")
    return value


def _int(value):
    if not isinstance(value, int) or isinstance(value, bool):
        raise type_mismatch(value, "int")
    return value


def _float(value):
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise type_mismatch(value, "float")
    try:
        return float(value)
    except OverflowError:
        raise Mismatch("number out of range") from None


def _list(value):
    if not isinstance(value, list):
        raise type_mismatch(value, "an array")
    return value


def _dict(value):
    if not isinstance(value, dict):
        raise type_mismatch(value, "an object")
    return value


_PLAIN = {
    Any: _any,
    object: _any,
    None: _null,
    type(None): _null,
    str: _text,
    bytes: _bytes,
    bool: _bool,
    int: _int,
    float: _float,
    list: _list,
    dict: _dict,
    tuple: lambda value: tuple(_list(value)),
}


def _in_range(numbers):
    def read(value):
        if not isinstance(value, int) or isinstance(value, bool):
            raise type_mismatch(value, numbers.name)
        if not numbers.least <= value <= numbers.most:
            raise Mismatch(f"invalid value: integer `{value}`, expected {numbers.name}")
        return value

    return read


def _one_of(readers):
    def read(value):
        first_error = None
        for each in readers:
            try:
                return each(value)
            except Mismatch as error:
                # For `X | None`, the error of `X` is more useful.
                first_error = first_error or error
        raise first_error

    return read


def _literal(values):
    def read(value):
        for each in values:
            if type(each) is type(value) and each == value:
                return value
        raise type_mismatch(value, "one of " + ", ".join(f"`{each}`" for each in values))

    return read


def _list_of(element):
    return lambda value: [element(each) for each in _list(value)]


def _tuple_of(elements):
    def read(value):
        if not isinstance(value, list) or len(value) != len(elements):
            raise type_mismatch(value, f"an array of {len(elements)} elements")
        return tuple(element(each) for element, each in zip(elements, value))

    return read


def _dict_of(element):
    return lambda value: {key: element(each) for key, each in _dict(value).items()}


def _dataclass(cls):
    hints = typing.get_type_hints(cls, include_extras=True)
    fields = {field.name: reader(hints[field.name]) for field in dataclasses.fields(cls) if field.init}
    required = [
        field.name
        for field in dataclasses.fields(cls)
        if field.init and field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]

    def read(value):
        for key in _dict(value):
            if key not in fields:
                raise Mismatch(f"unknown field `{key}`")
        for name in required:
            if name not in value:
                raise Mismatch(f"missing field `{name}`")
        return cls(**{key: fields[key](each) for key, each in value.items()})

    return read
