"""`manage.py up` as a person starts it: the whole of it, in processes of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path

import psutil

from sandbox.servers import free_port

ROOT = Path(__file__).resolve().parent.parent
NOT_GIVEN = dict.fromkeys(
    ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ALLOWED_HOSTS", "AMILI_CLIENT_ID", "AMILI_TOKEN"), ""
)


class Run:
    """One `manage.py up`, as from a terminal: signals go to its whole process group."""

    def __init__(self, var_dir: Path, **settings: str) -> None:
        self.var_dir, self.port = var_dir, int(settings.get("PORT") or free_port())
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = var_dir.with_suffix(".log")
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up"],
                cwd=ROOT,
                env={**environment(var_dir), "PORT": str(self.port), **settings},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self.log.read_text()

    def started(self) -> "Run":
        until(lambda: "Ctrl-C stops it" in self.output or self.process.poll() is not None, 60)
        assert self.process.poll() is None, self.output
        return self

    def end(self, how: signal.Signals) -> int:
        if self.process.poll() is None:
            os.killpg(self.process.pid, how)
        return self.process.wait(10)

    def settings(self) -> dict[str, str]:
        """What it has left for other commands to find."""
        return dict(line.split("=", 1) for line in (self.var_dir / "local.env").read_text().splitlines())

    def get(self, path: str) -> int:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        connection.request("GET", path)
        status = connection.getresponse().status
        connection.close()
        return status

    def processes(self) -> list[psutil.Process]:
        """All that work for it: its VAR_DIR stands in their environment or on their command line."""
        found = psutil.process_iter(["environ", "cmdline", "status"])
        return [
            process
            for process in found
            if process.pid != self.process.pid and process.info["status"] != psutil.STATUS_ZOMBIE
            if str(self.var_dir)
            in " ".join([*(process.info["environ"] or {}).values(), *(process.info["cmdline"] or [])])
        ]


def environment(var_dir: Path) -> dict[str, str]:
    """That of the person who starts it: nothing is set but where the data goes."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("AMILI_", "SANDBOX", "DJANGO_"))}
    return {**own, **NOT_GIVEN, "VAR_DIR": str(var_dir)}


def until(condition: Callable[[], object], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
