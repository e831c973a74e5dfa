"""The oracle of single items: computes the expected outcome of an item from its bytes and the flags.

The oracle follows the plugin (`misbehave.wat`) and the documentation, and shares no code with the host.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from plan import Plan

RECORD = "record"
FILTERED = "filtered"

_KINDS = {
    "t": "trap", "d": "trap", "x": "trap", "r": "trap", "m": "out-of-memory",
    "p": "bad-result", "l": "bad-result", "e": "bad-result", "!": "refused", "?": "bad-item",
}
_ENDS_RECORD = {"lines": b"\n", "nul": b"\0"}


@dataclass(frozen=True)
class Outcome:
    """A possible outcome of an item."""

    kind: str
    """`record`, `filtered`, or a kind of fault."""
    data: bytes | None = None
    """The record, or the message of a fault if the oracle knows it."""

    @property
    def is_fault(self) -> bool:
        return self.kind not in (RECORD, FILTERED)


@dataclass(frozen=True)
class Expectation:
    """The expected outcome of a finished item."""

    outcome: Outcome
    min_executions: int
    """The smallest number of executions, if nothing ends the run early."""
    max_executions: int
    """The largest number of executions."""
    alternative: Outcome | None = None
    """Another correct outcome, for a run in which something reduced the tries or added executions."""


def expectations(plan: Plan) -> list[Expectation]:
    """Returns the expected outcome of each item."""
    return [expectation(plan, data) for data in plan.items]


def number_of(data: bytes) -> int | None:
    """Returns the number by which the plugin marks executions of an item, if the item has one."""
    body = data[1:] if data[:1] == b'"' else data
    digits = body[1:7]
    return int(digits) if len(digits) == 6 and all(48 <= digit <= 57 for digit in digits) else None


def shown(plan: Plan, data: bytes) -> bytes:
    """Returns the part of an item that results and faults show: the beginning of an oversized item."""
    return data if plan.max_item is None else data[: plan.max_item]


def never_ends(data: bytes) -> bool:
    """Returns whether the plugin hangs on this item."""
    return letter_of(data) == "s"


def letter_of(data: bytes) -> str:
    """Returns the character that selects the plugin's behaviour, or an empty string."""
    body = data[1:] if data[:1] == b'"' else data
    return chr(body[0]) if body else ""


def expectation(plan: Plan, data: bytes) -> Expectation:
    """Returns the expected outcome of one item."""
    if plan.max_item is not None and len(data) > plan.max_item:
        return Expectation(Outcome("bad-item"), 0, 0)
    if plan.input_format == "jsonl" and not _is_json(data):
        return Expectation(Outcome("bad-item"), 0, 0)
    letter = letter_of(data)
    tries = plan.retries + 1
    if letter == "#":
        return Expectation(Outcome(FILTERED), 1, 1)
    if letter == "s":
        kind = "out-of-fuel" if plan.fuel is not None else "timeout"
        executions = tries if kind in plan.retry_on else 1
        return Expectation(Outcome(kind), executions, executions)
    if letter == "f" and plan.counting and number_of(data) is not None:
        return _of_stubborn_item(plan, data)
    if letter in _KINDS and letter:
        kind = _KINDS[letter]
        executions = tries if kind in plan.retry_on else 1
        return Expectation(Outcome(kind, data if kind in ("refused", "bad-item") else None), executions, executions)
    return _of_record(plan, b"B" * 100_000 if letter == "b" else _upper(data))


def _of_stubborn_item(plan: Plan, data: bytes) -> Expectation:
    needed = number_of(data) % 10 + 1  # type: ignore[operator]
    tries = plan.retries + 1 if "trap" in plan.retry_on else 1
    success = _of_record(plan, _upper(data))
    if needed > tries:
        return Expectation(Outcome("trap"), tries, tries, success.outcome)
    return Expectation(success.outcome, needed, needed + success.max_executions - 1, Outcome("trap"))


def _of_record(plan: Plan, record: bytes) -> Expectation:
    """Returns the expected outcome of an item for which the plugin returns a record."""
    end = _ENDS_RECORD.get(plan.output_format)
    is_bad = plan.max_result is not None and len(record) > plan.max_result
    is_bad |= end is not None and not plan.multiline and end in record
    is_bad |= plan.json_results and not _is_json(record)
    if not is_bad:
        return Expectation(Outcome(RECORD, record), 1, 1)
    return Expectation(Outcome("bad-result"), 1, plan.retries + 1 if "bad-result" in plan.retry_on else 1)


def _upper(data: bytes) -> bytes:
    return data.upper()  # `bytes.upper` changes only ASCII letters.


def _is_json(data: bytes) -> bool:
    def refuse(_: str) -> None:
        raise ValueError

    try:
        json.loads(data.decode("utf-8"), parse_constant=refuse)
    except ValueError:
        return False
    return True
