"""Why an item has no result."""


class BadItem(Exception):
    """The item itself is at fault: it cannot be read as what it should be. The fault `bad-item`."""


class Refused(Exception):
    """The item is fine, and yet has no result. The fault `refused`, with this text and nothing else."""
