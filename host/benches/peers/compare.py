"""Runs mtl-host and its peers on the same lines, in turns, and prints the results as Markdown.

The script `run` in this folder installs the peers and calls this file. A round runs every contestant once. A warm-up
round precedes them and compares all results. The ratio to mtl-host is taken within each round, so that a slow phase of
the machine affects both sides, and its median is printed.
"""

import argparse
import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from contestants import FIRST_HALF, INPUT, OUTPUT, SECOND_HALF, Places, tokenize_contestants, upper_contestants

ROUNDS = 5
# `--quick` divides the numbers of items by this.
QUICK = 50


def main():
    arguments = parse_arguments()
    load = os.getloadavg()[0]
    if load > os.cpu_count() / 4:
        print(f"warning: the machine is busy (load {load:.1f}): the ratios mean little", file=sys.stderr)
    # With LC_ALL=C, tr works on bytes, as the plugin does. The cache of compiled plugins is private to these runs.
    # The warm-up round compiles, and later rounds begin like a second start.
    with tempfile.TemporaryDirectory(prefix="mtl-host-peers-") as scratch:
        os.environ |= {"LC_ALL": "C", "XDG_CACHE_HOME": f"{scratch}/cache"}
        places = Places(arguments.host, arguments.upper, arguments.by_hand, arguments.tokenize, arguments.model, Path(scratch))
        upper = Job("ASCII upper case, lines of 92 bytes", upper_contestants(places), places, arguments.quick)
        upper.prepare(pangrams(), lambda lines: [line.upper() for line in lines], lambda record: record)
        tokens = Job("tokens of lines of source and text", tokenize_contestants(places), places, arguments.quick)
        tokens.prepare(checkout_lines(arguments.root), lambda lines: ids(places.model, lines), ids_in)

        rounds = 1 if arguments.quick else ROUNDS
        for number in range(rounds + 1):
            print(f"round {number} of {rounds}" if number else "warming up, comparing results", file=sys.stderr)
            for job in (upper, tokens):
                job.play(counted=number > 0)

    how = "too quick to mean much" if arguments.quick else f"{rounds} rounds"
    print(f"{date.today()}, {machine(places.host)}, load {load:.1f} before; {how}:\n")
    print("| | workers | items | items/s, median | slowest to fastest | mtl-host against it | to reach |")
    print("|---|---|---|---|---|---|---|")
    for job in (upper, tokens):
        job.print_rows()


def parse_arguments():
    parser = argparse.ArgumentParser()
    for name in ("root", "host", "upper", "by-hand", "tokenize", "model"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--quick", action="store_true")
    return parser.parse_args()


def machine(host):
    said = subprocess.run([host, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    system = f"{platform.system()} {platform.release().split('-')[0]}, {platform.machine()}"
    return f"{said}, {os.cpu_count()} cores, {system}, Python {platform.python_version()}"


# ---------------------------------------------------------------- a job


class Job:
    """The same lines for all contestants, with the times that they took."""

    def __init__(self, title, contestants, places, quick):
        self.title = title
        self.contestants = contestants
        self.sizes = {it.name: max(it.items // QUICK, 100) if quick else it.items for it in contestants}
        self.folder = places.scratch / title.split()[0]
        self.rates = {it.name: [] for it in contestants}

    def prepare(self, lines, expected, meaning):
        """Writes the inputs; `meaning` extracts the part of a record that is compared."""
        lines = list(itertools.islice(lines, max(self.sizes.values())))
        self.expected, self.meaning = expected(lines), meaning
        self.folder.mkdir()
        for size in set(self.sizes.values()):
            half = size // 2
            for name, part in (("all", lines[:size]), ("first", lines[:half]), ("second", lines[half:size])):
                (self.folder / f"{size}.{name}").write_text("".join(f"{line}\n" for line in part), "utf-8")

    def play(self, counted):
        for contestant in self.contestants:
            size = self.sizes[contestant.name]
            seconds, results = self.run(contestant, size)
            if counted:
                self.rates[contestant.name].append(size / seconds)
            else:
                self.check(contestant, size, results)
            for file in self.folder.glob("results*"):
                file.unlink()

    def run(self, contestant, size):
        results = self.folder / "results"
        files = {FIRST_HALF: f"{size}.first", SECOND_HALF: f"{size}.second", INPUT: f"{size}.all", OUTPUT: "results"}
        command = [str(self.folder / files[word]) if word in files else word for word in contestant.command]
        with open(self.folder / f"{size}.all") as source, open(results, "w") as target:
            output = subprocess.PIPE if OUTPUT in contestant.command else target
            begun = time.monotonic()
            done = subprocess.run(command, stdin=source, stdout=output, stderr=subprocess.PIPE)
            seconds = time.monotonic() - begun
        if done.returncode != 0:
            sys.exit(f"error: {contestant.name}: exit code {done.returncode}\n{done.stderr.decode()}")
        return float(done.stdout) if contestant.own_clock else seconds, results

    def check(self, contestant, size, results):
        records = [self.meaning(record) for record in results.read_text("utf-8").removesuffix("\n").split("\n")]
        expected = self.expected[:size]
        if not contestant.ordered:
            records, expected = sorted(records), sorted(expected)
        if records != expected:
            sys.exit(f"error: {contestant.name}: the results differ from the expected ones")

    def print_rows(self):
        print(f"| **{self.title}** | | | | | | |")
        host = self.rates[self.contestants[0].name]
        for contestant in self.contestants:
            rates = self.rates[contestant.name]
            ratio = statistics.median(ours / theirs for ours, theirs in zip(host, rates))
            cells = [
                contestant.name,
                str(contestant.workers),
                f"{self.sizes[contestant.name]:,}",
                shown(statistics.median(rates)),
                f"{shown(min(rates))} to {shown(max(rates))}",
                f"{three_digits(ratio)} ×",
                f"{contestant.bar} ×" if contestant.bar else "",
            ]
            print(f"| {' | '.join(cells)} |")


def shown(rate):
    for size, name in ((1e6, " million"), (1e3, " thousand")):
        if rate >= size:
            return three_digits(rate / size) + name
    return three_digits(rate)


def three_digits(number):
    return f"{number:.2f}" if number < 10 else f"{number:.1f}" if number < 100 else f"{number:,.0f}"


# ---------------------------------------------------------------- lines


def pangrams():
    """Yields lines of 92 bytes with the line break, all different."""
    text = "the quick brown fox jumps over the lazy dog, and then it goes back to where it was"
    return (f"{number:08d} {text}" for number in itertools.count())


def checkout_lines(root):
    """Yields the lines of this checkout's sources and texts, repeatedly, as a realistic input of a tokenizer."""
    files = [file for kind in ("*.rs", "*.md") for file in sorted(Path(root, "host").rglob(kind))]
    lines = [line for file in files for line in file.read_text("utf-8").split("\n") if line.strip()]
    return itertools.cycle(lines)


def ids(model, lines):
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(model)
    return [tokenizer.encode(line).ids for line in lines]


def ids_in(record):
    """Extracts the ids from a record: the plugin also writes the tokens, and Python peers write only the ids."""
    record = json.loads(record)
    return record["ids"] if isinstance(record, dict) else record


if __name__ == "__main__":
    main()
