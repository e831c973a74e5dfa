"""Runs a worker natively in tests. It takes bytes and returns bytes, as in the host."""

from . import context
from .context import Format, Level, Passing
from .failure import BadItem, Refused
from .guest import Definition, Guest, failure_message


class Instance:
    """A running worker.

    >>> from mtl_plugin import worker
    >>> @worker
    ... class Shout:
    ...     def __call__(self, item: str) -> str:
    ...         return item.upper()
    >>> Instance(Shout).call("hello")
    b'HELLO'
    """

    def __init__(
        self,
        worker_class,
        init="",
        *,
        passing=Passing.SINGLE,
        item_format=Format.TEXT,
        worker_index=0,
        worker_count=1,
    ):
        """Starts the worker. Raises `Refused` with the message that would end the run."""
        self.run = context.stand_in(context.StandIn(worker_index, worker_count, passing, item_format))
        self.guest = Guest(Definition(worker_class))
        self._run(self.guest.init, _bytes(init))

    def call(self, item) -> bytes | None:
        """Returns the record of an item. Raises `BadItem` or `Refused`, whatever the worker raised."""
        return self._run(self.guest.call, _bytes(item))

    def finish(self) -> bytes | None:
        """Returns the worker's finish report."""
        return self._run(self.guest.finish)

    @property
    def logged(self) -> list[tuple[Level, str]]:
        """The worker's log messages."""
        return self.run.logged

    @property
    def result_format(self) -> Format:
        """The format that the worker declared for its results."""
        return self.run.results

    @staticmethod
    def _run(function, *arguments):
        try:
            return function(*arguments)
        except BadItem:
            raise
        except Exception as error:
            raise Refused(failure_message(error)) from error


def _bytes(value):
    return value.encode() if isinstance(value, str) else value
