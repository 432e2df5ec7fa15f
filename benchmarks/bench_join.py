"""A submitted file of 100 000 objects against an answer in which 10 000 of them failed, in each of its three shapes.

The baseline parses the file with the same library and does nothing with what comes of it. Ours reads it, reads the answer
from the database, finds the base, and tells what failed, what succeeded and what was never mentioned; XLSX in a process of
its own. Beside that stands all that a person waits for: the file kept encrypted, and compared.
"""

import csv
import io
import json
import resource
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context
from typing import Any
from uuid import UUID

import django
import msgspec
from django.utils import timezone
from python_calamine import CalamineWorkbook

from batches import sync
from batches.amili.transport import Reply
from batches.facts import Question
from batches.models import Batch
from batches.submission import keep
from batches.submission.answered import absence_of, faults_of, places_of, succeeded_of
from batches.submission.base import base_of, evidence_of
from batches.submission.join import Join, joined
from batches.submission.meeting import meet
from batches.submission.reading import read
from batches.submission.sheet import packed_sheet
from benchmarks.measure import at_most, compare, seconds
from benchmarks.worker import peak_memory
from benchmarks.world import followed_batch
from sandbox.rows import CREDITORS, Rows

OBJECTS = 100_000
FAILED = 10_000
ROUNDS = 5
TIMES_BARE = 3
WAIT = 5  # seconds
MEMORY = 400  # MiB, of a process that reads the file and of the one that does it for it


def main() -> bool:
    """Measure each shape; whether all keep to their limits."""
    batch = _recorded()
    kept = [_is_fast(batch, name) for name in _BARE]
    return all(kept)


def _is_fast(batch: Batch, name: str) -> bool:
    body, bare_parse = _files()[name], _BARE[name]
    bare, ours, ratio = compare(
        ROUNDS, partial(seconds, partial(bare_parse, body)), partial(seconds, partial(_join, batch, body))
    )
    waited = min(seconds(partial(_kept_and_met, batch, body)) for _ in range(ROUNDS))
    peak = _peak(body)
    print(f"  {name}: {len(body) / 2**20:.0f} MiB, bare {bare:.2f} s, ours {ours:.2f} s")
    return all(
        [
            at_most(TIMES_BARE, f"{name}, times the bare parsing", ratio),
            at_most(WAIT, f"{name}, until it is kept and compared", waited, " s"),
            at_most(MEMORY, f"{name}, memory", peak, " MiB"),
        ]
    )


def _join(batch: Batch, body: bytes) -> Join:
    submitted = read(body)
    faults, succeeded, places = faults_of(batch), succeeded_of(batch), places_of(submitted.numbers)
    assert not absence_of(faults, succeeded, submitted.numbers, submitted.ids)
    base = base_of(evidence_of(faults, submitted.numbers, places, succeeded), None, None)
    found = joined(faults, succeeded, submitted.numbers, submitted.ids, places, base.value)
    assert (len(found.failed), found.succeeded, found.untold) == (FAILED, OBJECTS - FAILED, [])
    return found


def _kept_and_met(batch: Batch, body: bytes) -> None:
    meet(batch, keep.keep(1, batch.pk, "sent", read(body)))
    keep.forget(1, batch.pk)


# ------------------------------------------------------------------------------------------ what is measured on


def _recorded() -> Batch:
    batch, rows = followed_batch(), _rows()
    data = {
        "batchId": str(batch.pk),
        "type": "INVOICE",
        "status": {"statuscode": 0, "errors": rows.errors(), "responses": []},
        "createdAt": "2026-03-02T08:00:00Z",
        "finishedAt": "2026-03-02T08:05:00Z",
        "organizationId": str(CREDITORS[0].id),
        "succeeded": rows.succeeded(),
        "failed": [],
    }
    body = json.dumps({"summary": {"status": "SUCCESS"}, "data": data}).encode()
    return sync.record(batch.pk, Reply(200, body), Question(timezone.now()))


@cache
def _rows() -> Rows:
    return Rows(CREDITORS[0], 0, OBJECTS, FAILED)


@cache
def _files() -> dict[str, bytes]:
    invoices = [_invoice(n) for n in range(OBJECTS)]
    header, cells = list(invoices[0]), [list(each.values()) for each in invoices]
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerows([header, *cells])
    return {
        "JSON": json.dumps({"invoices": invoices}, ensure_ascii=False).encode(),
        "CSV": text.getvalue().encode(),
        "XLSX": b"".join(packed_sheet("Invoices", [header], cells)),
    }


def _invoice(n: int) -> dict[str, Any]:
    return {
        "type": "NOTICE",
        "invoiceNumber": _rows().number(n),
        "vat": True,
        "fees": n % 2 == 0,
        "originalInvoiceAmount": 450.25 + n,
        "currency": "NOK",
        "invoiceDate": "2026-01-05",
        "dueDate": "2026-01-19",
        "collectionNoticeDate": "2026-02-02",
        "uniqueSourceInvoiceId": str(UUID(int=n)),
        "description": "Services of January 2026",
        "debtor.type": "PRIVATE",
        "debtor.firstName": "Åse",
        "debtor.lastName": f"Nordmann {n}",
        "debtor.nationalId": f"018{n:08d}",
        "debtor.email": f"debtor{n}@example.no",
        "debtor.phone": f"+4790{n:06d}",
        "debtor.address.street": "Storgata 1",
        "debtor.address.postalCode": "0150",
        "debtor.address.city": "Oslo",
    }


_BARE: dict[str, Callable[[bytes], object]] = {
    "JSON": msgspec.json.decode,
    "CSV": lambda body: list(csv.reader(io.StringIO(body.decode(), newline=""), delimiter=";")),
    "XLSX": lambda body: CalamineWorkbook.from_filelike(io.BytesIO(body)).get_sheet_by_index(0).to_python(),
}


# ------------------------------------------------------------------------------------------ memory


def _peak(body: bytes) -> float:
    """MiB that a fresh process has had at most after reading the file, or the process that has read it for that one."""
    with ProcessPoolExecutor(1, get_context("spawn"), django.setup) as processes:
        return processes.submit(_peak_here, body).result()


def _peak_here(body: bytes) -> float:
    read(body)
    return max(peak_memory(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
