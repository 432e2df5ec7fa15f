"""Asks Amili about a batch and turns the answer into rows: the only writer of Amili's facts."""

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, models, transaction
from django.utils import timezone

from batches.amili import payload
from batches.amili.client import AmiliClient
from batches.amili.errors import AmiliError, NotUnderstood
from batches.amili.payload import BatchSnapshot
from batches.amili.token import ClientCredentials, ReadyToken
from batches.amili.transport import AmiliSession
from batches.models import Batch, ErrorRow, FailedItem, LedgerResponse, SucceededItem, TimelineEntry
from batches.pace import LEASE, after_failure, is_watched, pace
from batches.verdict import doubts_about, outcome_of
from batches.words import Source, Trouble

Kind = TimelineEntry.Kind


class OwnError(AmiliError):
    """Something of ours broke while an answer was asked for or recorded; named by the kind of error alone."""

    trouble = Trouble.OWN_FAULT.value


@cache
def amili_client() -> AmiliClient:
    """The client of this process, built from the settings."""
    session = AmiliSession(version=settings.VERSION)
    token = (
        ReadyToken(settings.AMILI_TOKEN)
        if settings.AMILI_TOKEN
        else ClientCredentials(
            session=session,
            auth_url=settings.AMILI_AUTH_URL,
            client_id=settings.AMILI_CLIENT_ID,
            client_secret=settings.AMILI_CLIENT_SECRET,
        )
    )
    return AmiliClient(
        session=session, api_url=settings.AMILI_API_URL, token=token, organization_ids=settings.AMILI_ORGANIZATIONS
    )


def refresh(batch_id: UUID, *, asked_at: datetime) -> Batch:
    """Ask Amili about a batch and record what comes of it. The caller holds the claim, taken at `asked_at`."""
    organization_id, source = Batch.objects.values_list("organization_id", "asked_by").get(pk=batch_id)
    try:
        body = amili_client().get_batch(batch_id, organization_id)
        return record(batch_id, body, asked_at=asked_at, source=Source(source))
    except AmiliError as problem:
        return record_failure(batch_id, problem, asked_at=asked_at, source=Source(source))
    except Exception as fault:
        # Nobody is left waiting for an answer that a fault of ours keeps from being recorded.
        record_failure(batch_id, OwnError(type(fault).__name__), asked_at=asked_at, source=Source(source))
        raise


def record(batch_id: UUID, body: bytes, *, asked_at: datetime, source: Source = Source.CHECK) -> Batch:
    """Make our rows what this answer says. The same answer twice only moves `checked_at`."""
    digest = hashlib.sha256(body).digest()
    known = Batch.objects.values_list("digest", flat=True).get(pk=batch_id)
    try:
        # Read before the transaction, so that nobody waits for a lock while a large answer is decoded.
        snapshot = None if bytes(known) == digest else payload.read_batch(body, batch_id)
    except NotUnderstood as problem:
        return record_failure(batch_id, problem, asked_at=asked_at, source=source, body=body)
    with _locked(batch_id) as batch:
        if batch.asked_at and batch.asked_at > asked_at:
            return batch  # a question asked later was answered sooner
        is_new, had_trouble = bytes(batch.digest) != digest, bool(batch.trouble)
        if had_trouble:
            _note(batch, Kind.RECOVERED, asked_at, source)
        if is_new:
            # Unread where it was like the last one a moment ago, and another has been recorded since.
            _replace_facts(batch, snapshot or payload.read_batch(body, batch_id), asked_at, source)
            batch.digest = digest
        if is_new or had_trouble:  # after one that was not understood, the last understood is the newest again
            _keep_answer(batch, body, digest)
        batch.trouble, batch.trouble_detail, batch.trouble_since = Trouble.NONE, "", None
        batch.checked_at = asked_at
        _plan_next(batch, asked_at, source)
        return batch


def record_failure(
    batch_id: UUID, problem: AmiliError, *, asked_at: datetime, source: Source = Source.CHECK, body: bytes | None = None
) -> Batch:
    """Note that a question was not answered. What we knew stays; a body that we cannot read is kept as it came."""
    with _locked(batch_id) as batch:
        if batch.asked_at and batch.asked_at > asked_at:
            return batch  # as in `record`: what was heard since counts
        if body is not None:
            _keep_answer(batch, body, hashlib.sha256(body).digest(), problem=str(problem))
        is_sought_anew = source != Source.CHECK and _is_lost(batch)
        if batch.trouble != problem.trouble or is_sought_anew:
            batch.trouble, batch.trouble_since = Trouble(problem.trouble), asked_at
            _note(batch, Kind.TROUBLE, asked_at, source, detail=str(problem))
        batch.trouble_detail = str(problem)
        _plan_next(batch, asked_at, source)
        return batch


@contextmanager
def _locked(batch_id: UUID) -> Iterator[Batch]:
    """The batch for one writer. Not its key, so that nobody who only points to it has to wait."""
    with transaction.atomic():
        yield Batch.objects.select_for_update(no_key=True).get(pk=batch_id)


# ------------------------------------------------------------------------------------------ facts


def _replace_facts(batch: Batch, snapshot: BatchSnapshot, now: datetime, source: Source) -> None:
    before = _gist(batch)
    for name in (
        "type",
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
    batch.outcome, batch.doubts = outcome_of(snapshot), doubts_about(snapshot)
    # An answer that leaves the organisation out does not make us forget the road to the batch.
    batch.organization_id = snapshot.organization_id or batch.organization_id
    batch.error_count, batch.response_count = len(snapshot.errors), len(snapshot.responses)
    batch.succeeded_count, batch.failed_item_count = len(snapshot.succeeded), len(snapshot.failed)
    batch.changed_at = now
    _replace_rows(batch.pk, snapshot)
    if not batch.digest or before != _gist(batch):
        _note(batch, Kind.CHANGED, now, source)


def _gist(batch: Batch) -> tuple[str, str, int, int]:
    return batch.outcome, batch.status, batch.succeeded_objects, batch.failed_objects


def _keep_answer(batch: Batch, body: bytes, digest: bytes, *, problem: str = "") -> None:
    """Keep a distinct answer once; one that comes again is the newest again."""
    known = batch.answers.filter(digest=digest)
    if not known.update(received_at=timezone.now(), problem=problem):
        batch.answers.create(
            digest=digest,
            received_at=timezone.now(),
            problem=problem,
            size=len(body),
            compressed=zlib.compress(body, 1),
        )


def _note(batch: Batch, kind: Kind, at: datetime, source: Source, detail: str = "") -> None:
    TimelineEntry.objects.create(
        batch=batch,
        at=at,
        kind=kind,
        source=source,
        outcome=batch.outcome,
        status=batch.status,
        succeeded_objects=batch.succeeded_objects,
        failed_objects=batch.failed_objects,
        detail=detail,
    )


# ------------------------------------------------------------------------------------------ rows


def _replace_rows(batch_id: UUID, snapshot: BatchSnapshot) -> None:
    """All rows anew, in Amili's order; error rows also ranked by object index, those without one last."""
    for table in (ErrorRow, LedgerResponse, SucceededItem, FailedItem):
        table.objects.filter(batch_id=batch_id).delete()
    errors = sorted(
        enumerate(snapshot.errors), key=lambda row: 2**63 if row[1].objectindex is None else row[1].objectindex
    )
    _copy(
        ErrorRow,
        ("batch_id", "rank", "position", "extra", "object_name", "object_index", "message"),
        (
            (batch_id, rank, position, row.extra, row.objectname or "", row.objectindex, row.message or "")
            for rank, (position, row) in enumerate(errors)
        ),
    )
    _copy(
        LedgerResponse,
        ("batch_id", "position", "extra", "object_name", "object_index", "ledger_reference", "status_statuscode"),
        (
            (batch_id, n, r.extra, r.objectname or "", r.objectindex, r.ledgerref or "", r.status_statuscode or "")
            for n, r in enumerate(snapshot.responses)
        ),
    )
    _copy(
        SucceededItem,
        ("batch_id", "position", "extra", "kind", "invoice_number", "invoice_id", "case_id"),
        (
            (batch_id, n, r.extra, r.kind or "", r.invoice_number or "", r.invoice_id or "", r.case_id or "")
            for n, r in enumerate(snapshot.succeeded)
        ),
    )
    _copy(
        FailedItem, ("batch_id", "position", "extra"), ((batch_id, n, item) for n, item in enumerate(snapshot.failed))
    )


def _copy(table: type[models.Model], columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    """PostgreSQL's COPY: a sixth of the time of INSERTs."""
    names = ", ".join(columns)
    with connection.cursor() as cursor, cursor.copy(f"COPY {table._meta.db_table} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


# ------------------------------------------------------------------------------------------ the next question


def _plan_next(batch: Batch, asked_at: datetime, source: Source) -> None:
    """Give the claim back, set the time of the next question and save."""
    batch.asked_at = asked_at
    if batch.claimed_until == asked_at + LEASE:  # else somebody else has claimed it since
        batch.claimed_until = None
    batch.revision += 1
    wanted_meanwhile = batch.next_check_at is not None and batch.next_check_at > asked_at
    if not wanted_meanwhile:
        batch.next_check_at, batch.asked_by = _next_check(batch), Source.CHECK
        if batch.next_check_at is None and batch.trouble == Trouble.NOT_THERE:
            _note(batch, Kind.GAVE_UP, asked_at, source)
    batch.save(force_update=True)


def _next_check(batch: Batch) -> datetime | None:
    now = timezone.now()
    # Somebody wished to know more of a finished batch, and was not told yet: go on while there is trouble.
    if _is_lost(batch) or (batch.is_finished and not batch.trouble):
        return None
    # What has not changed for long will hardly change in the next second.
    unchanged_for = now - max(filter(None, (batch.changed_at or batch.first_seen_at, batch.trouble_since)))
    step = pace(unchanged_for, watched=is_watched(batch.watched_at, now))
    if step and batch.trouble:
        step = after_failure(step)
    return now + step if step else None


def _is_lost(batch: Batch) -> bool:
    """Whether Amili has not known the batch for so long that we stop looking."""
    look_until = batch.look_until
    return batch.trouble == Trouble.NOT_THERE and look_until is not None and timezone.now() >= look_until
