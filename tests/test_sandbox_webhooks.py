"""The stand-in for Amili tells of each batch that finishes."""

import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from uuid import UUID, uuid4

import pytest
import requests

from sandbox import world
from sandbox.server import running_server
from sandbox.servers import free_port
from tests.sandboxed import NOON, Amili, Clock
from tests.stack import until


class Receiver(HTTPServer):
    """Somebody whom the sandbox tells: answers with these statuses, the last one for ever."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Receive)
        self.statuses = [204]
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.url = f"http://127.0.0.1:{self.server_port}/hooks/amili/"

    def about(self, batch: str) -> list[tuple[dict[str, str], bytes]]:
        """What has come about a batch. The world's own batches are told of too."""
        return [(headers, body) for headers, body in self.received if json.loads(body)["data"]["batchId"] == batch]


class _Receive(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((dict(self.headers), body))
        statuses = self.server.statuses
        self.send_response(statuses.pop(0) if len(statuses) > 1 else statuses[0])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def telling(receiver: Receiver) -> Iterator[Amili]:
    """A sandbox that tells the receiver."""
    sandbox = running_server(clock=Clock(NOON), webhook_url=receiver.url, webhook_secret="shared")
    with sandbox as url, Amili(url) as session:
        yield session


def signature(body: bytes, secret: bytes = b"shared") -> str:
    return hmac.new(secret, body, "sha256").hexdigest()


def test_the_end_of_a_batch_is_told_at_once_and_once(receiver: Receiver) -> None:
    clock = Clock(NOON)
    sandbox = running_server(clock=clock, webhook_url=receiver.url, webhook_secret="shared")
    with sandbox as url, Amili(url) as session:
        started = session.start(generation="A", fate="partial", queued_seconds=6)
        clock.advance(5.9)
        assert not receiver.about(started["batchId"])
        clock.advance(0.1)
        until(lambda: receiver.about(started["batchId"]), 5)
        other = session.start(queued_seconds=0)
        until(lambda: receiver.about(other["batchId"]), 5)
    ((headers, body),) = receiver.about(started["batchId"])
    event = json.loads(body)
    assert list(event) == ["id", "type", "source", "timeStamp", "data"]
    assert (event["type"], event["source"], event["timeStamp"]) == (
        "BATCH_COMPLETED",
        "COLLECTION",
        "2026-05-04T12:01:05Z",
    )
    assert event["data"] == {**started, "status": "PARTIAL"}
    assert headers["X-Amili-Event"] == "BATCH_COMPLETED"
    assert headers["X-Webhook-Signature"] == signature(body)
    assert UUID(headers["IdempotencyKey"])
    assert headers["X-Amili-Request-Id"]


def test_the_batches_of_the_world_are_told_of_too(receiver: Receiver) -> None:
    newest = world.recent(NOON, 1)[0]
    clock = Clock(newest.born)
    sandbox = running_server(clock=clock, webhook_url=receiver.url, webhook_secret="shared")
    with sandbox as url, Amili(url) as session:
        started = session.start(queued_seconds=0)
        until(lambda: receiver.about(started["batchId"]), 5)
        clock.advance(newest.queued.total_seconds())
        until(lambda: receiver.about(str(newest.id)), 5)


def test_a_failed_delivery_is_tried_three_times_a_second_apart(receiver: Receiver, telling: Amili) -> None:
    receiver.statuses = [503]
    batch = telling.start(queued_seconds=0)["batchId"]
    until(lambda: len(receiver.about(batch)) == 3, 6)
    assert len({headers["IdempotencyKey"] for headers, _ in receiver.about(batch)}) == 1
    until(lambda: "refused (503)" in telling.get(telling.url, timeout=5).text, 5)
    assert len(receiver.about(batch)) == 3


def test_a_delivery_succeeds_at_the_second_try(receiver: Receiver, telling: Amili) -> None:
    receiver.statuses = [500, 202]
    batch = telling.start(queued_seconds=0)["batchId"]
    until(lambda: "delivered (202)" in telling.get(telling.url, timeout=5).text, 5)
    assert len(receiver.about(batch)) == 2


def test_a_webhook_is_sent_again_under_its_key_and_wrongly_signed_under_another(
    receiver: Receiver, telling: Amili
) -> None:
    batch = telling.start(queued_seconds=0)["batchId"]
    until(lambda: "Send again" in telling.get(telling.url, timeout=5).text, 5)
    for manner in ("again", "wrongly signed"):
        page = telling.post(f"{telling.url}/sandbox/batches/{batch}/webhook", data={"manner": manner}, timeout=5)
        assert f'{manner}: <span class="success">delivered (204)' in page.text
    (first, body), (again, body_again), (forged, body_forged) = receiver.about(batch)
    assert body == body_again == body_forged
    assert first["IdempotencyKey"] == again["IdempotencyKey"] != forged["IdempotencyKey"]
    assert again["X-Webhook-Signature"] == signature(body) != forged["X-Webhook-Signature"]


def test_what_was_never_sent_is_not_sent_again(telling: Amili) -> None:
    batch = telling.start(queued_seconds=60)["batchId"]
    assert telling.post(f"{telling.url}/sandbox/batches/{batch}/webhook", json={}, timeout=5).status_code == 404


def test_a_sandbox_with_nobody_to_tell_says_so() -> None:
    with running_server() as url:
        assert "No webhooks are sent" in requests.get(url, timeout=5).text
        assert requests.post(f"{url}/sandbox/batches/{uuid4()}/webhook", json={}, timeout=5).status_code == 404


@pytest.mark.timeout(60)
def test_nobody_there_is_told_on_the_page_and_hinders_no_stop() -> None:
    nowhere = f"http://127.0.0.1:{free_port()}/"
    with running_server(webhook_url=nowhere, webhook_secret="shared") as url, Amili(url) as session:
        session.start(queued_seconds=0)
        until(lambda: "nobody there" in requests.get(url, timeout=5).text, 5)
        assert nowhere in requests.get(url, timeout=5).text
