"""Webhooks: the word that a batch is finished, sent the moment that it is.

How Amili signs its own is not public. These carry the hexadecimal HMAC-SHA256 of the raw body, the dashboard's default.
"""

import hmac
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from uuid import UUID, uuid4

import requests

from sandbox import world
from sandbox.batch import Batch

EVENT = "BATCH_COMPLETED"
TICK = 0.05  # seconds between two looks at what has finished
TIME_LIMIT = 5
TRIES = 3
BETWEEN_TRIES = 1.0
MOST_KEPT = 1_000
AGAIN, WRONGLY_SIGNED = "again", "wrongly signed"


@dataclass
class Sending:
    """One sending of an event, and what became of it."""

    batch: UUID
    body: bytes
    manner: str = ""
    """Empty for the first, else what is special about it."""
    key: str = field(default_factory=lambda: str(uuid4()))
    tries_left: int = 1
    not_before: float = 0
    is_delivered: bool = False
    outcome: str = "being sent"
    ended: threading.Event = field(default_factory=threading.Event)


class Webhooks:
    """Sends each batch's event once it is finished, from the one thread that calls `run`."""

    def __init__(self, url: str, secret: str, clock: Callable[[], datetime], log: Callable[[str], None]) -> None:
        self.url = url
        self._secret, self._clock, self._log = secret.encode(), clock, log
        self._lock = threading.Lock()
        self._followed: dict[UUID, Batch] = {}
        self._pending: list[Sending] = []
        self._sent: dict[UUID, list[Sending]] = {}

    def follow(self, batch: Batch) -> None:
        """From now on its end is awaited."""
        with self._lock:
            self._followed[batch.id] = batch

    def of(self, batch_id: UUID) -> list[Sending]:
        """The sendings about a batch, in their order."""
        return list(self._sent.get(batch_id, ()))

    def send(self, batch_id: UUID, manner: str) -> Sending | None:
        """Sends a batch's event once more: word for word under its old key, or as somebody would who lacks the secret."""
        sent = self.of(batch_id)
        if not sent:
            return None
        sending = Sending(batch_id, sent[0].body, manner)
        if manner == AGAIN:
            sending.key = sent[0].key
        self._take_on(sending)
        return sending

    def run(self, stopping: threading.Event) -> None:
        """Sends what is due, until it is told to stop."""
        with requests.Session() as session:
            session.trust_env = False  # a receiver on this machine is never behind a proxy
            while not stopping.wait(TICK):
                self._announce(self._clock())
                for sending in [one for one in self._pending if one.not_before <= monotonic()]:
                    self._try(session, sending)

    def _announce(self, now: datetime) -> None:
        """Takes on the events of the batches that have finished; those of the world are followed from their birth."""
        for batch in world.recent(now, 1):
            if not batch.is_finished(now):
                self.follow(batch)
        finished = [batch for batch in list(self._followed.values()) if batch.is_finished(now)]
        for batch in finished:
            self._take_on(Sending(batch.id, _event(batch), tries_left=TRIES))
            del self._followed[batch.id]

    def _take_on(self, sending: Sending) -> None:
        with self._lock:
            self._pending.append(sending)
            self._sent.setdefault(sending.batch, []).append(sending)
            if len(self._sent) > MOST_KEPT:
                del self._sent[next(iter(self._sent))]

    def _try(self, session: requests.Session, sending: Sending) -> None:
        sending.is_delivered, sending.outcome = self._post(session, sending)
        sending.tries_left -= 1
        sending.not_before = monotonic() + BETWEEN_TRIES
        if sending.is_delivered or not sending.tries_left:
            with self._lock:
                self._pending.remove(sending)
            self._log(" ".join(filter(None, ("webhook", str(sending.batch), sending.manner, sending.outcome))))
            sending.ended.set()

    def _post(self, session: requests.Session, sending: Sending) -> tuple[bool, str]:
        headers = {
            "Content-Type": "application/json",
            "Connection": "close",
            "X-Amili-Event": EVENT,
            "IdempotencyKey": sending.key,
            "X-Amili-Request-Id": uuid4().hex,
            "X-Webhook-Signature": self._signature(sending),
        }
        try:
            answer = session.post(self.url, sending.body, headers=headers, timeout=TIME_LIMIT, allow_redirects=False)
        except requests.Timeout:
            return False, "no answer in time"
        except requests.RequestException:
            return False, "nobody there"
        is_delivered = 200 <= answer.status_code < 300
        return is_delivered, f"{'delivered' if is_delivered else 'refused'} ({answer.status_code})"

    def _signature(self, sending: Sending) -> str:
        secret = b"not the secret" if sending.manner == WRONGLY_SIGNED else self._secret
        return hmac.digest(secret, sending.body, "sha256").hex()


def _event(batch: Batch) -> bytes:
    finished = batch.born + batch.queued
    event = {
        "id": str(uuid4()),
        "type": EVENT,
        "source": "COLLECTION",
        "timeStamp": finished.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "data": {
            "batchId": str(batch.id),
            "organizationId": str(batch.creditor.id),
            "status": batch.state(finished),
        },
    }
    return json.dumps(event, separators=(",", ":")).encode()
