"""Fills the parameters of `__call__` from an item, and those of `__init__` from `--init`.

The rules are in "Argument passing" in the host's docs/plugin-interface.md.
"""

import inspect
import types
import typing
from typing import Any, Union

from . import values
from .context import Format, Passing
from .failure import BadItem


def names(parameters):
    """Returns the names for a sentence: `a`, `b` and `c`, in backticks."""
    quoted = [f"`{parameter.name}`" for parameter in parameters]
    return " and ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]])) if quoted else "none"


class NotUtf8(BadItem):
    """The whole item is invalid, not one parameter."""


def text(item: bytes) -> str:
    """Returns the item as text."""
    try:
        return item.decode()
    except UnicodeDecodeError as error:
        raise NotUtf8(f"not UTF-8 from byte {error.start} on") from None


class Parameter:
    """A parameter of a method: its name and its reader."""

    def __init__(self, parameter: inspect.Parameter, hint):
        if parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
            raise TypeError(f"`{parameter}` cannot be filled: give each parameter a name")
        self.name = parameter.name
        self.by_keyword = parameter.kind is inspect.Parameter.KEYWORD_ONLY
        self.default = None if parameter.default is inspect.Parameter.empty else parameter.default
        kinds = _alternatives(hint)
        self.optional = parameter.default is not inspect.Parameter.empty or type(None) in kinds
        kinds = [kind for kind in kinds if kind is not type(None)]
        # A parameter without a type hint takes text from text items, and any value from JSON.
        self.takes_any = kinds in ([Any], [object])
        self.takes_text = kinds in ([str], [bytes])
        self.takes_bytes = kinds == [bytes]
        try:
            self.read = values.reader(Union[tuple(kinds)])
        except TypeError as error:
            raise TypeError(f"parameter `{self.name}`: {error}") from None

    def from_item(self, item: bytes, format: Format):
        """Reads the parameter from the whole item."""
        if self.takes_text or (self.takes_any and format is Format.TEXT):
            return self._from_text_item(item, format)
        return self.from_value(_parse_json(item))

    def _from_text_item(self, item, format):
        if format is Format.JSON:
            value = item.strip(b" \t\r\n")
            if self.optional and value == b"null":
                return self.default
            if value.startswith(b'"'):
                try:
                    return self.read(values.parse(text(item)))
                except values.Mismatch as error:
                    raise BadItem(str(error)) from None
                except ValueError as error:
                    raise BadItem(f"not a JSON string: {error}") from None
        return item if self.takes_bytes else text(item)

    def from_value(self, value):
        """Reads the parameter from a value inside the item."""
        if value is None and self.optional:
            return self.default
        try:
            return self.read(value)
        except values.Mismatch as error:
            raise BadItem(str(error)) from None

    def missing(self):
        """Returns the value if the item has none."""
        if not self.optional:
            raise BadItem(f"parameter `{self.name}` is missing")
        return self.default


def _alternatives(hint):
    """Returns the types that a hint allows."""
    if typing.get_origin(hint) in (Union, types.UnionType):
        return list(typing.get_args(hint))
    return [hint]


def _parse_json(item):
    try:
        return values.parse(text(item))
    except values.Mismatch as error:
        raise BadItem(str(error)) from None
    except (ValueError, RecursionError) as error:
        raise BadItem(f"not the expected JSON: {error}") from None


class Parameters:
    """The parameters of a method, in the order of its definition, without `self`."""

    def __init__(self, method):
        declared = list(inspect.signature(method).parameters.values())[1:]
        hints = typing.get_type_hints(method, include_extras=True)
        self.each = [Parameter(parameter, hints.get(parameter.name, Any)) for parameter in declared]

    def fill(self, item: bytes, format: Format, passing: Passing):
        """Returns the arguments for the method: those by position, and those by keyword."""
        match passing:
            case Passing.SINGLE:
                arguments = self._whole(item, format)
            case Passing.ARGS:
                arguments = self._elements(item)
            case _:
                arguments = self._members(item)
        by_position = [value for parameter, value in zip(self.each, arguments) if not parameter.by_keyword]
        by_keyword = {parameter.name: value for parameter, value in zip(self.each, arguments) if parameter.by_keyword}
        return by_position, by_keyword

    def _whole(self, item, format):
        return [_read(parameter, parameter.from_item, item, format) for parameter in self.each]

    def _elements(self, item):
        array = _parse(item, "array")
        if not isinstance(array, list):
            raise BadItem(str(values.type_mismatch(array, f"an array of the parameters {names(self.each)}")))
        if len(array) > len(self.each):
            raise BadItem(f"an array of {len(array)} elements, and the parameters are {names(self.each)}")
        return [
            _read(parameter, parameter.from_value, array[index]) if index < len(array) else parameter.missing()
            for index, parameter in enumerate(self.each)
        ]

    def _members(self, item):
        members = []

        def keep_last(found):
            members[:] = found

        item = _parse(item, "object", keep_last)
        if not isinstance(item, dict):
            raise BadItem(str(values.type_mismatch(item, f"an object with the parameters {names(self.each)}")))
        by_name = {}
        for key, value in members:
            name = self._parameter_name(key)
            if name in by_name:
                raise BadItem(f"parameter `{name}` is given twice")
            by_name[name] = value
        return [
            _read(parameter, parameter.from_value, by_name[parameter.name])
            if parameter.name in by_name
            else parameter.missing()
            for parameter in self.each
        ]

    def _parameter_name(self, key):
        name = key.replace("-", "_")
        if any(parameter.name == name for parameter in self.each):
            return name
        raise BadItem(f"unknown parameter `{values.describe(key)[8:-1]}`; the parameters are {names(self.each)}")


def _parse(item, shape, pairs=None):
    """Parses an item that must be a JSON array or object, which `shape` names."""
    try:
        return values.parse(text(item), pairs)
    except (ValueError, RecursionError, BadItem) as error:
        raise BadItem(f"not a JSON {shape}: {error}") from None


def _read(parameter, read, *arguments):
    """Calls `read`. A bad item then names the parameter."""
    try:
        return read(*arguments)
    except NotUtf8:
        raise
    except BadItem as error:
        raise BadItem(f"parameter `{parameter.name}`: {error}") from None
