"""The run, as a worker sees it: its number, the formats, and log messages.

In a plugin these functions call the host. In native tests a stand-in answers (default: one worker, text items);
`mtl_plugin.testing` sets its answers.
"""

from enum import IntEnum

try:
    from wit_world.imports import context as _imports
except ImportError:
    _imports = None


class Passing(IntEnum):
    """The way in which an item fills the parameters of `__call__` (`--args`)."""

    SINGLE = 0
    ARGS = 1
    KWARGS = 2


class Format(IntEnum):
    """The format of an item or a result."""

    TEXT = 0
    JSON = 1


class Level(IntEnum):
    """The level of a log message."""

    TRACE = 0
    DEBUG = 1
    INFO = 2
    WARN = 3
    ERROR = 4


class StandIn:
    """A stand-in for the host, which records the worker's messages."""

    def __init__(self, worker_index=0, worker_count=1, passing=Passing.SINGLE, item_format=Format.TEXT):
        self.index = worker_index
        self.count = worker_count
        self.passing = Passing(passing)
        self.items = Format(item_format)
        self.results = Format.TEXT
        self.logged = []


class _Run:
    """Properties of the run that are the same for all items."""

    stand_in = StandIn()
    results = Format.TEXT


def worker_index() -> int:
    """Returns the number of this worker: from 0 to `worker_count()` - 1."""
    return _imports.worker_index() if _imports else _Run.stand_in.index


def worker_count() -> int:
    """Returns the number of workers in the pool."""
    return _imports.worker_count() if _imports else _Run.stand_in.count


def argument_passing() -> Passing:
    """Returns the way in which the run passes arguments."""
    return Passing(_imports.argument_passing().value) if _imports else _Run.stand_in.passing


def item_format() -> Format:
    """Returns the format of the run's items."""
    return Format(_imports.item_format().value) if _imports else _Run.stand_in.items


def result_format(format: Format) -> None:
    """Declares the format of all results. Call it in `__init__`. `Format.JSON` writes results as JSON."""
    _Run.results = Format(format)
    if _imports:
        _imports.result_format(_imports.Format(int(format)))
    else:
        _Run.stand_in.results = Format(format)


def log(level: Level, message: str) -> None:
    """Shows a message, with the worker's name, among the messages of the run."""
    if _imports:
        _imports.log(_imports.Level(int(level)), message.encode(errors="replace").decode())
    else:
        _Run.stand_in.logged.append((Level(level), message))


def results() -> Format:
    """Returns the format that `result_format` declared."""
    return _Run.results


def stand_in(context: StandIn) -> StandIn:
    """Sets the stand-in that answers from now on. For tests."""
    _Run.stand_in = context
    _Run.results = Format.TEXT
    return context
