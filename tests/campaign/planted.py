"""Plants defects in the evidence of runs, and checks that the checker finds each defect.

One run is real. Some endings depend on timing. For these endings, `_honest` simulates a correct host, so that the test
does not depend on timing.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections import Counter
from collections.abc import Callable

from checker import NOT_RUN, NOT_WRITTEN, check
from evidence import Evidence
from execution import Host, discard, execute
from formats import records, render
from outcomes import FILTERED, expectations, number_of, shown
from plan import Plan, Stop

Defect = tuple[str, str, Callable[[Evidence], None]]
"""The description of a defect, the rules that may find it (a regular expression), and a function that plants it."""


def self_test(host: Host) -> list[str]:
    """Returns the errors of the checker. The list is empty if it finds each planted defect and no other."""
    errors: list[str] = []
    count = 0
    for name, plan, evidence, defects in _runs(host):
        errors += [f"{name}: an honest run breaks {violation}" for violation in check(plan, evidence)[:3]]
        for defect, rules, plant in defects:
            planted = dataclasses.replace(evidence, marks=dict(evidence.marks))
            plant(planted)
            found = {violation.rule for violation in check(plan, planted)}
            count += 1
            if planted == evidence:
                errors.append(f"{name}: {defect}: nothing was planted")
            elif not any(re.fullmatch(rules, rule) for rule in found):
                errors.append(f"{name}: {defect}: expected {rules}, found {sorted(found) or 'nothing'}")
    print(f"self-test: {count} planted defects")
    return errors


def _items(count: int) -> list[bytes]:
    letters = "aacat#a!ab?acca"
    return [f"{letters[number % len(letters)]}{number:06} some text".encode() for number in range(count)]


def _runs(host: Host) -> list[tuple[str, Plan, Evidence, list[Defect]]]:
    real = Plan(seed=1, items=_items(60), isolation="process", jobs=2)
    folder = host.scratch / "planted"
    evidence = execute(host, real, folder)
    discard(folder)
    runs = [("a real run", real, evidence, [*_of_any(real), *_of_complete()])]
    signal = Stop("signal")
    for output_format in ("lines", "nul", "frames", "jsonl"):
        plan = Plan(seed=1, items=_items(80), output_format=output_format, stop=signal)
        simulated = _honest(plan, 40, {40, 43, *range(50, 64)}, 64, 130)
        simulated.signals = 1
        runs.append((f"interrupted, {output_format}", plan, simulated, [*_of_any(plan), *_of_early(plan, 40)]))
    plan = Plan(seed=1, items=_items(80), ordered=False, stop=signal)
    simulated = _honest(plan, 64, {40, 43, *range(50, 64)}, 64, 130)
    simulated.signals = 1
    runs.append(("interrupted, unordered", plan, simulated, _of_any(plan)))
    plan = Plan(seed=1, items=_items(80), stop=Stop("full"), file_limit=3000)
    end = _honest(plan, 64, set(range(64, 70)), 70, 4)
    plan = dataclasses.replace(plan, file_limit=len(end.output) - 300)
    fit = next(count for count in range(64, 0, -1) if len(_output(plan, range(count))) <= len(end.output) - 300)
    full = dataclasses.replace(plan, file_limit=len(_output(plan, range(fit))) + 1)
    simulated = _honest(full, fit, set(range(64, 70)), 70, 4)
    # The file of faults would be full.
    simulated.faults, full = None, dataclasses.replace(full, faults=False)
    runs.append(("full", full, simulated, [
        ("too few not written", "adds-up", _in_summary(r"(\d+) not written", -1)),
        ("an incomplete record", "prefix", _output_is(lambda output: output + b"A0")),
        ("a missing record", "adds-up|full", _output_is(lambda output: output[: output[:-1].rfind(b"\n") + 1])),
        ("no error", "exit-code", _code(0)),
    ]))
    return runs


# ---------------------------------------------------------------- an honest host

def _output(plan: Plan, indices: object) -> bytes:
    expected = expectations(plan)
    return b"".join(render(plan, index, expected[index].outcome) for index in indices)  # type: ignore[attr-defined]


def _honest(plan: Plan, written: int, not_run: set[int], read: int, code: int) -> Evidence:
    """Returns the evidence of an honest host that has read `read` items and written the first `written` outcomes."""
    expected = expectations(plan)
    done = [index for index in range(read) if index not in not_run]
    lines, kinds = [], Counter[str]()
    filtered = sum(expected[index].outcome.kind == FILTERED for index in done)
    for index in range(read):
        outcome = expected[index].outcome
        kind = NOT_RUN if index in not_run else outcome.kind
        if index not in not_run and outcome.is_fault:
            kinds[kind] += 1
        elif index in not_run or index >= written:
            kind = NOT_RUN if index in not_run else NOT_WRITTEN
        else:
            continue
        message = (outcome.data or b"").decode() if kind == outcome.kind else "the run ended first"
        entry = {"index": index, "kind": kind, "message": message, "worker": 0}
        lines.append(json.dumps({**entry, "item": shown(plan, plan.items[index]).decode()}) + "\n")
    faults = f"{sum(kinds.values())} faults ({', '.join(f'{kind} {number}' for kind, number in kinds.items())})"
    unwritten = sum(index >= written for index in done)
    summary = f"{len(done)} items, {faults}, {filtered} filtered, {unwritten} not written, {len(not_run)} not run"
    marks = {number_of(plan.items[index]): 1 for index in done}
    return Evidence(
        code, f"interrupted: …\n{summary}, 0.10 s, 99 items/s\n", _output(plan, [i for i in done if i < written]),
        "".join(lines).encode(), marks,  # type: ignore[arg-type]
    )


# ---------------------------------------------------------------- defects

def _of_any(plan: Plan) -> list[Defect]:
    end = {"lines": b"\n", "nul": b"\0", "frames": b"\0\0\0\0", "jsonl": b'{"index":12,"ok":"LOST"}\n'}[plan.output_format]
    defects: list[Defect] = [
        ("a record is lost", "prefix|lost", _records(plan, lambda found: found[:7] + found[8:])),
        ("a record is repeated", "prefix|foreign", _records(plan, lambda found: [*found[:8], *found[7:]])),
        ("a record is damaged", "prefix|foreign", _output_is(lambda output: output.replace(b"C000013", b"C000O13"))),
        ("an additional empty record", "prefix|foreign", _records(plan, lambda found: [*found[:7], end, *found[7:]])),
        ("an entry is lost", "faults-complete|summary-.*", _lines(lambda lines: lines[:2] + lines[3:])),
        ("an entry is repeated", "faults-once", _lines(lambda lines: [*lines, lines[1]])),
        ("an entry has another kind", "faults-kind", _lines(lambda lines: [lines[0].replace(b'"trap"', b'"timeout"'), *lines[1:]])),
        ("an entry has another item", "faults-item", _lines(lambda lines: [lines[0].replace(b"t000004", b"t000019"), *lines[1:]])),
        ("an entry has another message", "faults-message", _lines(lambda lines: [l.replace(b'"!0', b'"?0', 1) for l in lines])),
        ("an incomplete entry", "faults-whole-lines", _lines(lambda lines: [*lines, b'{"index":'])),
        ("no file of faults", "faults", lambda evidence: setattr(evidence, "faults", None)),
        ("an item too many in the summary", "adds-up|summary-?.*|complete|executed-.*", _in_summary(r"^(\d+) items", 1)),
        ("a fault too few in the summary", "summary-faults", _in_summary(r"(\d+) fault", -1)),
        ("a filtered item too few in the summary", "summary-filtered", _in_summary(r"(\d+) filtered", -1)),
        ("no summary", "summary", lambda evidence: setattr(evidence, "errors", "")),
        ("another exit code", "exit-code", _code(3)),
        ("success", "exit-code|complete", _code(0)),
        ("an item was executed twice", "executed-too-often", lambda evidence: evidence.marks.update({13: 2})),
        ("an item was not executed", "executed-too-rarely", lambda evidence: evidence.marks.pop(13) and None),
        ("a hung run", "hang", lambda evidence: setattr(evidence, "hung", True)),
        ("orphans", "orphans", lambda evidence: setattr(evidence, "left_behind", True)),
    ]
    if not plan.ordered:
        # Without an order, the output does not show a missing record.
        defects = [defect for defect in defects if defect[0] != "an item too many in the summary"]
    else:
        defects.append(("two records are swapped", "prefix", _records(plan, lambda f: [*f[:7], f[8], f[7], *f[9:]])))
    return defects


def _of_complete() -> list[Defect]:
    return [
        ("the last record is lost", "prefix|ends", _output_is(lambda output: output[: output[:-1].rfind(b"\n") + 1])),
        ("an item counts as not run", "complete|summary", _errors(lambda text: text.replace(", 0", ", 1 not run, 0"))),
    ]


def _of_early(plan: Plan, first: int) -> list[Defect]:
    def execute_unstarted(evidence: Evidence) -> None:
        evidence.marks[43] = 1

    def execute_unread(evidence: Evidence) -> None:
        evidence.marks[70] = 1

    later = _output(plan, [41, 42])
    empty = {"lines": b"\n", "nul": b"\0", "frames": b"\0\0\0\0"}.get(plan.output_format, b"")
    return [
        ("an item that is `not-run` was executed", "not-run-but-executed", execute_unstarted),
        ("an item that was not read was executed", "executed-unread", execute_unread),
        ("outcomes after the first item that never started", "prefix", _output_is(lambda out: out + empty + later)),
        ("a missing record before that item", "ends|adds-up", _records(plan, lambda found: found[:-3])),
        ("too few not written", "adds-up", _in_summary(r"(\d+) not written", -1)),
        ("too many not run", "summary-not-run|faults-.*", _in_summary(r"(\d+) not run", 1)),
        ("items that are not written are not listed", "faults-complete", _lines(lambda l: [x for x in l if b"not-written" not in x])),
        ("items that were not run are not listed", "faults-complete|summary-not-run", _lines(lambda l: [x for x in l if b"not-run" not in x])),
    ]


def _output_is(change: Callable[[bytes], bytes]) -> Callable[[Evidence], None]:
    return lambda evidence: setattr(evidence, "output", change(evidence.output))


def _records(plan: Plan, change: Callable[[list[bytes]], list[bytes]]) -> Callable[[Evidence], None]:
    return _output_is(lambda output: b"".join(change(records(plan, output))))


def _lines(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[Evidence], None]:
    return lambda evidence: setattr(evidence, "faults", b"".join(change((evidence.faults or b"").splitlines(keepends=True))))


def _errors(change: Callable[[str], str]) -> Callable[[Evidence], None]:
    return lambda evidence: setattr(evidence, "errors", change(evidence.errors))


def _code(code: int) -> Callable[[Evidence], None]:
    return lambda evidence: setattr(evidence, "code", code)


def _in_summary(pattern: str, change: int) -> Callable[[Evidence], None]:
    def changed(match: re.Match[str]) -> str:
        return match.group(0).replace(match.group(1), str(int(match.group(1)) + change), 1)

    return _errors(lambda text: re.sub(pattern, changed, text, count=1, flags=re.MULTILINE))
