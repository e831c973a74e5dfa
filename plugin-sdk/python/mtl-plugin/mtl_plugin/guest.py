"""A worker as the host sees it: bytes in, bytes out."""

import json
import os
import traceback
import types
import typing

from . import context
from .context import Format, Passing
from .failure import BadItem, Refused
from .parameters import Parameters, names

_SDK = os.path.dirname(__file__)


class Definition:
    """The properties of a worker's class."""

    def __init__(self, worker_class):
        if not callable(getattr(worker_class, "__call__", None)) or "__call__" not in dir(worker_class):
            raise TypeError(f"`{worker_class.__name__}` has no `__call__`")
        self.worker_class = worker_class
        self.call = Parameters(worker_class.__call__)
        # The signature of `object.__init__` has parameters, although it takes none.
        has_init = worker_class.__init__ is not object.__init__
        self.init = Parameters(worker_class.__init__ if has_init else lambda self: None)
        returned = typing.get_type_hints(worker_class.__call__).get("return")
        self.results = Format.TEXT if _is_text(returned) else Format.JSON


def _is_text(hint):
    """Returns whether results of this type are text. Results without a type are text."""
    is_union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    alternatives = typing.get_args(hint) if is_union else [hint]
    return all(each in (str, bytes, bytearray, type(None), None, typing.Any) for each in alternatives)


class Guest:
    """A worker as the host sees it: bytes in, bytes out."""

    def __init__(self, definition: Definition):
        self.definition = definition
        self.worker = None

    def init(self, args: bytes) -> None:
        """Starts the worker. An exception ends the run."""
        definition = self.definition
        self.passing = context.argument_passing()
        self.format = context.item_format()
        parameters = definition.call.each
        if self.passing is Passing.SINGLE and len(parameters) > 1:
            raise Refused(
                f"`__call__` has {len(parameters)} parameters, {names(parameters)}: use `--args args` if an item "
                "is a JSON array of them, or `--args kwargs` if it is a JSON object"
            )
        if definition.results is Format.JSON:
            context.result_format(Format.JSON)
        by_position, by_keyword = self._arguments(args)
        self.worker = definition.worker_class(*by_position, **by_keyword)

    def _arguments(self, args):
        parameters = self.definition.init
        if not parameters.each:
            if args:
                raise Refused("this worker takes no arguments")
            return [], {}
        first = parameters.each[0]
        if len(parameters.each) > 1:
            passing = Passing.ARGS if args.lstrip().startswith(b"[") else Passing.KWARGS
            return parameters.fill(args or b"{}", Format.JSON, passing)
        if not args and (first.optional or not (first.takes_text or first.takes_any)):
            value = first.missing()
        else:
            value = first.from_item(args, Format.TEXT)
        return ([], {first.name: value}) if first.by_keyword else ([value], {})

    def call(self, item: bytes) -> bytes | None:
        """Works on one item."""
        by_position, by_keyword = self.definition.call.fill(item, self.format, self.passing)
        return encode_result(self.worker(*by_position, **by_keyword), context.results())

    def finish(self) -> bytes | None:
        """Returns the worker's finish report, if it has one."""
        finish = getattr(self.worker, "finish", None)
        return encode_result(finish(), Format.TEXT) if finish else None


def encode_result(result, format):
    """Returns the bytes of a result, or None for no record.

    Bytes are written unchanged, and so is text if results are text. Everything else is written as JSON.
    """
    match result:
        case None:
            return None
        case bytes():
            return result
        case bytearray() | memoryview():
            return bytes(result)
        case str() if format is Format.TEXT:
            return result.encode()
    return json.dumps(result, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def failure_message(error: Exception) -> str:
    """Returns the message of a failure in valid UTF-8. Half of a surrogate pair would end the instance."""
    return _error_text(error).encode(errors="replace").decode()


def _error_text(error: Exception) -> str:
    """Returns the text of `BadItem` and `Refused`; for other exceptions, the type, the text and the line."""
    if isinstance(error, (BadItem, Refused)):
        return str(error)
    text = "".join(traceback.format_exception_only(error)).strip()
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(_SDK)]
    return f"{text} ({os.path.basename(frames[-1].filename)}, line {frames[-1].lineno})" if frames else text
