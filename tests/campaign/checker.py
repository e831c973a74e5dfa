"""Compares the evidence of a run with the model of endings (`endings.py`) and the oracle of items (`outcomes.py`)."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from itertools import accumulate

import evidence as traces
from endings import ENDED_EARLY, Ending, end_by_faults, ending_of, fault_limit, is_too_many
from evidence import Evidence, Listed, Summary
from formats import records, render, without_messages
from outcomes import FILTERED, Expectation, Outcome, expectations, letter_of, number_of, shown
from plan import Plan

NOT_RUN = "not-run"
NOT_WRITTEN = "not-written"


@dataclass(frozen=True)
class Violation:
    """A rule that a run has broken."""

    rule: str
    expected: str
    actual: str


def check(plan: Plan, evidence: Evidence) -> list[Violation]:
    """Returns the rules that a run has broken."""
    return _Check(plan, evidence).run()


class _Check:
    def __init__(self, plan: Plan, evidence: Evidence) -> None:
        self.plan, self.evidence = plan, evidence
        self.violations: list[Violation] = []
        self.expected: list[Expectation] = expectations(plan)
        if plan.limit is not None:
            del self.expected[plan.limit :]
        self.output = without_messages(plan, evidence.output)
        self.listed: dict[int, Listed] = {}
        # True if `--faults` lists every item that it must list.
        self.lists_all = False
        self.read = len(self.expected)

    def fail(self, rule: str, expected: object, actual: object) -> None:
        self.violations.append(Violation(rule, str(expected), str(actual)))

    def run(self) -> list[Violation]:
        if self.evidence.hung:
            self.fail("hang", "an end", "no exit within a minute")
            return self.violations
        if self.evidence.left_behind:
            self.fail("orphans", "no process that outlives the host", "some processes, for 5 s")
        matched = ending_of(self.plan, self.evidence)
        if matched.ending is None:
            self.fail("exit-code", "an exit code of an ending of this run", f"{self.evidence.code}: {matched.reason}")
        elif matched.ending is Ending.NEVER_BEGAN:
            pass
        elif matched.ending.has_summary:
            self.check_with_summary(matched.ending)
        else:
            self.check_without_summary(matched.ending)
        return self.violations

    # ---------------------------------------------------------------- endings without a summary

    def check_without_summary(self, ending: Ending) -> None:
        """Checks that the output is correct up to its end, which may be anywhere."""
        self.read_faults(is_whole=False)
        if self.plan.ordered:
            self.check_byte_prefix()
        else:
            self.check_unordered_records(range(self.read), may_lack=True, last_may_be_incomplete=True)
        self.executions(ending)

    def check_byte_prefix(self) -> None:
        """Checks that the output is a prefix, in bytes, of all outcomes in input order."""
        whole = b"".join(self.rendered(index) for index in range(self.read))
        output = self.output
        if whole.startswith(output):
            return
        if self.plan.output_format == "jsonl":
            # The rest of an incomplete message cannot be compared.
            cut = output.rfind(b"\n") + 1
            if whole.startswith(output[:cut]) and whole[cut:].startswith(output[cut:].split(b'"message":"')[0]):
                return
        self.fail("prefix", "the beginning of the outcomes in input order", self.difference(whole, output))

    # ---------------------------------------------------------------- endings with a summary

    def check_with_summary(self, ending: Ending) -> None:
        summary = traces.summary(self.evidence.errors)
        if summary is None:
            self.fail("summary", f"a summary ({ending.value})", self.evidence.errors[-300:])
            self.read_faults(is_whole=False)
            return
        if summary.read > self.read:
            self.fail("summary", f"at most {self.read} items", f"{summary.items} and {summary.not_run} not run")
            return
        self.read = summary.read
        self.read_faults(is_whole=True)
        if ending.is_early and summary.items == 0 and not self.evidence.faults:
            # A run that ends before its first item is done does not change its files.
            self.lists_all = False
        self.exit_code(ending, summary)
        if ending is Ending.COMPLETE:
            self.check_complete(summary)
        if self.lists_all:
            self.counts(summary)
        if self.plan.ordered:
            self.prefix(ending, summary)
        else:
            self.unordered(ending, summary)
        self.executions(ending)

    def exit_code(self, ending: Ending, summary: Summary) -> None:
        code = self.evidence.code
        if ending is Ending.NO_WORKER and code != (ENDED_EARLY if summary.items else 3):
            self.fail("exit-code", "8 after items were done, 3 before", f"{code} with {summary.items} items")
        if ending is Ending.COMPLETE and code != (1 if summary.faults else 0):
            self.fail("exit-code", "1 with faults, 0 without", f"{code} with {summary.faults} faults")

    def check_complete(self, summary: Summary) -> None:
        everything = len(self.expected)
        if self.plan.on_error != "immediate" and (summary.items, summary.not_run, summary.not_written) != (everything, 0, 0):
            self.fail("complete", f"{everything} items done and written", summary)

    def read_faults(self, is_whole: bool) -> None:
        """Checks each entry of the file of faults separately."""
        if self.evidence.faults is None:
            # Without a summary, the host may have ended before it created the file.
            if self.plan.faults and is_whole:
                self.fail("faults", "a file of faults", "none")
            return
        try:
            entries, rest = traces.listed(self.evidence.faults)
        except (ValueError, KeyError) as error:
            self.fail("faults", "lines of JSON", repr(error))
            return
        is_full = self.has_full_faults()
        if rest and is_whole:
            self.fail("faults-whole-lines", "whole lines", rest[:200])
        self.lists_all = is_whole and not is_full
        for entry in entries:
            self.entry(entry)
        self.lists_all &= not any(violation.rule.startswith("faults") for violation in self.violations)

    def has_full_faults(self) -> bool:
        """Returns whether the next entry may have been too long for the file of faults."""
        limit, faults = self.plan.file_limit, self.evidence.faults or b""
        # An escaped byte of an item may take six bytes; the message takes further space.
        longest = 6 * max(map(len, self.plan.items), default=0) + 1000
        return limit is not None and len(faults) > limit - longest

    def entry(self, entry: Listed) -> None:
        index = entry.index
        if index in self.listed:
            self.fail("faults-once", f"item {index} once", entry)
        elif index >= self.read:
            self.fail("faults-read", f"entries of the {self.read} items that were read", entry)
        elif entry.item != shown(self.plan, self.plan.items[index]):
            self.fail("faults-item", self.plan.items[index][:200], entry)
        else:
            self.listed[index] = entry
            self.kind(entry)

    def kind(self, entry: Listed) -> None:
        """Checks that this fault is possible for the item."""
        if entry.kind in (NOT_RUN, NOT_WRITTEN):
            return
        expected = self.expected[entry.index]
        normal = expected.outcome
        if entry.kind == normal.kind:
            if normal.data is not None and entry.message.encode() != normal.data.decode("utf-8", "replace").encode()[:4096]:
                if len(normal.data) <= 4000:
                    self.fail("faults-message", normal.data[:200], entry)
            return
        if entry.kind == "crashed" and self.plan.isolation == "process" and (
            self.evidence.kills or self.may_be_cut_off(entry.index)
        ):
            return
        if entry.kind == "timeout" and self.may_be_cut_off(entry.index):
            return
        if expected.alternative is not None and entry.kind == expected.alternative.kind and self.is_disturbed():
            return
        self.fail("faults-kind", f"{normal.kind} of {self.plan.items[entry.index][:80]!r}", entry)

    def is_cut_off(self, entry: Listed) -> bool:
        """Returns whether the end of the run may have cut off this item."""
        return entry.kind in ("timeout", "crashed") and self.may_be_cut_off(entry.index)

    def may_be_cut_off(self, index: int) -> bool:
        return self.plan.join_timeout_ms is not None and self.evidence.signals > 0

    def is_disturbed(self) -> bool:
        """Returns whether a limit or a stop may have reduced the tries of items, or added executions."""
        limits = fault_limit(self.plan) is not None or self.plan.max_restarts is not None
        return limits or self.plan.stop is not None

    # ---------------------------------------------------------------- counts

    def kind_of(self, index: int) -> str:
        """Returns the kind of an item's outcome: the listed one, or the expected one."""
        entry = self.listed.get(index)
        if entry is None or entry.kind == NOT_WRITTEN:
            return self.outcome(index).kind
        return entry.kind

    def outcome(self, index: int) -> Outcome:
        """Returns the outcome of a finished item."""
        entry = self.listed.get(index)
        expected = self.expected[index]
        if entry is not None and entry.kind not in (NOT_RUN, NOT_WRITTEN):
            return expected.outcome if entry.kind == expected.outcome.kind else Outcome(entry.kind)
        normal = expected.outcome
        if normal.is_fault and expected.alternative is not None and self.lists_all and self.is_disturbed():
            return expected.alternative if entry is None else normal
        return normal

    def counts(self, summary: Summary) -> None:
        """Compares the summary with the file of faults."""
        kinds = Counter(self.kind_of(index) for index in range(self.read))
        for index in range(self.read):
            if index not in self.listed and self.outcome(index).is_fault:
                self.fail("faults-complete", f"an entry for item {index} with {self.outcome(index).kind}", "none")
                self.lists_all = False
                return
        not_run = kinds.pop(NOT_RUN, 0)
        if not_run != summary.not_run:
            self.fail("summary-not-run", f"{not_run} not run, as in `--faults`", summary)
            # Entries that the file lacks are reported once, not for each item.
            self.lists_all = False
        filtered = kinds.pop(FILTERED, 0)
        if filtered != summary.filtered and not self.has_unknown_outcome():
            self.fail("summary-filtered", filtered, summary)
        kinds.pop("record", None)
        if dict(kinds) != summary.kinds and not self.has_unknown_outcome():
            self.fail("summary-faults", dict(kinds), summary)
        if sum(summary.kinds.values()) != summary.faults:
            self.fail("summary-faults", "the sum of the kinds", summary)
        crashes = kinds.get("crashed", 0)
        # When the join timeout expires, each process may be running an item.
        most = self.evidence.kills + (self.plan.jobs if self.plan.join_timeout_ms and self.evidence.signals else 0)
        if crashes > most:
            self.fail("crashed", f"at most {most}, one for each killed process", crashes)
        if summary.written is not None and summary.written + summary.not_written != summary.items:
            self.fail("adds-up", "items = written + not written", summary)

    def has_unknown_outcome(self) -> bool:
        """Returns whether an item was not written and has an outcome that only the host knows."""
        return any(
            entry.kind == NOT_WRITTEN and (self.expected[index].alternative is not None or letter_of(self.plan.items[index]) == "s")
            for index, entry in self.listed.items()
        )

    # ---------------------------------------------------------------- output

    def rendered(self, index: int) -> bytes:
        return render(self.plan, index, self.outcome(index))

    def is_left(self, index: int) -> bool:
        entry = self.listed.get(index)
        return entry is not None and entry.kind in (NOT_RUN, NOT_WRITTEN)

    def first_not_started(self) -> int:
        return next((i for i in range(self.read) if i in self.listed and self.listed[i].kind == NOT_RUN), self.read)

    def prefix(self, ending: Ending, summary: Summary) -> None:
        """Checks that the output is a prefix of the allowed length, and that the rest is counted."""
        most = next((index for index in range(self.read) if self.is_left(index)), self.read)
        stream = [self.rendered(index) for index in range(most)]
        ends = [0, *accumulate(map(len, stream))]
        whole, output = b"".join(stream), self.output
        if len(output) > len(whole) and output.startswith(whole) and most < self.read:
            self.fail(
                "prefix", f"nothing after item {most}, which is {self.listed[most].kind}",
                f"{len(output) - len(whole)} bytes more: {output[len(whole):][:100]!r}",
            )
            return
        position = bisect_left(ends, len(output))
        if not whole.startswith(output) or position == len(ends) or ends[position] != len(output):
            self.fail("prefix", "whole records of the first items in input order", self.difference(whole, output))
            return
        # An outcome without a record does not show in the output, so it may be written or not.
        written = [count for count in range(position, most + 1) if ends[count] == len(output)]
        self.check_end(ending, written, summary)
        self.adds_up(written, summary)

    def check_end(self, ending: Ending, written: list[int], summary: Summary) -> None:
        """Checks the number of written outcomes; `written` lists the numbers that agree with the output."""
        if ending is Ending.BROKEN_OUTPUT:
            self.check_full_output(written)
            return
        allowed = set()
        if self.lists_all:
            allowed.add(self.first_not_started())
            cut_off = [i for i, entry in sorted(self.listed.items()) if self.is_cut_off(entry)]
            # The host may write the outcome of an item that is cut off, or end the output before it.
            allowed.update({i for i in cut_off if i < min(allowed)} | {i + 1 for i in cut_off if i < min(allowed)})
        elif summary.not_run == 0:
            allowed.add(self.read)
        by_faults = end_by_faults(self.plan, [self.outcome(i) for i in range(min(self.first_not_started(), self.read))])
        if by_faults is not None and (self.lists_all or ending is Ending.FAULT_LIMIT):
            if self.plan.on_error == "immediate":
                allowed = {by_faults}
            elif not allowed:
                allowed = set(range(by_faults, self.read + 1))
            elif max(allowed) < by_faults and ending is Ending.FAULT_LIMIT:
                self.fail("fault-limit", f"an output up to item {by_faults}, which exceeds the limit", written)
        elif by_faults is None and ending is Ending.FAULT_LIMIT:
            self.fail("fault-limit", "no end of the run by faults within the limit", summary)
        if allowed and not allowed & set(written):
            self.fail("ends", f"an output that ends before item {sorted(allowed)}", f"before item {written}")

    def check_full_output(self, written: list[int]) -> None:
        limit = self.plan.file_limit
        if limit is None or self.has_full_faults() or written[-1] >= self.read:
            return
        size = len(self.evidence.output) + len(self.rendered(written[-1])) + (1000 if self.plan.output_format == "jsonl" else 0)
        if size <= limit:
            self.fail("full", f"records up to {limit} bytes", f"{len(self.evidence.output)} bytes")

    def adds_up(self, written: list[int], summary: Summary) -> None:
        """Checks `not written`, and that `--faults` lists all items that are not in the output."""
        count = summary.items - summary.not_written
        if count not in written:
            self.fail(
                "adds-up", f"items - not written = {written[0]} to {written[-1]} written outcomes",
                f"{summary.items} - {summary.not_written} = {count}",
            )
            return
        if self.lists_all:
            missing = [i for i in range(count, self.read) if i not in self.listed]
            if missing:
                self.fail("faults-complete", f"entries for all items from {count} on, which are not written", f"not listed: {missing[:10]}")
                self.lists_all = False

    def unordered(self, ending: Ending, summary: Summary) -> None:
        done = [i for i in range(self.read) if self.kind_of(i) != NOT_RUN]
        broken = ending is Ending.BROKEN_OUTPUT
        written = [i for i in done if not self.is_left(i)]
        lists_all = self.lists_all or summary.not_run == 0
        self.check_unordered_records(written, may_lack=broken or not lists_all, last_may_be_incomplete=False)
        if not broken and summary.not_written:
            self.fail("adds-up", "all finished items written", summary)
        if ending is Ending.FAULT_LIMIT and not self.exceeds(summary):
            self.fail("fault-limit", "no end of the run by faults within the limit", summary)
        # Records that contain their separator cannot be counted.
        is_uncountable = self.plan.multiline or self.plan.skip_failed or any(self.outcome(i).kind == FILTERED for i in done)
        if not is_uncountable:
            count, found = summary.items - summary.not_written, len(records(self.plan, self.output))
            if count != found:
                self.fail("adds-up", f"items - not written = {count} records", found)

    def exceeds(self, summary: Summary) -> bool:
        limit = fault_limit(self.plan)
        # The share may have exceeded the limit earlier, with fewer finished items.
        return limit is not None and (limit.endswith("%") or is_too_many(limit, summary.faults, summary.items))

    def check_unordered_records(self, indices: object, may_lack: bool, last_may_be_incomplete: bool) -> None:
        """Checks records in any order: each record belongs to an item, and no record is repeated."""
        expected = Counter(filter(None, (self.rendered(index) for index in indices)))  # type: ignore[attr-defined]
        if self.plan.multiline and self.plan.output_format in ("lines", "nul"):
            # A record may contain its separator, so its pieces are compared.
            pieces = Counter(p for record, n in expected.items() for p in records(self.plan, record) for _ in range(n))
            expected = pieces
        written = records(self.plan, self.output)
        if last_may_be_incomplete and written and not expected[written[-1]]:
            written.pop()
        actual = Counter(written)
        if actual - expected:
            self.fail("foreign", "each record of an item at most once, and no other", list((actual - expected).items())[:3])
        if not may_lack and expected - actual:
            self.fail("lost", "a record of each item that is done", list((expected - actual).items())[:3])

    def difference(self, whole: bytes, output: bytes) -> str:
        at = next((i for i, (a, b) in enumerate(zip(whole, output)) if a != b), min(len(whole), len(output)))
        start = max(0, at - 40)
        return f"at byte {at} of {len(output)}: {output[start:at + 60]!r}, not {whole[start:at + 60]!r}"

    # ---------------------------------------------------------------- executions

    def executions(self, ending: Ending) -> None:
        """Checks the number of executions of items by the plugin's marks."""
        if not self.plan.counting:
            return
        marks = self.evidence.marks
        more = self.evidence.kills if self.plan.isolation == "process" else 0
        for index in range(len(self.plan.items)):
            number = number_of(self.plan.items[index])
            if number is None:
                continue
            executed = marks.get(number, 0)
            entry = self.listed.get(index)
            if index >= len(self.expected) or (ending.has_summary and index >= self.read):
                if executed:
                    self.fail("executed-unread", f"no execution of item {index}, which was never read", f"executed {executed} times")
                continue
            expected = self.expected[index]
            if entry is not None and entry.kind == NOT_RUN:
                if executed:
                    self.fail("not-run-but-executed", f"no execution of item {index}, which was never started", f"executed {executed} times")
                continue
            if executed > min(9, self.max_executions(expected) + more):
                self.fail("executed-too-often", f"at most {self.max_executions(expected) + more} executions of item {index}", executed)
            if ending.has_summary and self.lists_all and executed < self.min_executions(ending, expected, entry):
                self.fail("executed-too-rarely", f"at least {self.min_executions(ending, expected, entry)} executions of item {index}", executed)

    def max_executions(self, expected: Expectation) -> int:
        """Returns the largest number of executions of an item, without those that a killed child adds."""
        if self.evidence.kills and expected.max_executions:
            # A crash counts as a try.
            return max(expected.max_executions, self.plan.retries + 1)
        return expected.max_executions

    def min_executions(self, ending: Ending, expected: Expectation, entry: Listed | None) -> int:
        if entry is not None and entry.kind in ("crashed", "timeout"):
            return 0 if ending.is_early or entry.kind == "crashed" else expected.min_executions
        if ending.is_early or self.is_disturbed():
            return min(1, expected.min_executions)
        return expected.min_executions
