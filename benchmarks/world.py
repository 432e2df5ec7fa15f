"""What the benchmarks measure on: batches of the invented world with any number of rows, and somebody who is signed in."""

import json
from functools import cache
from uuid import UUID, uuid4

from django.test import Client
from django.utils import timezone

from batches import sync
from batches.models import Batch
from sandbox.rows import CREDITORS, Rows
from staff.models import Person


def answer(batch_id: UUID, rows: int, seed: int = 0) -> bytes:
    """Amili's answer about a finished batch: half of its rows are errors, in no order of index, and half succeeded."""
    return _answer(rows, seed).replace(b"BATCH ID", str(batch_id).encode())


@cache
def _answer(rows: int, seed: int) -> bytes:
    half = rows // 2
    made = Rows(CREDITORS[0], seed, rows, half)
    data = {
        "batchId": "BATCH ID",
        "type": "INVOICE",
        "status": {"statuscode": 0, "errors": made.errors()[:half], "responses": []},
        "createdAt": "2026-03-02T08:00:00Z",
        "finishedAt": "2026-03-02T08:05:00Z",
        "organizationId": str(CREDITORS[0].id),
        "succeeded": made.succeeded(),
        "failed": [],
    }
    return json.dumps({"summary": {"status": "SUCCESS"}, "data": data}, separators=(",", ":")).encode()


def followed_batch() -> Batch:
    """A batch that we follow and have not asked about yet."""
    batch_id = uuid4()
    Batch.objects.follow([batch_id], timezone.now())
    return Batch.objects.get(pk=batch_id)


def recorded_batch(rows: int) -> Batch:
    """A finished batch with its rows."""
    batch = followed_batch()
    return sync.record(batch.pk, answer(batch.pk, rows), asked_at=timezone.now())


def signed_in() -> Client:
    """A browser in which a person has signed in."""
    client = Client()
    client.force_login(Person.objects.get_or_create(username="bench")[0])
    return client
