"""Amili as the faults want it: a sandbox in a process of its own, and the record of what it was asked when."""

import subprocess
import sys
import time
from threading import Thread
from typing import NamedTuple
from uuid import UUID

import requests

from sandbox.servers import free_port
from tests.sandboxed import credentials
from tests.stack import ROOT, until


class Asked(NamedTuple):
    """One request of the dashboard's, as the sandbox wrote it down."""

    at: float
    path: str


class Amili:
    """A sandbox that tells of each batch that finishes, and whose moods and faults the tests choose."""

    def __init__(self, hook: str, secret: str, env: dict[str, str]) -> None:
        self.url, self.record = f"http://127.0.0.1:{(port := free_port())}", list[Asked]()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.server", "--port", str(port), "--webhook-url", hook],
            cwd=ROOT,
            env={**env, "SANDBOX_WEBHOOK_SECRET": secret},
            stderr=subprocess.PIPE,
            text=True,
        )
        Thread(target=self._write_down, daemon=True).start()

    def _write_down(self) -> None:
        assert self.process.stderr
        with self.process.stderr as lines:
            for line in lines:
                path = [*line.split(), "", ""][2]
                if path.startswith(("/collection/", "/token")):
                    self.record.append(Asked(time.monotonic(), path))

    def started(self) -> "Amili":
        until(lambda: _answers(self.url), 60)
        return self

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(10)

    def start(self, **order: object) -> UUID:
        """Start a batch there, such as `start(fate="partial", objects=80, queued_seconds=6)`."""
        response = requests.post(f"{self.url}/sandbox/batches", json=order, timeout=30)
        response.raise_for_status()
        return UUID(response.json()["batchId"])

    def mood(self, mood: str, seconds: float) -> None:
        order = {"mood": mood, "seconds": seconds}
        requests.post(f"{self.url}/sandbox/mood", json=order, timeout=30).raise_for_status()

    def truth(self) -> requests.Session:
        """Signed in, to ask for what is true."""
        session = requests.Session()
        token = session.post(f"{self.url}/token", data=credentials(), timeout=30).json()["access_token"]
        session.headers["Authorization"] = f"Bearer {token}"
        return session


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/sandbox/mood", timeout=5).ok
    except requests.ConnectionError:
        return False
