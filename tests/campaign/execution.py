"""Executes a plan: writes its input, starts the host, stops it as planned, and collects the evidence."""

from __future__ import annotations

import contextlib
import gzip
import os
import resource
import select
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from evidence import Evidence, marks_in
from formats import encode_items
from plan import Plan

MAX_SECONDS = 60.0
"""Seconds after which a run counts as hung."""


class Host:
    """The command under test, its plugins and its cache."""

    def __init__(self, program: Path, plugin: Path, scratch: Path) -> None:
        self.program = program
        self.scratch = scratch
        self.cache = scratch / "cache"
        text = plugin.read_text()
        # `batch.wat` is the plugin itself, and `single.wat` is the plugin without `call_batch`.
        self.plugins = {True: scratch / "batch.wat", False: scratch / "single.wat"}
        for batch, path in self.plugins.items():
            path.write_text(text if batch else text.replace('(func (export "call_batch")', "(func"))

    def command(self, plan: Plan, folder: Path, inputs: list[str]) -> list[str]:
        """Returns the command line of a run in a folder."""
        command = [str(self.program), "run", *plan.flags(), "--progress", "never", "--cache-dir", str(self.cache)]
        if plan.counting:
            command += ["--dir", f"{folder / 'marks'}::/marks:rw"]
        if plan.faults:
            command += ["--faults", str(folder / "faults")]
        if plan.output_to == "file":
            command += ["-o", str(folder / "out")]
        return [*command, str(self.plugins[plan.batch]), *inputs]

    def fill_cache(self) -> None:
        """Compiles the plugins once for all runs."""
        for batch in (True, False):
            for isolation in ("thread", "process"):
                for fuel in (None, "50M"):
                    for counting in (True, False):
                        folder = self.scratch / "first"
                        plan = Plan(0, [b"a"], batch=batch, isolation=isolation, fuel=fuel, counting=counting)
                        evidence = execute(self, plan, folder)
                        if evidence.code != 0:
                            raise RuntimeError(f"a run of one item has failed: {evidence.errors}")
                        discard(folder)


def execute(host: Host, plan: Plan, folder: Path) -> Evidence:
    """Creates a folder and executes a plan in it."""
    return _Run(host, plan, folder).evidence()


def discard(folder: Path) -> None:
    """Removes the folder of a run."""
    for directory, names, files in os.walk(folder, topdown=False):
        for name in files:
            os.unlink(os.path.join(directory, name))
        for name in names:
            os.rmdir(os.path.join(directory, name))
    os.rmdir(folder)


class _Run:
    def __init__(self, host: Host, plan: Plan, folder: Path) -> None:
        self.host, self.plan, self.folder = host, plan, folder
        self.is_over = threading.Event()
        self.signals = self.kills = 0
        self.deadline = time.monotonic() + MAX_SECONDS

    def evidence(self) -> Evidence:
        folder, plan = self.folder, self.plan
        (folder / "marks").mkdir(parents=True)
        inputs, piped = self.write_inputs()
        command = self.host.command(plan, folder, inputs)
        (folder / "command").write_text(self.shell_line(command, piped) + "\n")
        with contextlib.ExitStack() as stack:
            errors = stack.enter_context(open(folder / "errors", "wb"))
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL if piped is None else subprocess.PIPE,
                stdout=self.standard_output(stack), stderr=errors, start_new_session=True, preexec_fn=self.prepare_process,
            )
            threads = self.start_pumps(process, piped)
            try:
                hung = not self.stop_and_wait(process)
            finally:
                self.is_over.set()
                left = self.kill_group(process)
            for thread in threads:
                thread.join()
        faults = folder / "faults"
        return Evidence(
            process.returncode, (folder / "errors").read_text(errors="replace"), self.read_output(),
            faults.read_bytes() if plan.faults and faults.exists() else None,
            marks_in(folder / "marks"), self.signals, self.kills, hung, left,
        )

    # ---------------------------------------------------------------- input and output

    def write_inputs(self) -> tuple[list[str], bytes | None]:
        """Writes the input, and returns the files or the bytes for a pipe."""
        plan = self.plan
        if plan.feed in ("pipe", "held-open"):
            return [], encode_items(plan, plan.items, True)
        if plan.feed == "file" or len(plan.items) < 3 or plan.input_format == "frames":
            (self.folder / "in").write_bytes(encode_items(plan, plan.items, True))
            return [str(self.folder / "in")], None
        third = len(plan.items) // 3
        parts = [plan.items[:third], plan.items[third : 2 * third], plan.items[2 * third :]]
        paths = []
        for number, part in enumerate(parts):
            data = encode_items(plan, part, number == 2)
            path = self.folder / (f"in{number}.gz" if number == plan.seed % 4 else f"in{number}")
            path.write_bytes(gzip.compress(data, 1) if path.suffix else data)
            paths.append(str(path))
        return paths, None

    def shell_line(self, command: list[str], piped: bytes | None) -> str:
        line = shlex.join(command)
        if piped is not None:
            (self.folder / "in").write_bytes(piped)
            keep_open = "; sleep 60" if self.plan.feed == "held-open" else ""
            line = f"(cat {self.folder / 'in'}{keep_open}) | {line}"
        return line

    def standard_output(self, stack: contextlib.ExitStack) -> object:
        plan = self.plan
        if plan.stop and plan.stop.action == "dev-full":
            return stack.enter_context(open("/dev/full", "wb"))
        if plan.output_to == "pipe":
            return subprocess.PIPE
        name = "out" if plan.output_to == "stdout" else "stdout"
        return stack.enter_context(open(self.folder / name, "wb"))

    def prepare_process(self) -> None:
        """Prepares the process before it executes the host."""
        # Python ignores some signals, and so do background processes of a script. The host must not inherit that.
        for name in ("SIGPIPE", "SIGXFSZ", "SIGINT", "SIGQUIT", "SIGHUP", "SIGTERM"):
            signal.signal(signal.Signals[name], signal.SIG_DFL)
        if self.plan.file_limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.plan.file_limit, self.plan.file_limit))
        if self.plan.stop and self.plan.stop.action == "closed":
            os.close(1)

    def start_pumps(self, process: subprocess.Popen[bytes], piped: bytes | None) -> list[threading.Thread]:
        """Starts the threads that write the host's input and read its output."""
        threads = []
        if piped is not None:
            threads.append(threading.Thread(target=self.write_input, args=(process, piped)))
        if process.stdout is not None:
            threads.append(threading.Thread(target=self.read_pipe, args=(process,)))
        for thread in threads:
            thread.start()
        return threads

    def write_input(self, process: subprocess.Popen[bytes], piped: bytes) -> None:
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(piped)
            process.stdin.flush()
            if self.plan.feed == "held-open":
                self.is_over.wait(MAX_SECONDS)
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()

    def read_pipe(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        stop = self.plan.stop
        remaining = stop.amount if stop and stop.action == "head" else None
        with open(self.folder / "out", "wb") as out, process.stdout as pipe:
            while remaining is None or remaining > 0:
                chunk = os.read(pipe.fileno(), 65536 if remaining is None else remaining)
                if not chunk:
                    break
                out.write(chunk)
                out.flush()
                remaining = None if remaining is None else remaining - len(chunk)

    def read_output(self) -> bytes:
        out = self.folder / "out"
        return out.read_bytes() if out.exists() else b""

    # ---------------------------------------------------------------- the end

    def stop_and_wait(self, process: subprocess.Popen[bytes]) -> bool:
        """Stops the host as planned, waits for its exit, and returns whether it exited in time."""
        stop = self.plan.stop
        if stop and stop.action in ("signal", "twice", "kill-host", "kill-children"):
            if self.wait_for_trigger(process):
                self.perform_stop(process)
        # If no signal reached the host, its input must be closed, or it would never end.
        if self.plan.feed == "held-open" and not self.signals:
            self.is_over.set()
        return self.wait_for_exit(process)

    def wait_for_exit(self, process: subprocess.Popen[bytes]) -> bool:
        """Waits for the exit of the host, and returns whether it exited in time. (`Popen.wait` would poll.)"""
        if process.poll() is not None:
            return True
        handle = os.pidfd_open(process.pid)
        try:
            waiting = select.poll()
            waiting.register(handle, select.POLLIN)
            waiting.poll(max(0.0, self.deadline - time.monotonic()) * 1000)
        finally:
            os.close(handle)
        return process.poll() is not None

    def wait_for_trigger(self, process: subprocess.Popen[bytes]) -> bool:
        """Waits for the event that triggers the stop, and returns whether the host is still running."""
        stop = self.plan.stop
        assert stop is not None
        start = time.monotonic()
        out = self.folder / "out"
        for _ in self.poll(process, 0.3 if stop.trigger == "written" else 10.0):
            if stop.trigger == "elapsed" and time.monotonic() - start >= stop.amount / 1000:
                break
            if stop.trigger == "written" and out.exists() and out.stat().st_size >= stop.amount:
                break
            if stop.trigger == "executed" and (self.folder / "marks" / f"{stop.amount:06}1").exists():
                break
        time.sleep(stop.pause)
        return process.poll() is None

    def poll(self, process: subprocess.Popen[bytes], seconds: float) -> Iterator[None]:
        """Yields every millisecond while the host runs."""
        end = time.monotonic() + seconds
        while process.poll() is None and time.monotonic() < end:
            yield
            time.sleep(0.001)

    def perform_stop(self, process: subprocess.Popen[bytes]) -> None:
        stop = self.plan.stop
        assert stop is not None
        if stop.action == "kill-children":
            for _ in range(stop.times):
                self.kill_child(process)
                time.sleep(stop.pause)
        elif stop.action == "kill-host":
            process.kill()
        else:
            number = signal.Signals[stop.signal]
            for _ in range(2 if stop.action == "twice" else 1):
                if process.poll() is not None:
                    break
                os.killpg(process.pid, number) if stop.to_group else process.send_signal(number)
                self.signals += 1
                time.sleep(0.002)

    def kill_child(self, process: subprocess.Popen[bytes]) -> None:
        for child in _children(process.pid):
            with contextlib.suppress(OSError):
                if b"--mtl-host-worker-process" not in Path(f"/proc/{child}/cmdline").read_bytes():
                    continue
                os.kill(child, signal.SIGKILL)
                self.kills += 1
                return

    def kill_group(self, process: subprocess.Popen[bytes]) -> bool:
        """Kills the processes of the run. Returns whether any outlived the host by some seconds."""
        left = process.poll() is not None and self.outlives(process.pid)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return left

    def outlives(self, group: int) -> bool:
        end = time.monotonic() + 5
        while time.monotonic() < end:
            try:
                os.killpg(group, 0)
            except ProcessLookupError:
                return False
            time.sleep(0.002)
        return True


def _children(pid: int) -> list[int]:
    """Returns the processes that the threads of a process have started."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += map(int, task.read_text().split())
    return found
