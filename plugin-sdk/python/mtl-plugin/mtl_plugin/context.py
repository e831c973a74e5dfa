"""What a worker may know of the run it is in, and what it may tell it.

In a plugin these are calls to the host. Natively, in tests, a stand-in answers: one worker, text items, unless
`mtl_plugin.testing` says otherwise.
"""

from enum import IntEnum

try:
    from wit_world.imports import context as _imports
except ImportError:
    _imports = None


class Passing(IntEnum):
    """How the parameters of `__call__` are filled from an item: `--args` of the run."""

    SINGLE = 0
    ARGS = 1
    KWARGS = 2


class Format(IntEnum):
    """What the bytes of an item or of a result are."""

    TEXT = 0
    JSON = 1


class Level(IntEnum):
    """How much a log message matters."""

    TRACE = 0
    DEBUG = 1
    INFO = 2
    WARN = 3
    ERROR = 4


class StandIn:
    """Answers in place of the host, and remembers what it was told."""

    def __init__(self, worker_index=0, worker_count=1, passing=Passing.SINGLE, item_format=Format.TEXT):
        self.index = worker_index
        self.count = worker_count
        self.passing = Passing(passing)
        self.items = Format(item_format)
        self.results = Format.TEXT
        self.logged = []


class _Run:
    """What is the same for all items, so that nobody is asked for it twice."""

    stand_in = StandIn()
    results = Format.TEXT


def worker_index() -> int:
    """The number of this worker: from 0 to `worker_count()` - 1."""
    return _imports.worker_index() if _imports else _Run.stand_in.index


def worker_count() -> int:
    """How many workers the pool has."""
    return _imports.worker_count() if _imports else _Run.stand_in.count


def argument_passing() -> Passing:
    """How the run was asked to pass arguments."""
    return Passing(_imports.argument_passing().value) if _imports else _Run.stand_in.passing


def item_format() -> Format:
    """What every item of the run is."""
    return Format(_imports.item_format().value) if _imports else _Run.stand_in.items


def result_format(format: Format) -> None:
    """Declares, in `__init__`, what every result is. `Format.JSON`: what `__call__` returns is written as JSON."""
    _Run.results = Format(format)
    if _imports:
        _imports.result_format(_imports.Format(int(format)))
    else:
        _Run.stand_in.results = Format(format)


def log(level: Level, message: str) -> None:
    """Shows a message, with the worker's name, where the run shows messages."""
    if _imports:
        _imports.log(_imports.Level(int(level)), message.encode(errors="replace").decode())
    else:
        _Run.stand_in.logged.append((Level(level), message))


def results() -> Format:
    """What `result_format` declared."""
    return _Run.results


def stand_in(context: StandIn) -> StandIn:
    """Has `context` answer from here on. For tests."""
    _Run.stand_in = context
    _Run.results = Format.TEXT
    return context
