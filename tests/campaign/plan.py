"""Draws the plan of one run from its seed: the items, the flags, and the way to stop the run."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field

KINDS_FOR_RETRY = ("trap", "timeout", "out-of-memory", "crashed")
"""The kinds of fault after which the host tries an item again by default."""

BREAKING_LETTERS = "tdxrmple"
"""The letters of items after which an instance is replaced."""


@dataclass(frozen=True)
class Stop:
    """An action from outside that ends a run, or one of its processes, early."""

    action: str
    """`signal`, `twice`, `kill-host`, `kill-children`, `full`, `dev-full`, `head` or `closed`."""
    signal: str = "SIGINT"
    to_group: bool = False
    """Sends the signal to the process group, as a terminal does."""
    trigger: str = "elapsed"
    """The event that triggers the stop: `elapsed` (after `amount` ms), `written` (after `amount` bytes), or `executed`
    (after the item with the number `amount` has begun)."""
    amount: int = 0
    pause: float = 0.0
    """Seconds between the event and the stop, or between two kills."""
    times: int = 1
    """The number of kills."""


@dataclass(frozen=True)
class Plan:
    """Everything that determines one run."""

    seed: int
    items: list[bytes] = field(repr=False)
    """The items in input order. Invalid JSON counts as an item, and a blank line in JSON Lines does not."""
    batch: bool = True
    counting: bool = True
    """Grants a directory in which each execution leaves a mark."""
    input_format: str = "lines"
    output_format: str = "lines"
    isolation: str = "thread"
    jobs: int = 2
    ordered: bool = True
    skip_failed: bool = False
    tag: bool = False
    multiline: bool = False
    json_results: bool = False
    faults: bool = True
    """Runs with `--faults`."""
    on_error: str = "ignore"
    max_faults: str | None = None
    retries: int = 0
    retry_on: tuple[str, ...] = KINDS_FOR_RETRY
    max_restarts: int | None = None
    recycle: int | None = None
    chunk_size: str | None = None
    window: str | None = None
    unbounded: bool = False
    limit: int | None = None
    timeout_ms: int | None = None
    join_timeout_ms: int | None = None
    fuel: str | None = None
    max_item: int | None = None
    max_result: int | None = None
    feed: str = "file"
    """`file`, `files` (several, some of them compressed), `pipe`, or `held-open` (a pipe that is closed only after the
    run has ended or was stopped)."""
    output_to: str = "file"
    """`file` (`-o`), `stdout` (redirected to a file), or `pipe`."""
    ends_with_separator: bool = True
    """Writes the separator of the last item, which is optional."""
    stop: Stop | None = None
    file_limit: int | None = None
    """The limit on the size of each file that the host writes (`RLIMIT_FSIZE`)."""

    def flags(self) -> list[str]:
        """Returns the flags, except those that name files."""
        flags = ["-j", str(self.jobs), "--isolation", self.isolation]
        flags += ["--input-format", self.input_format, "--output-format", self.output_format]
        flags += ["--on-error", self.on_error, "--retries", str(self.retries)]
        if self.retry_on != KINDS_FOR_RETRY:
            flags += ["--retry-on", ",".join(self.retry_on)]
        for name, is_set in (
            ("--unordered", not self.ordered),
            ("--skip-failed", self.skip_failed),
            ("--tag", self.tag),
            ("--multiline", self.multiline),
            ("--unbounded", self.unbounded),
        ):
            if is_set:
                flags.append(name)
        if self.json_results:
            flags += ["--results", "json"]
        for name, value in (
            ("--max-faults", self.max_faults),
            ("--max-restarts", self.max_restarts),
            ("--recycle", self.recycle),
            ("--chunk-size", self.chunk_size),
            ("--window", self.window),
            ("--limit", self.limit),
            ("--fuel", self.fuel),
            ("--max-item", self.max_item),
            ("--max-result", self.max_result),
        ):
            if value is not None:
                flags += [name, str(value)]
        if self.timeout_ms is not None:
            flags += ["--timeout", f"{self.timeout_ms}ms"]
        if self.join_timeout_ms is not None:
            flags += ["--join-timeout", f"{self.join_timeout_ms}ms"]
        return flags


def draw(seed: int, scenarios: list[str] | None = None) -> Plan:
    """Returns the plan for this seed, from one of the named scenarios."""
    return _Drawing(seed, scenarios or list(SCENARIOS)).plan()


SCENARIOS = {
    "plain": 40,
    "policy": 14,
    "signal": 16,
    "join": 8,
    "kills": 8,
    "retire": 4,
    "full": 7,
    "twice": 3,
    "head": 2,
    "kill-host": 2,
    "dev-full": 1,
    "closed": 1,
}
"""The relative frequency of each scenario."""


class _Drawing:
    """A plan that is being drawn."""

    def __init__(self, seed: int, scenarios: list[str]) -> None:
        self.seed = seed
        self.scenarios = scenarios
        self.rng = random.Random(seed)

    def one_in(self, number: int) -> bool:
        return self.rng.randrange(number) == 0

    def plan(self) -> Plan:
        rng = self.rng
        scenario = rng.choices(self.scenarios, [SCENARIOS[name] for name in self.scenarios])[0]
        drawn: dict[str, object] = {"seed": self.seed}
        self.isolation = "process" if scenario == "kills" or rng.random() < 0.35 else "thread"
        drawn["isolation"] = self.isolation
        self.input_format = rng.choice(("lines", "lines", "nul", "frames", "jsonl"))
        drawn["input_format"] = self.input_format
        drawn["output_format"] = rng.choice(("lines", "lines", "nul", "frames", "jsonl"))
        drawn["jobs"] = rng.randint(1, 4)
        drawn["batch"] = rng.random() < 0.6
        drawn["counting"] = rng.random() < (0.9 if scenario in ("join", "kills", "signal") else 0.5)
        drawn["ordered"] = rng.random() < 0.7
        for name, number in (("skip_failed", 4), ("tag", 4), ("multiline", 4)):
            drawn[name] = self.one_in(number)
        drawn["json_results"] = drawn["output_format"] == "jsonl" and self.one_in(3)
        drawn["faults"] = rng.random() < 0.85
        drawn["retries"] = rng.choice((0, 0, 1, 2))
        if self.one_in(5):
            kinds = [*KINDS_FOR_RETRY, "out-of-fuel", "refused", "bad-item", "bad-result"]
            drawn["retry_on"] = tuple(sorted(rng.sample(kinds, rng.randint(1, 5))))
        if self.one_in(6):
            drawn["recycle"] = rng.choice((3, 20, 200)) if self.isolation == "thread" else rng.choice((50, 500))
        if self.one_in(3):
            drawn["chunk_size"] = rng.choice(("1", "2", "7", "100", "5000", "auto"))
        if self.one_in(3):
            drawn["window"] = rng.choice(("1", "3", "50", "1000", "8KiB", "200KiB"))
        elif self.one_in(8):
            drawn["unbounded"] = True
        drawn["feed"] = rng.choice(("file", "file", "files", "pipe"))
        drawn["output_to"] = rng.choice(("file", "file", "stdout", "pipe"))
        drawn["ends_with_separator"] = rng.random() < 0.8
        drawn["on_error"] = rng.choice(("ignore", "ignore", "ignore", "deferred"))

        letters = self.letters(drawn)
        count = rng.choice((0, 1, 2, 5, 20, 60, 200, 600))
        if self.isolation == "thread" and self.one_in(12):
            count = 4000
        faulty = rng.choice((0.0, 0.02, 0.1, 0.4))
        max_breaks = 8 if self.isolation == "process" else 30
        sizes = (1, 12, 12, 60, 400)

        if scenario == "policy":
            if self.one_in(3):
                drawn["on_error"] = "immediate"
            else:
                drawn["max_faults"] = rng.choice(("0", "1", "3", "20", "1%", "10%"))
            count = rng.choice((5, 60, 300, 1500))
            faulty = rng.choice((0.02, 0.1, 0.4))
        elif scenario in ("signal", "twice", "kill-host"):
            count = rng.choice((30, 300, 3000, 8000))
            drawn["feed"] = rng.choice(("file", "held-open", "held-open"))
            drawn["stop"] = self.stop(scenario, count)
            if scenario == "signal" and self.one_in(4):
                drawn["join_timeout_ms"] = rng.choice((300, 1000))
            faulty = rng.choice((0.0, 0.01, 0.1))
        elif scenario == "join":
            count = rng.choice((10, 300, 3000))
            drawn["join_timeout_ms"] = rng.choice((30, 100, 200))
            drawn["feed"] = rng.choice(("file", "held-open"))
            drawn["counting"] = True
            drawn["window"] = None
            faulty = rng.choice((0.0, 0.01))
        elif scenario == "kills":
            count = rng.choice((50, 600, 4000))
            drawn["retries"] = rng.choice((0, 1, 3))
            drawn["stop"] = Stop(
                "kill-children", trigger=rng.choice(("elapsed", "written")), amount=rng.choice((1, 15, 30, 60)),
                pause=rng.choice((0.0, 0.005, 0.03)), times=rng.randint(1, 2),
            )
            faulty = rng.choice((0.0, 0.01))
        elif scenario == "retire":
            drawn["max_restarts"] = rng.choice((0, 1, 2))
            count = rng.choice((5, 60, 300))
            faulty = rng.choice((0.1, 0.4))
        elif scenario == "full":
            in_process = self.isolation == "process"
            drawn["file_limit"] = rng.choice((600_000, 1_000_000)) if in_process else rng.choice((4000, 70_000, 600_000))
            drawn["stop"] = Stop("full")
            count = rng.choice((60, 800, 2500))
            sizes = (12, 60, 400, 2000) if in_process else (12, 60, 400)
        elif scenario in ("dev-full", "closed", "head"):
            drawn["stop"] = Stop(scenario, amount=rng.choice((0, 1, 100, 5000)))
            drawn["output_to"] = "pipe"
            count = rng.choice((1, 200, 3000))
        if scenario in ("plain", "policy") and self.one_in(6):
            drawn["limit"] = rng.choice((1, 7, count // 2 + 1))
        if scenario == "plain" and self.input_format in ("lines", "nul") and self.one_in(8):
            drawn["max_item"] = rng.choice((16, 40, 300))
        if self.one_in(8):
            drawn["max_result"] = rng.choice((200, 50_000))
        if self.one_in(12):
            drawn.setdefault("max_restarts", 200)

        if scenario == "kills" or drawn.get("join_timeout_ms") is not None:
            # Only `--faults` lists the items that were cut off.
            drawn["faults"] = True
        if drawn["feed"] == "held-open":
            # While the pipe is open, an item without its separator may still become longer.
            drawn["ends_with_separator"] = True
        numbered = [self.item(number, letters, faulty, sizes) for number in range(count)]
        self.limit_costly_items(numbered, letters, max_breaks)
        if scenario == "join":
            self.plant_endless(numbered, drawn)
        drawn["items"] = [data for _, data in numbered]
        return Plan(**drawn)  # type: ignore[arg-type]

    def letters(self, drawn: dict[str, object]) -> str:
        """Returns the letters for the special items of this run, and chooses the limit that ends hanging items."""
        letters = "##!!??" + BREAKING_LETTERS + "kf"
        endless = self.rng.random()
        if endless < 0.15:
            drawn["timeout_ms"] = self.rng.choice((100, 150))
            letters += "s"
        elif endless < 0.25:
            drawn["fuel"] = "50M"
            letters += "s"
        elif endless < 0.4:
            letters += "w"
        if drawn["output_format"] != "jsonl" or not drawn["json_results"]:
            letters += "b"
        return letters

    def item(self, number: int, letters: str, faulty: float, sizes: tuple[int, ...]) -> tuple[str, bytes]:
        """Returns one item with the letter that selects its behaviour."""
        rng = self.rng
        letter = rng.choice(letters) if rng.random() < faulty else rng.choice("ac")
        body = b"%06d" % number + self.payload(rng.choice(sizes))
        if self.one_in(40) and letter in "ac":
            letter, body = "a", b""
        if self.input_format == "jsonl":
            return letter, self.json_item(letter, body)
        if letter == "a" and not body and self.one_in(2):
            return letter, b""
        return letter, letter.encode() + body

    def json_item(self, letter: str, body: bytes) -> bytes:
        rng = self.rng
        if letter == "a" and self.one_in(30):
            # Spaces around a value do not belong to the item.
            return (b"{oops" + body).strip()
        if letter == "a" and self.one_in(20):
            return rng.choice((b"7", b"-1.5", b"[1, 2]", b'{"A": 1, "B": [null]}', b"null", b"true"))
        text = letter + body.decode("utf-8", "replace")
        return json.dumps(text, ensure_ascii=self.one_in(2)).encode()

    def payload(self, most: int) -> bytes:
        rng = self.rng
        size = rng.randint(0, most)
        style = rng.randrange(8)
        if style < 5:
            payload = (b"lorem ipsum dolor sit amet " * (size // 26 + 1))[:size]
        elif style == 5:
            payload = ("x\u00e9\u4e16\t" * (size // 4 + 1))[:size].encode()
        elif style == 6:
            payload = b"a\nb\0c\"d\\\x01" * (size // 10 + 1)
        else:
            payload = rng.randbytes(min(size, 50))
        # An item cannot contain the input's separator; a line must not end in a carriage return.
        if self.input_format in ("lines", "jsonl"):
            payload = payload.replace(b"\n", b"_").replace(b"\r", b"_")
        elif self.input_format == "nul":
            payload = payload.replace(b"\0", b"_")
        return payload

    def limit_costly_items(self, numbered: list[tuple[str, bytes]], letters: str, max_breaks: int) -> None:
        """Replaces slow items and items that break their instance, if there are too many of them."""
        left = {"s": 2, "w": 3, "k": 20, "b": 25}
        for at, (letter, _) in enumerate(numbered):
            kind = "break" if letter in BREAKING_LETTERS + "f" else letter
            left.setdefault(kind, max_breaks if kind == "break" else len(numbered))
            left[kind] -= 1
            if left[kind] < 0:
                numbered[at] = ("a", self.quick(at))

    def quick(self, number: int) -> bytes:
        data = b"a%06d" % number
        return b'"' + data + b'"' if self.input_format == "jsonl" else data

    def plant_endless(self, numbered: list[tuple[str, bytes]], drawn: dict[str, object]) -> None:
        """Plants items that never end, and stops the run after the first of them has begun."""
        rng = self.rng
        if drawn.get("timeout_ms") is not None or drawn.get("fuel") is not None:
            drawn["timeout_ms"] = drawn["fuel"] = None
            for at, (letter, _) in enumerate(numbered):
                if letter == "s":
                    numbered[at] = ("a", self.quick(at))
        count = len(numbered)
        positions = rng.sample(range(count), rng.randint(1, min(3, count)))
        for at in positions:
            data = b"s%06d" % at
            numbered[at] = ("s", b'"' + data + b'"' if self.input_format == "jsonl" else data)
        drawn["stop"] = Stop(
            "signal", signal=rng.choice(("SIGINT", "SIGTERM")), to_group=self.one_in(3),
            trigger="executed", amount=min(positions), pause=rng.choice((0.0, 0.01, 0.05)),
        )

    def stop(self, action: str, count: int) -> Stop:
        rng = self.rng
        signal = rng.choice(("SIGINT", "SIGINT", "SIGTERM", "SIGTERM", "SIGHUP", "SIGQUIT"))
        trigger = rng.choice(("elapsed", "written"))
        amount = rng.choice((3, 10, 20, 40, 80)) if trigger == "elapsed" else rng.choice((1, 500, 10 * count))
        return Stop(action, signal, self.one_in(3), trigger, amount, rng.choice((0.0, 0.0, 0.001, 0.005)))
