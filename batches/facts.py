"""How an answer becomes rows: the only writer of Amili's facts."""

import hashlib
import zlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from batches.amili import payload
from batches.amili.failed import Failure
from batches.amili.payload import BatchSnapshot
from batches.amili.transport import Reply
from batches.causes import Grouped, group_each, set_causes, take_causes
from batches.copying import copy_rows
from batches.fingerprint import GROUPING
from batches.models import Batch, BatchCause, ErrorRow, FailedItem, LedgerResponse, SucceededItem
from batches.verdict import doubts_about, outcome_of
from batches.words import Source

LONGEST_TYPE = 200


class Question(NamedTuple):
    """What was asked: when, which is also the mark of the claim, and who wanted it."""

    asked_at: datetime
    source: Source = Source.CHECK


class Told(NamedTuple):
    """What an answer says, and the causes of its error rows.

    Made before the transaction in which it is recorded: that decoding a large answer holds no lock, and that nobody waits
    for the causes that are new.
    """

    snapshot: BatchSnapshot
    causes: Grouped


def told_by(snapshot: BatchSnapshot) -> Told:
    """With the causes of its error rows."""
    return told_by_each([snapshot])[0]


def told_by_each(snapshots: Sequence[BatchSnapshot]) -> list[Told]:
    """The same of several answers, whose causes are looked up at once."""
    return list(map(Told, snapshots, group_each([snapshot.faults for snapshot in snapshots])))


def set_facts(batch: Batch, snapshot: BatchSnapshot, changed_at: datetime) -> bool:
    """Give a batch, not yet saved, the facts of an answer. False if it has them: what else an answer holds is no change."""
    digest = hashlib.sha256(msgspec.msgpack.encode(snapshot)).digest()
    if bytes(batch.facts_digest) == digest:
        return False
    batch.facts_digest, batch.changed_at = digest, changed_at
    # It stands in an index, which takes no text without end; the whole of it stands in the answer.
    batch.type = snapshot.type[:LONGEST_TYPE]
    for name in (
        "status",
        "statuscode",
        "created_at",
        "finished_at",
        "created_by",
        "succeeded_objects",
        "failed_objects",
        "odd_fields",
    ):
        setattr(batch, name, getattr(snapshot, name))
    batch.grouping = GROUPING
    batch.outcome, batch.doubts = outcome_of(snapshot), doubts_about(snapshot)
    # An answer that leaves the organisation out does not make us forget the road to the batch.
    batch.organization_id = snapshot.organization_id or batch.organization_id
    batch.error_count, batch.response_count = len(snapshot.faults), len(snapshot.responses)
    batch.succeeded_count, batch.failed_item_count = len(snapshot.succeeded), len(snapshot.failed)
    return True


def answer_fields(reply: Reply, question: Question, problem: str = "") -> dict[str, Any]:
    """What is kept of an answer beside its digest."""
    return {
        "received_at": question.asked_at,
        "first_received_at": question.asked_at,
        "source": question.source,
        "request_id": reply.request_id,
        "problem": problem,
        "size": len(reply.body),
        "compressed": zlib.compress(reply.body, 1),
    }


def replace_rows(batch: Batch, told: Told, *, is_news: bool = True) -> None:
    """All rows of a batch anew."""
    for table in (ErrorRow, LedgerResponse, SucceededItem, FailedItem):
        table.objects.filter(batch_id=batch.pk).delete()
    add_rows([(batch, told)], take_causes(batch), is_news=is_news)


def regroup(batch: Batch, told: Told) -> None:
    """Read the rows of the answer that we have by today's rules, which is no news about the batch."""
    batch.grouping, batch.error_count = GROUPING, len(told.snapshot.faults)
    batch.revision += 1
    replace_rows(batch, told, is_news=False)
    batch.save(update_fields=["grouping", "error_count", "revision"])


def add_rows(
    each: Sequence[tuple[Batch, Told]], causes_before: Sequence[BatchCause] = (), *, is_news: bool = True
) -> None:
    """Rows of batches that have none, in Amili's order; error rows also ranked by object index, those without one last."""
    keyed = [(str(batch.pk), told) for batch, told in each]  # as text, once, and not once a row
    _add_error_rows(keyed)
    _add_responses(keyed)
    _add_succeeded(keyed)
    _add_failed(keyed)
    set_causes([(batch, told.causes.shares) for batch, told in each], causes_before, is_news=is_news)


# ------------------------------------------------------------------------------------------ rows

type Keyed = Sequence[tuple[str, Told]]
"""What answers say, each with the ID of its batch."""


def _add_error_rows(keyed: Keyed) -> None:
    copy_rows(
        ErrorRow,
        "batch_id, rank, position, extra, object_name, object_index, message, invoice_number, cause_id",
        (
            (pk, rank, n, r.extra, r.objectname or "", r.objectindex, r.message or "", r.invoice_number or "", cause)
            for pk, told in keyed
            for rank, (n, r, cause) in enumerate(_by_index(told.snapshot.faults, told.causes.cause_ids))
        ),
    )


def _add_responses(keyed: Keyed) -> None:
    copy_rows(
        LedgerResponse,
        "batch_id, position, extra, object_name, object_index, ledger_reference, status_statuscode",
        (
            (pk, n, r.extra, r.objectname or "", r.objectindex, r.ledgerref or "", r.status_statuscode or "")
            for pk, told in keyed
            for n, r in enumerate(told.snapshot.responses)
        ),
    )


def _add_succeeded(keyed: Keyed) -> None:
    copy_rows(
        SucceededItem,
        "batch_id, position, extra, kind, invoice_number, invoice_id, case_id",
        (
            (pk, n, r.extra, r.kind or "", r.invoice_number or "", r.invoice_id or "", r.case_id or "")
            for pk, told in keyed
            for n, r in enumerate(told.snapshot.succeeded)
        ),
    )


def _add_failed(keyed: Keyed) -> None:
    rows = ((pk, n, item) for pk, told in keyed for n, item in enumerate(told.snapshot.failed))
    copy_rows(FailedItem, "batch_id, position, extra", rows)


type Fault = payload.ErrorRow | Failure


def _by_index(faults: Sequence[Fault], cause_ids: Sequence[int]) -> list[tuple[int, Fault, int]]:
    rows = zip(range(len(faults)), faults, cause_ids, strict=True)
    return sorted(rows, key=lambda row: 2**63 if row[1].objectindex is None else row[1].objectindex)
