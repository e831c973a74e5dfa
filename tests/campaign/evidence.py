"""The evidence of a run: its exit code, its files, its standard error, and the marks of executions."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Evidence:
    """Everything that a run has left behind."""

    code: int
    """The exit code; minus the number of the signal that ended the host."""
    errors: str
    """Standard error."""
    output: bytes
    faults: bytes | None
    """The file of faults, if the run was to write one and the file exists."""
    marks: dict[int, int] = field(default_factory=dict)
    """The number of executions of each numbered item that was executed."""
    signals: int = 0
    """The number of signals that the host received while it was running."""
    kills: int = 0
    """The number of killed children."""
    hung: bool = False
    left_behind: bool = False
    """Whether processes outlived the run."""


@dataclass(frozen=True)
class Listed:
    """An entry of the file of faults."""

    index: int
    kind: str
    message: str
    item: bytes | None


@dataclass(frozen=True)
class Summary:
    """The numbers in the summary, which is the last line of a run."""

    items: int
    faults: int
    kinds: dict[str, int]
    filtered: int
    written: int | None
    """Present only if some outcomes are not written."""
    not_written: int
    not_run: int

    @property
    def read(self) -> int:
        """The number of items that were read."""
        return self.items + self.not_run


_SUMMARY = re.compile(
    r"^(\d+) items?, (\d+) faults?(?: \(([^)]*)\))?(?:, (\d+) filtered)?(?:, (\d+) written)?"
    r"(?:, (\d+) not written)?(?:, (\d+) not run)?, [0-9.]+ s, [0-9.]+ items/s$",
    re.MULTILINE,
)


def summary(errors: str) -> Summary | None:
    """Returns the last summary in standard error, if there is one."""
    found = list(_SUMMARY.finditer(errors))
    if not found:
        return None
    items, faults, kinds, filtered, written, not_written, not_run = found[-1].groups()
    counts = {}
    for part in kinds.split(", ") if kinds else []:
        kind, number = part.split(" ")
        counts[kind] = int(number)
    number_of = lambda text: int(text or 0)  # noqa: E731
    return Summary(
        int(items), int(faults), counts, number_of(filtered), None if written is None else int(written),
        number_of(not_written), number_of(not_run),
    )


def listed(faults: bytes) -> tuple[list[Listed], bytes]:
    """Splits the file of faults into entries, and returns them with the bytes after the last whole line."""
    lines = faults.split(b"\n")
    return [_entry(line) for line in lines[:-1]], lines[-1]


def _entry(line: bytes) -> Listed:
    entry = json.loads(line)
    item = entry.get("item")
    if isinstance(item, dict):
        item = base64.b64decode(item["base64"])
    elif isinstance(item, str):
        item = item.encode()
    return Listed(entry["index"], entry["kind"], entry["message"], item)


def marks_in(directory: Path) -> dict[int, int]:
    """Counts the marks of executions that plugins have left in a directory."""
    counts: dict[int, int] = {}
    if directory.is_dir():
        for mark in directory.iterdir():
            number = int(mark.name[:6])
            counts[number] = max(counts.get(number, 0), int(mark.name[6:]))
    return counts
