"""The poll of a batch's page that finds nothing new, against a view that does nothing.

Both are answered by the same server, started as `manage.py up` starts it, behind the same middleware and sign-in, and
both answers are an empty 204. The batch is running and watched, as it is when somebody has its page open.
"""

import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from batches.models import Batch
from batches.words import Source
from benchmarks.measure import at_least, at_most, compare
from benchmarks.world import followed_batch, signed_in
from sandbox.processes import Processes
from sandbox.servers import free_port
from sandbox.up import WEB

LIMIT = 0.5
QUERIES = 2
ROUNDS = 7
BROWSERS = 4  # as many as the server has threads
SECONDS = 1.5  # of load in each round
PATIENCE = 30  # seconds for the server to start, or to answer


def main() -> bool:
    """Print how often a second each is answered; whether the poll is often enough, and with few enough queries."""
    client, poll, empty = signed_in(), _poll(), reverse("empty")
    with _server() as port:
        empties, polls, ratio = compare(
            ROUNDS, *(partial(_per_second, port, client, address) for address in (empty, poll))
        )
    print(f"  empty view {empties:.0f} a second, poll {polls:.0f} a second")
    few = at_most(QUERIES, "queries of a poll", _queries(client, poll))
    return at_least(LIMIT, "polls, times the empty view", ratio) and few


def _poll() -> str:
    """The address that the page of a running batch asks, over and over."""
    batch = followed_batch()
    # Watched until after the benchmark: the renewal, once in ten seconds, is another request than this one. So is the
    # poll of whoever waits for an answer.
    Batch.objects.filter(pk=batch.pk).update(watched_at=timezone.now() + timedelta(hours=1), asked_by=Source.CHECK)
    return reverse("batch", args=[batch.pk], query={"stamp": batch.revision})


def _queries(client: Client, poll: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        client.get(poll, headers={"HX-Request": "true"})
    return len(queries)


# ------------------------------------------------------------------------------------------ the server


@contextmanager
def _server() -> Iterator[int]:
    """The port of a granian that runs until the end of the block."""
    port = free_port()
    with Processes(Path(settings.VAR_DIR), os.environ, settings.BASE_DIR) as processes:
        processes.start("web", *WEB, "--port", str(port), "amili_dashboard.wsgi:application")
        deadline = time.monotonic() + PATIENCE
        while not _answers(port):
            if processes.ended() or time.monotonic() > deadline:
                raise RuntimeError("The web server did not start.")
            time.sleep(0.1)
        yield port


def _answers(port: int) -> bool:
    health = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        health.request("GET", reverse("health"))
        return health.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        health.close()


# ------------------------------------------------------------------------------------------ the load


def _per_second(port: int, client: Client, address: str) -> float:
    """How many requests a second are answered to a few browsers that ask without a pause."""
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    request = f"GET {address} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookies}\r\nHX-Request: true\r\n\r\n".encode()
    with ThreadPoolExecutor(BROWSERS) as browsers:
        answered = sum(browsers.map(partial(_ask, port), [request] * BROWSERS))
    return answered / SECONDS


def _ask(port: int, request: bytes) -> int:
    """Send the request again and again on one connection; the number of answers.

    On a bare socket: the load runs on the same processors as the server, and must cost little beside it.
    """
    answers, deadline = 0, time.monotonic() + SECONDS
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as server:
        while time.monotonic() < deadline:
            server.sendall(request)
            _read_empty_answer(server)
            answers += 1
    return answers


def _read_empty_answer(server: socket.socket) -> None:
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        part = server.recv(65536)
        answer += part
        if not part or not answer.startswith(b"HTTP/1.1 204"[: len(answer)]):
            raise RuntimeError(f"Expected a 204, got {answer[:200]!r}")
