"""Exports a class as the worker of its plugin."""

import sys

from .guest import Definition

try:
    from . import component
except ImportError:
    component = None  # Native tests have no host.


def worker(worker_class):
    """Makes a class the worker of this plugin. The decorator returns the class unchanged."""
    if worker_class.__name__ == "Worker":
        raise TypeError("the worker's class needs another name: the host uses the name `Worker`")
    definition = Definition(worker_class)
    if component:
        # componentize-py looks for the exports in the module of the worker.
        sys.modules[worker_class.__module__].Worker = component.worker_export(definition)
    return worker_class
