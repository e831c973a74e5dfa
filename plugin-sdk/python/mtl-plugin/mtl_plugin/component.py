"""The export of the world `mtl:plugin/plugin`. This module can be imported only in a component, or during its build."""

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.worker import Failure_BadItem, Failure_Refused

from .failure import BadItem
from .guest import Guest, failure_message


def worker_export(definition):
    """Returns the class that answers the host for a worker.

    An exception becomes the item's fault. A raised object that is not an `Exception`, such as `SystemExit`, ends the
    instance.
    """

    # componentize-py creates an object of the class for each call, so the worker is stored here.
    guest = Guest(definition)

    class Worker(exports.Worker):
        def init(self, args: bytes) -> None:
            try:
                guest.init(args)
            except Exception as error:
                raise Err(failure_message(error)) from None

        def call(self, item: bytes) -> bytes | None:
            try:
                return guest.call(item)
            except BadItem as error:
                raise Err(Failure_BadItem(failure_message(error))) from None
            except Exception as error:
                raise Err(Failure_Refused(failure_message(error))) from None

        def finish(self) -> bytes | None:
            try:
                return guest.finish()
            except Exception as error:
                raise Err(failure_message(error)) from None

    return Worker
