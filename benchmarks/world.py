"""What the benchmarks measure on: batches of the invented world with any number of rows, and somebody who is signed in."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from uuid import UUID, uuid4

from django.db import connection, models
from django.test import Client, override_settings
from django.utils import timezone

from batches import sync, upstream
from batches.amili.payload import identity
from batches.amili.transport import Reply
from batches.facts import Question
from batches.models import Batch, Discovery
from batches.words import Outcome, Source
from benchmarks.amili import Answer, amili
from sandbox.rows import CREDITORS, Rows
from staff.models import Person

UNLIMITED = 100_000
"""Requests per second: so many that our own limit costs its work, and no waiting."""


def answer(batch_id: UUID, rows: int, seed: int = 0, *, is_finished: bool = True) -> bytes:
    """Amili's answer about a batch: half of its rows are errors, in no order of index, and half succeeded."""
    return template(rows, seed, is_finished).replace(b"BATCH ID", str(batch_id).encode())


@cache
def template(rows: int, seed: int, is_finished: bool) -> bytes:
    """Such an answer, with the words BATCH ID in the place of one."""
    half = rows // 2
    made = Rows(CREDITORS[0], seed, rows, half)
    data = {
        "batchId": "BATCH ID",
        "type": "INVOICE",
        "status": {"statuscode": 0, "errors": made.errors()[:half], "responses": []},
        "createdAt": "2026-03-02T08:00:00Z",
        "finishedAt": "2026-03-02T08:05:00Z" if is_finished else None,
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
    return sync.record(batch.pk, Reply(200, answer(batch.pk, rows)), Question(timezone.now()))


def forget_batches() -> None:
    """Begin with none, and with no places in any list."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {Batch._meta.db_table}, {Discovery._meta.db_table} CASCADE")


def copies(table: type[models.Model], pattern: models.Model, count: int, **changed: str) -> None:
    """Rows like this one, whose columns may be changed to what SQL makes of `n`, their number."""
    fields = [field.column for field in table._meta.concrete_fields if not field.generated]
    values = [changed.get(column, f"p.{column}") for column in fields]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table._meta.db_table} ({', '.join(fields)}) SELECT {', '.join(values)}"
            f" FROM {table._meta.db_table} p, generate_series(1, %s) n WHERE p.id = %s",
            [count, pattern.pk],
        )


def running_batches(count: int, rows: int) -> None:
    """Batches that have been asked about and are due again, without the rows that nobody reads while nothing changes."""
    now, ids = timezone.now(), [uuid4() for _ in range(count)]
    known = {"outcome": Outcome.IN_PROGRESS, "asked_by": Source.CHECK, "first_seen_at": now, "changed_at": now}
    Batch.objects.bulk_create(
        Batch(pk=pk, digest=identity(answer(pk, rows, is_finished=False)), next_check_at=now, checked_at=now, **known)
        for pk in ids
    )


@contextmanager
def asked_here(answer: Answer, latency: float) -> Iterator[str]:
    """An upstream that this process asks, as often as it can."""
    with (
        amili(answer, latency) as url,
        override_settings(AMILI_API_URL=url, AMILI_HOSTS={"127.0.0.1"}, AMILI_REQUESTS_PER_SECOND=UNLIMITED),
    ):
        upstream.forget_client()
        yield url
    upstream.forget_client()


def signed_in() -> Client:
    """A browser in which a person has signed in."""
    client = Client()
    client.force_login(Person.objects.get_or_create(username="bench")[0])
    return client
