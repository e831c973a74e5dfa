"""The reasons why an item has no result."""


class BadItem(Exception):
    """The item itself is invalid: the fault `bad-item`."""


class Refused(Exception):
    """The item is valid but has no result: the fault `refused`, with only this text as its message."""
