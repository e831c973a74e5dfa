"""Exports a class as the worker of its plugin."""

import sys

from .guest import Definition

try:
    from . import component
except ImportError:
    component = None  # Natively, as in tests, there is no host to export to.


def worker(made):
    """Makes the class the worker of this plugin. Stands before the class, and leaves it as it is."""
    if made.__name__ == "Worker":
        raise TypeError("the worker's class needs another name: `Worker` is what the host looks for")
    definition = Definition(made)
    if component:
        # The component's exports are looked for in the module that it is made of.
        sys.modules[made.__module__].Worker = component.exported(definition)
    return made
