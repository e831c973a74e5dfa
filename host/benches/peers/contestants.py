"""The contestants of each job, with their commands, their settings and their numbers of items."""

import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent

# Placeholders for files in a command; the halves are those of the input. A command without OUTPUT writes to its
# standard output. Each command has INPUT as its standard input.
INPUT, FIRST_HALF, SECOND_HALF, OUTPUT = "\0input", "\0first", "\0second", "\0output"

AWK = "BEGIN { print toupper(ARGV[1]) }"


@dataclass(frozen=True)
class Contestant:
    name: str
    # The number of items that takes a second or two; slow contestants get only a part of the lines.
    items: int
    command: tuple
    workers: int = 2
    # Whether the peer measures its own time, without its imports, as Python peers do.
    own_clock: bool = False
    # Whether results come in input order; xargs writes them as they finish.
    ordered: bool = True
    # The required ratio of mtl-host's speed to the contestant's.
    bar: float | None = None


@dataclass(frozen=True)
class Places:
    host: str
    upper: str
    by_hand: str
    tokenize: str
    model: str
    scratch: Path


def upper_contestants(places):
    """Returns the contestants; all others are compared with the first."""
    contestants = [
        mtl_host("thread", 1_000_000, places, places.upper),
        mtl_host("process", 1_000_000, places, places.upper),
        Contestant("`LC_ALL=C tr a-z A-Z`; knows no items", 1_000_000, ("tr", "a-z", "A-Z"), workers=1, bar=1),
        python("`multiprocessing.Pool(2).imap(chunksize=256)`", "pool-imap", 1_000_000, bar=5),
        python(package("joblib", "batches of 256"), "joblib", 100_000),
        python(package("mpire", "`imap`, chunks of 256"), "mpire", 100_000),
        python(package("pqdm", "threads"), "pqdm-threads", 20_000),
        python(package("pqdm", "processes"), "pqdm-processes", 10_000),
        python(package("mtasklite", "threads"), "mtasklite-threads", 10_000),
        python(package("mtasklite", "processes"), "mtasklite-processes", 10_000),
        python(package("mtasklite", "processes, chunks of 2000"), "mtasklite-processes-2000", 20_000),
        extism(places),
        python(package("wasmtime", "a plugin by hand, through its Python package in `Pool(2)`"), "wasmtime", 20_000, places.by_hand),
        xargs("`xargs -P2 -n1 awk`", 2_000, "-n1", "awk", AWK),
        parallel("`parallel -j2 -k awk`", 500, "-q", "awk", AWK),
        parallel("`parallel -j2 -k --pipe tr`; blocks of 1 MB, not items", 1_000_000, "--pipe", "tr", "a-z", "A-Z"),
    ]
    return [contestant for contestant in contestants if contestant]


def tokenize_contestants(places):
    """Returns the contestants; all others are compared with the first."""
    model = Path(places.model)
    plugin = (places.tokenize, "--init", f"/model/{model.name}", "--dir", f"{model.parent}::/model")
    return [
        mtl_host("thread", 50_000, places, *plugin),
        mtl_host("process", 50_000, places, *plugin),
        python(package("tokenizers", "in mtasklite processes"), "mtasklite-tokenizers", 10_000, places.model, bar=6),
        python(package("tokenizers", "the same, chunks of 2000"), "mtasklite-tokenizers-2000", 10_000, places.model),
        python(package("tokenizers", "a plain loop"), "tokenizers-loop", 50_000, places.model, workers=1, bar=1),
        python(package("tokenizers", "`encode_batch` of 1000, threads of its own"), "tokenizers-batch", 50_000, places.model),
    ]


def mtl_host(isolation, items, places, plugin, *more):
    command = (places.host, "run", "--quiet", "--jobs", "2", "--isolation", isolation, "-o", OUTPUT, *more, plugin, INPUT)
    return Contestant(f"**mtl-host** `--isolation {isolation}`", items, command)


def python(name, peer, items, *more, workers=2, bar=None):
    command = (sys.executable, str(HERE / "pools.py"), peer, INPUT, OUTPUT, *more)
    return Contestant(name, items, command, workers, own_clock=True, bar=bar)


def package(name, how):
    return f"{name} {version(name)}, {how}"


def xargs(name, items, *arguments):
    if installed("xargs", name, "findutils") and installed("awk", name, "mawk"):
        return Contestant(name, items, ("xargs", "-d", "\n", "-P2", *arguments), ordered=False)


def parallel(name, items, *arguments):
    if installed("parallel", name, "parallel"):
        return Contestant(name, items, ("parallel", "-j2", "-k", *arguments))


def extism(places):
    """Returns Extism, which has no pool: two processes run at the same time, each with half of the lines."""
    name = f"Extism {version('extism-sys')}, its C library, a process for each half"
    if not installed("cc", name, "gcc libc6-dev"):
        return None
    library = Path(sysconfig.get_path("purelib"), "extism_sys", "libextism_sys.so")
    program = places.scratch / "extism-lines"
    source = HERE / "extism-lines.c"
    subprocess.run(["cc", "-O2", "-o", program, source, library, f"-Wl,-rpath,{library.parent}"], check=True)
    script = '"$1" "$2" upper <"$3" >"$5.1" & "$1" "$2" upper <"$4" >"$5.2" && wait $! && cat "$5.1" "$5.2" >"$5"'
    plugin = HERE / "extism-upper.wat"
    command = ("sh", "-ec", script, "sh", str(program), str(plugin), FIRST_HALF, SECOND_HALF, OUTPUT)
    return Contestant(name, 200_000, command)


def installed(program, name, packages):
    if shutil.which(program):
        return True
    print(f"skipped: {name}: cannot find `{program}`; as root: apt-get install {packages}", file=sys.stderr)
    return False
