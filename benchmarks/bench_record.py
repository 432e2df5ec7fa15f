"""Recording an answer of 100 000 rows, against the bare cost of decoding it and copying the same rows.

The baseline decodes the whole answer into the same typed rows and writes the same columns of the same tables by the same
COPY, in one transaction that first takes the batch's old rows away. It does not look at what it writes: no odd shapes,
no order by object index, no digest, no answer kept, no counts, no timeline. Before each round the tables are emptied.
Memory is that of a process like a Celery worker's, which asks over HTTP for its first batch and records it.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone
from msgspec import Struct
from msgspec.json import Decoder

from batches import sync
from batches.amili import payload
from batches.amili.transport import Reply
from batches.facts import Question
from batches.models import ErrorRow, SucceededItem
from benchmarks.measure import at_most, compare, seconds
from benchmarks.world import answer, followed_batch

ROWS = 100_000
ROUNDS = 5
TIMES_BARE = 1.5
MEMORY = 250  # MiB

type Recording = Callable[[UUID, bytes], object]


def main() -> bool:
    """Measure first answers, answers that replace another, and memory; whether all keep to their limits."""
    return all([_is_fast("first answer", _first), _is_fast("another answer", _another), _is_small()])


def _is_fast(name: str, measurement: Callable[[Recording], float]) -> bool:
    bare, ours, ratio = compare(ROUNDS, partial(measurement, _record_bare), partial(measurement, _record))
    print(f"  {name}: bare {bare:.2f} s, ours {ours:.2f} s")
    return at_most(TIMES_BARE, f"{name}, times the bare cost", ratio)


def _first(recording: Recording) -> float:
    """Seconds to record what is told of a batch for the first time."""
    _empty_tables()
    batch_id = followed_batch().pk
    return seconds(partial(recording, batch_id, answer(batch_id, ROWS)))


def _another(recording: Recording) -> float:
    """Seconds to record what takes the place of as many other rows."""
    _empty_tables()
    batch_id = followed_batch().pk
    recording(batch_id, answer(batch_id, ROWS))
    return seconds(partial(recording, batch_id, answer(batch_id, ROWS, seed=1)))


def _empty_tables() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {ErrorRow._meta.db_table}, {SucceededItem._meta.db_table}")


def _record(batch_id: UUID, body: bytes) -> None:
    sync.record(batch_id, Reply(200, body), Question(timezone.now()))


# ------------------------------------------------------------------------------------------ the baseline


class _Status(Struct):
    errors: list[payload.ErrorRow]


class _Data(Struct):
    status: _Status
    succeeded: list[payload.Succeeded]


class _Answer(Struct):
    data: _Data


_decoder = Decoder(_Answer)


def _record_bare(batch_id: UUID, body: bytes) -> None:
    data = _decoder.decode(body).data
    errors = (
        (batch_id, n, n, "", row.objectname, row.objectindex, row.message, "")
        for n, row in enumerate(data.status.errors)
    )
    succeeded = (
        (batch_id, n, "", row.kind, row.invoice_number, row.invoice_id, row.case_id)
        for n, row in enumerate(data.succeeded)
    )
    with transaction.atomic():
        ErrorRow.objects.filter(batch_id=batch_id).delete()
        SucceededItem.objects.filter(batch_id=batch_id).delete()
        _copy(ErrorRow, "batch_id, rank, position, extra, object_name, object_index, message, invoice_number", errors)
        _copy(SucceededItem, "batch_id, position, extra, kind, invoice_number, invoice_id, case_id", succeeded)


def _copy(table: type[ErrorRow | SucceededItem], columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table._meta.db_table} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


# ------------------------------------------------------------------------------------------ memory


def _is_small() -> bool:
    batch_id = followed_batch().pk
    with _amili(answer(batch_id, ROWS)) as address:
        worker = subprocess.run(
            [sys.executable, "-m", "benchmarks.worker", str(batch_id)],
            env={**os.environ, "AMILI_API_URL": address},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return at_most(MEMORY, "memory of the worker", float(worker.stdout), " MiB")


@contextmanager
def _amili(body: bytes) -> Iterator[str]:
    """The address of a server that gives this answer, whatever it is asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing of each request."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
