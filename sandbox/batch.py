"""One batch of the invented world: its life, and how Amili would tell of it in either generation."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from random import Random
from uuid import UUID

from sandbox.faults import Fault
from sandbox.rows import Creditor, Row, Rows, uuid_text

LARGE = 10_000  # objects


def unedited(data: Row) -> Row:
    """The answer of a batch with nothing special about it."""
    return data


@dataclass(frozen=True)
class Batch:
    """A batch whose every answer follows from these fields and the time of asking."""

    id: UUID
    creditor: Creditor
    objects: int
    failed: int
    born: datetime
    queued: timedelta
    edit: Callable[[Row], Row] = unedited
    """What makes a demo batch special: changes the answer that it would have given."""
    fault: Fault | None = None
    """How it misbehaves whenever it is asked for."""
    has_submission: bool = True
    """Whether its answer follows from invoices that somebody sent, so that their file can be had."""

    def state(self, now: datetime) -> str:
        """Its status as generation C words it."""
        if not self.is_finished(now):
            return "QUEUED"
        if not self.failed:
            return "SUCCESS"
        return "FAILED" if self.failed == self.objects else "PARTIAL"

    def is_finished(self, now: datetime) -> bool:
        """Whether its life is over, so that its answer never changes again."""
        return now >= self.born + self.queued

    def data(self, now: datetime) -> bytes:
        """The JSON of the `data` member of an answer about it."""
        if not self.is_finished(now):
            return _encode(self, now)
        return _finished_large(self) if self.objects > LARGE else _finished(self)


def _encode_finished(batch: Batch) -> bytes:
    return _encode(batch, batch.born + batch.queued)


# An answer that never changes again is built once: a list of a hundred batches holds tens of thousands of rows.
_finished = lru_cache(maxsize=1024)(_encode_finished)
_finished_large = lru_cache(maxsize=4)(_encode_finished)


def _encode(batch: Batch, now: datetime) -> bytes:
    counts = (batch.objects, batch.failed) if batch.is_finished(now) else (0, 0)
    rows = Rows(batch.creditor, batch.id.int, *counts)
    shape = _generation_a if batch.creditor.generation == "A" else _generation_c
    return json.dumps(batch.edit(shape(batch, rows, now)), separators=(",", ":")).encode()


def _generation_a(batch: Batch, rows: Rows, now: datetime) -> Row:
    finished = {"finishedAt": _stamp(batch.born + batch.queued, "seconds")} if batch.is_finished(now) else {}
    return {
        "batchId": str(batch.id),
        "type": "INVOICE",
        "status": {"statuscode": 0, "errors": rows.errors(), "responses": rows.responses()},
        "createdAt": _stamp(batch.born, "seconds"),
        **finished,
        **_owner(batch.creditor),
        "succeeded": rows.succeeded(),
        "failed": [None] if batch.id.int % 2 else [],
    }


def _generation_c(batch: Batch, rows: Rows, now: datetime) -> Row:
    # Amili is known to fill finishedAt while a batch is still queued, so half of ours do it too.
    finished = batch.born + batch.queued if batch.is_finished(now) else batch.born if batch.id.int % 2 else None
    return {
        "batchId": str(batch.id),
        "type": "INVOICE",
        "status": batch.state(now),
        "createdAt": _stamp(batch.born, "milliseconds"),
        "finishedAt": finished and _stamp(finished, "milliseconds"),
        **_owner(batch.creditor),
        "succeeded": rows.succeeded(),
        "failed": rows.failed(),
    }


def _owner(creditor: Creditor) -> Row:
    client = uuid_text(Random(f"client of {creditor.id}"))
    return {"organizationId": str(creditor.id), "createdBy": client}


def _stamp(moment: datetime, precision: str) -> str:
    return moment.isoformat(timespec=precision).replace("+00:00", "Z")
