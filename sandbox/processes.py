"""The processes of a local run: started, listened to, and stopped together."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Self

import psutil

from sandbox.servers import ServerProblem

MARK = "AMILI_DASHBOARD_RUN"  # in the environment of each process: the VAR_DIR that it works for
PATIENCE = 6  # seconds that a process may take to end


class Processes:
    """The processes that run at the moment; leaving the `with` block ends them.

    Each leads a session of its own, so that Ctrl-C in the terminal reaches `manage.py up` alone. It then asks the
    leaders and not their children: Celery and granian end theirs in good order, and a task is not cut off.
    """

    def __init__(self, var_dir: Path, env: Mapping[str, str], cwd: Path) -> None:
        self.env = {**env, MARK: str(var_dir), "PYTHONUNBUFFERED": "1"}
        self.cwd = cwd
        self.running: dict[str, subprocess.Popen[str]] = {}

    def start(self, name: str, *arguments: str, log: Path | None = None) -> None:
        """Start a process whose lines are shown, each after its name, or kept in a log if they are too many."""
        process = self._spawn(name, arguments)
        Thread(target=_relay, args=(name, process, log), daemon=True).start()

    def run(self, name: str, *arguments: str) -> tuple[int, str]:
        """Run a process to its end, quietly: its exit status and what it said."""
        process = self._spawn(name, arguments)
        output, _ = process.communicate()
        del self.running[name]
        return process.returncode, output

    def ended(self) -> str | None:
        """The name of a process that ended by itself, and how; None while all are well."""
        codes = {name: process.poll() for name, process in self.running.items()}
        return next((f"{name} (exit status {code})" for name, code in codes.items() if code is not None), None)

    def _spawn(self, name: str, arguments: tuple[str, ...]) -> subprocess.Popen[str]:
        self.running[name] = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=self.cwd,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        return self.running[name]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for process in self.running.values():
            process.terminate()
        deadline = time.monotonic() + PATIENCE
        for process in self.running.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0, deadline - time.monotonic()))
        for process in self.running.values():
            # The group, for a leader that died or hangs has children that nobody else ends.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _relay(name: str, process: subprocess.Popen[str], log: Path | None) -> None:
    assert process.stdout  # noqa: S101 - it is a pipe
    with process.stdout, log.open("w") if log else nullcontext() as file:
        for line in filter(str.strip, process.stdout):
            print(line if file else f"{name:<8}| {line}", end="", file=file, flush=True)


@contextmanager
def sole_use(var_dir: Path) -> Iterator[None]:
    """Hold a directory for this process. The kernel lets go of it in whatever way the process ends."""
    with (var_dir / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise ServerProblem(f"{var_dir} is in use by process {lock.read()}: stop that one first.") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def end_leftovers(var_dir: Path) -> None:
    """End what a run that was killed has left behind, lest it hold the port and work on the same queue."""
    left = [
        process
        for process in psutil.process_iter(["environ"])
        if (process.info["environ"] or {}).get(MARK) == str(var_dir)
    ]
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(left, timeout=2)
