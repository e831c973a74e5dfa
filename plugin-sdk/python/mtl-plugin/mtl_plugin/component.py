"""The export of the world `mtl:plugin/plugin`. There only while a component is made, and in it."""

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.worker import Failure_BadItem, Failure_Refused

from .failure import BadItem
from .guest import Guest, told


def exported(definition):
    """The class that answers the host for a worker.

    An exception is its item's fault; what is no `Exception`, such as `SystemExit`, ends the instance.
    """

    # An object of the class is made for each call: the worker is kept here.
    guest = Guest(definition)

    class Worker(exports.Worker):
        def init(self, args: bytes) -> None:
            try:
                guest.init(args)
            except Exception as error:
                raise Err(told(error)) from None

        def call(self, item: bytes) -> bytes | None:
            try:
                return guest.call(item)
            except BadItem as error:
                raise Err(Failure_BadItem(told(error))) from None
            except Exception as error:
                raise Err(Failure_Refused(told(error))) from None

        def finish(self) -> bytes | None:
            try:
                return guest.finish()
            except Exception as error:
                raise Err(told(error)) from None

    return Worker
