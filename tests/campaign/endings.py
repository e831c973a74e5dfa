"""The model of endings: the required output, `--faults` and summary for each way in which a run can end.

At the end, each item that was read is in one of two states: done (with a record, without a record, or with a fault), or
never started (`not-run`). An output in input order is a *prefix*: it contains the outcomes of the first items, each in
the output's format, and nothing else. The third column is the end of this prefix.

| ending | exit code | output in input order ends | `--faults` | summary |
|---|---|---|---|---|
| complete | 0, or 1 with faults | after the last item | the faults | yes |
| interrupted: one SIGINT, SIGTERM, SIGHUP or SIGQUIT | 130 | before the first item that was never started | all items without a result in the output | yes |
| interrupted, `--join-timeout` over | 130 | before the first item that was never started, or at the first item that was cut off | all items without a result in the output; an item that was cut off is `timeout`, or `crashed` with its process | yes |
| interrupted twice, not by SIGHUP | 130 | anywhere; the last record may be incomplete | whole lines, then perhaps an incomplete line | no |
| host killed | killed | anywhere; the last record may be incomplete | whole lines, then perhaps an incomplete line | no |
| `--on-error immediate` | 1 | after the first fault | all items without a result in the output | yes |
| `--max-faults` | 1 | before the first item that was never started, and after the fault that exceeded the limit | all items without a result in the output | yes |
| output full | 4 | after the last whole record that fitted | all items without a result in the output, unless the file of faults is full | yes |
| output closed from the start | 4 | is empty | none | no |
| reader gone | 0; or 1 with faults, if the host was done before the reader left | anywhere | not checked | no |
| no worker left | 8, or 3 if nothing was done | before the first item that was never started | all items without a result in the output | yes |
| a child killed | as without the kill | as without the kill | at most one `crashed` for each kill | yes |

A run that ends before its first item is done does not change its files.

With `--unordered`, a run with a summary writes each finished item once, in any order. If the output is full or closed,
some finished items are missing from it. Each summary satisfies two equations:

- items + not run = read;
- items - not written = written outcomes (records, empty records of faults, and outcomes without a record).

Items that were never read appear nowhere.

The number of executions of an item equals the number of tries. A `not-run` item has no execution. A killed child adds
at most one execution for each kill.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from evidence import Evidence
from outcomes import Outcome
from plan import Plan


class Ending(Enum):
    """The way in which a run ended."""

    COMPLETE = "complete"
    INTERRUPTED = "interrupted"
    TWICE = "interrupted twice"
    HOST_KILLED = "host killed"
    FAULT_LIMIT = "fault limit"
    BROKEN_OUTPUT = "output full or closed"
    READER_GONE = "reader gone"
    NO_WORKER = "no worker left"
    NEVER_BEGAN = "never began"

    @property
    def has_summary(self) -> bool:
        """Returns whether the run ends with a summary."""
        return self in (
            Ending.COMPLETE, Ending.INTERRUPTED, Ending.FAULT_LIMIT, Ending.BROKEN_OUTPUT, Ending.NO_WORKER,
        )

    @property
    def is_early(self) -> bool:
        """Returns whether some items may be left without an outcome."""
        return self is not Ending.COMPLETE


INTERRUPTED = 130
ENDED_EARLY = 8
_DEATHS = {"SIGHUP": -1, "SIGINT": -2, "SIGQUIT": -3, "SIGTERM": -15}


@dataclass(frozen=True)
class MatchedEnding:
    """The ending of a run, or the reason why its exit code matches no ending."""

    ending: Ending | None
    reason: str = ""


def ending_of(plan: Plan, evidence: Evidence) -> MatchedEnding:
    """Returns the ending for the exit code, if this run could end in that way."""
    action = plan.stop.action if plan.stop else None
    code = evidence.code
    if action == "kill-host" and code == -9:
        return MatchedEnding(Ending.HOST_KILLED)
    if code == INTERRUPTED and evidence.signals:
        # The second signal may arrive while a finished run prints its summary.
        is_summarised = " items/s" in evidence.errors
        # A closed terminal sends SIGHUP twice, so two SIGHUPs count as one.
        is_twice = evidence.signals > 1 and not is_summarised and plan.stop is not None and plan.stop.signal != "SIGHUP"
        return MatchedEnding(Ending.TWICE if is_twice else Ending.INTERRUPTED)
    if plan.stop and evidence.signals and code == _DEATHS.get(plan.stop.signal):
        # Before the host handles signals, each signal has its default effect.
        if not evidence.output and not evidence.faults and not evidence.marks and not evidence.errors:
            return MatchedEnding(Ending.NEVER_BEGAN)
        return MatchedEnding(None, f"the first {plan.stop.signal} killed the host")
    if action == "closed" and code == 4 and not evidence.marks and evidence.faults is None:
        return MatchedEnding(Ending.NEVER_BEGAN)
    if code == 4:
        if action in ("full", "dev-full", "closed"):
            return MatchedEnding(Ending.BROKEN_OUTPUT)
        return MatchedEnding(None, "the output was not broken")
    if code in (0, 1) and action == "head":
        return MatchedEnding(Ending.READER_GONE)
    if code == 1 and fault_limit(plan) is not None and _names_fault_limit(evidence):
        return MatchedEnding(Ending.FAULT_LIMIT)
    if code in (0, 1):
        return MatchedEnding(Ending.COMPLETE)
    if plan.max_restarts is not None and code in (3, ENDED_EARLY) and "no worker is left" in evidence.errors:
        return MatchedEnding(Ending.NO_WORKER)
    return MatchedEnding(None, "no ending of this run has this exit code")


def _names_fault_limit(evidence: Evidence) -> bool:
    return "than the limit of" in evidence.errors or "error: an item failed" in evidence.errors


def fault_limit(plan: Plan) -> str | None:
    """Returns the limit on faults (a number or a share) as text, or `None` without a limit."""
    return "0" if plan.on_error == "immediate" else plan.max_faults


def is_too_many(limit: str, faults: int, done: int) -> bool:
    """Returns whether these faults end the run; a share is judged from 100 items on."""
    if limit.endswith("%"):
        return done >= 100 and faults * 100 > float(limit[:-1]) * done
    return faults > int(limit)


def end_by_faults(plan: Plan, outcomes: list[Outcome]) -> int | None:
    """Returns the number of outcomes, in input order, after which faults end the run, or `None` if they do not."""
    limit = fault_limit(plan)
    if limit is None:
        return None
    faults = 0
    for done, outcome in enumerate(outcomes, 1):
        faults += outcome.is_fault
        if is_too_many(limit, faults, done):
            return done
    return None
