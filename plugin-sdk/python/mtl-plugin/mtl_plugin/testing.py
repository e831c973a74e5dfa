"""Runs a worker natively, for its tests: bytes in, bytes out, as in the host."""

from . import context
from .context import Format, Level, Passing
from .failure import BadItem, Refused
from .guest import Definition, Guest, told


class Instance:
    """A worker that was started.

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
        made,
        init="",
        *,
        passing=Passing.SINGLE,
        item_format=Format.TEXT,
        worker_index=0,
        worker_count=1,
    ):
        """Raises `Refused` with what the run would end with."""
        self.run = context.stand_in(context.StandIn(worker_index, worker_count, passing, item_format))
        self.guest = Guest(Definition(made))
        self._told(self.guest.init, _bytes(init))

    def call(self, item) -> bytes | None:
        """The result of an item. Raises `BadItem` or `Refused`, whatever the worker raised."""
        return self._told(self.guest.call, _bytes(item))

    def finish(self) -> bytes | None:
        """The worker's closing report."""
        return self._told(self.guest.finish)

    @property
    def logged(self) -> list[tuple[Level, str]]:
        """What the worker has logged."""
        return self.run.logged

    @property
    def result_format(self) -> Format:
        """What the worker declared its results to be."""
        return self.run.results

    @staticmethod
    def _told(function, *given):
        try:
            return function(*given)
        except BadItem:
            raise
        except Exception as error:
            raise Refused(told(error)) from error


def _bytes(given):
    return given.encode() if isinstance(given, str) else given
