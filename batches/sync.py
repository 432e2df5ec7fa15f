"""Asks Amili about batches, records what comes of it, and sets the time of the next question."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Greatest
from django.utils import timezone

from batches.amili import payload
from batches.amili.errors import AmiliError, NotUnderstood, Paused
from batches.amili.transport import Reply
from batches.causes import count_for
from batches.copying import add_all, copy_values, new_keys
from batches.facts import Question, Told, add_rows, answer_fields, regroup, replace_rows, set_facts, told_by
from batches.models import Answer, Batch, TimelineEntry
from batches.pace import LATE_CHECK, LEASE, after, is_watched, pace
from batches.tally import line_of, move
from batches.upstream import amili_client
from batches.words import Source, Trouble

Kind = TimelineEntry.Kind
LONGEST_PUT_OFF = timedelta(seconds=5)


class OwnError(AmiliError):
    """Something of ours broke while an answer was asked for or recorded; named by the kind of error alone."""

    trouble = Trouble.OWN_FAULT.value


class Found(NamedTuple):
    """A batch that a list names, and what the list says of it: all, or a part that is no answer."""

    batch_id: UUID
    created_at: datetime | None
    reply: Reply
    told: Told | None


def refresh(known: Batch, *, asked_at: datetime) -> Batch:
    """Ask Amili about a batch and record what comes of it. The caller holds the claim, taken at `asked_at`."""
    question = Question(asked_at, Source(known.asked_by))
    try:
        reply = amili_client().get_batch(known.pk, known.organization_id)
        return _confirmed(known, reply, question) or record(known.pk, reply, question)
    except Paused as pause:
        return _put_off(known, pause, question)
    except AmiliError as problem:
        return record_failure(known.pk, problem, question)
    except Exception as fault:
        # Nobody is left waiting for an answer that a fault of ours keeps from being recorded.
        record_failure(known.pk, OwnError(type(fault).__name__), question)
        raise


def record(batch_id: UUID, reply: Reply, question: Question) -> Batch:
    """Make our rows what this answer says. The same answer twice only moves `checked_at`."""
    digest = payload.identity(reply.body)
    known = Batch.objects.values_list("digest", flat=True).get(pk=batch_id)
    try:
        told = None if bytes(known) == digest else told_by(payload.read_batch(reply.body, batch_id))
    except NotUnderstood as problem:
        return record_failure(batch_id, problem, question, reply)
    with _locked(batch_id) as batch:
        answer = partial(_keep_answer, batch, reply, digest, question)
        if batch.asked_at and batch.asked_at > question.asked_at:
            answer()  # one more version; but a question asked later was answered sooner, and counts
            return batch
        is_new, had_trouble = bytes(batch.digest) != digest, bool(batch.trouble)
        if had_trouble:
            _note(batch, Kind.RECOVERED, question)
        if is_new:
            # Unread where it was like the last one a moment ago, and another has been recorded since.
            _replace_facts(batch, told or told_by(payload.read_batch(reply.body, batch_id)), question, answer)
            batch.digest = digest
        elif had_trouble:  # after one that was not understood, the last understood is the newest again
            answer()
        batch.trouble, batch.trouble_detail, batch.trouble_since = Trouble.NONE, "", None
        batch.checked_at = question.asked_at
        _plan_next(batch, question)
        return batch


def record_failure(batch_id: UUID, problem: AmiliError, question: Question, reply: Reply | None = None) -> Batch:
    """Note that a question was not answered. What we knew stays; a body that we cannot read is kept as it came."""
    with _locked(batch_id) as batch:
        answer = None
        if reply is not None:
            answer = _keep_answer(batch, reply, payload.identity(reply.body), question, problem=str(problem))
        if batch.asked_at and batch.asked_at > question.asked_at:
            return batch  # as in `record`: what was heard since counts
        is_sought_anew = question.source != Source.CHECK and _is_lost(batch)
        if batch.trouble != problem.trouble or is_sought_anew:
            batch.trouble, batch.trouble_since = Trouble(problem.trouble), question.asked_at
            _note(batch, Kind.TROUBLE, question, answer, detail=str(problem), request_id=problem.request_id)
        batch.trouble_detail = str(problem)
        _plan_next(batch, question, wait=timedelta(seconds=problem.retry_after or 0))
        return batch


def _confirmed(known: Batch, reply: Reply, question: Question) -> Batch | None:
    """The usual case in one statement: nothing has changed, neither at Amili nor, since `known` was read, here."""
    if known.trouble or bytes(known.digest) != payload.identity(reply.body):
        return None
    next_check_at = _next_check(known, question)
    if not Batch.objects.confirm(known, question.asked_at, next_check_at):
        return None
    known.asked_at, known.next_check_at = question.asked_at, next_check_at
    return known


def _put_off(known: Batch, pause: Paused, question: Question) -> Batch:
    """Nothing was asked, so that nothing is known anew: a wish stays noted, and what was wrong before is still what is wrong."""
    wait = min(max(timedelta(seconds=pause.until), timedelta(seconds=1)), LONGEST_PUT_OFF)
    Batch.objects.put_back(known.pk, question.asked_at, timezone.now() + wait)
    return known


def record_new(found: Sequence[Found], organization_id: UUID, listed_at: datetime | None, question: Question) -> None:
    """Follow batches that a list names: with their facts where it tells all of them, else to be asked about in their turn.

    Raises IntegrityError, and leaves nothing, where somebody else has begun to follow one of them at this moment.
    """
    if not found:
        return
    now = question.asked_at
    unknown = Batch(
        organization_id=organization_id,
        listed_at=listed_at,
        first_seen_at=now,
        next_check_at=now,
        asked_by=question.source,
    )
    batches = [_new_batch(unknown, each, question) for each in found]
    whole = [(batch, each, each.told) for batch, each in zip(batches, found, strict=True) if each.told]
    with transaction.atomic():
        keys = new_keys(Answer, len(whole))
        answers = [
            {"id": key, "batch_id": batch.pk, "digest": batch.digest, **answer_fields(each.reply, question)}
            for key, (batch, each, _) in zip(keys, whole, strict=True)
        ]
        add_all(batches)
        copy_values(Answer, answers)
        copy_values(
            TimelineEntry,
            [_entry(batch, Kind.FIRST_SEEN, question) for batch in batches]
            + [_entry(batch, Kind.CHANGED, question, key) for key, (batch, _, _) in zip(keys, whole, strict=True)],
        )
        add_rows([(batch, told) for batch, _, told in whole])  # at last: others wait for the causes from then on
        move([], map(line_of, batches))


def place(batch_ids: Sequence[UUID], organization_id: UUID) -> None:
    """Note whose these batches are, where no answer has said so: that is the road to them, and they count for it."""
    with transaction.atomic():
        nobodys = Batch.objects.filter(pk__in=batch_ids, organization_id__isnull=True).order_by("pk")
        batches = list(nobodys.select_for_update(no_key=True))
        before = list(map(line_of, batches))
        ids = [batch.pk for batch in batches]
        Batch.objects.filter(pk__in=ids).update(organization_id=organization_id)
        count_for(organization_id, ids)
        move(before, [line._replace(organization_id=organization_id) for line in before])


def regroup_batch(batch_id: UUID) -> None:
    """Group the error rows of a batch anew, from the answer that is kept of it."""
    batch = Batch.objects.get(pk=batch_id)
    answer = batch.answers.filter(digest=batch.digest).first()
    told = told_by(payload.read_batch(answer.body, batch_id)) if answer else None
    with _locked(batch_id) as held:
        if told and bytes(held.digest) == bytes(batch.digest):  # else it has just been recorded, by today's rules
            regroup(held, told)


def _new_batch(unknown: Batch, found: Found, question: Question) -> Batch:
    batch = copy(unknown)  # in a tenth of the time that a new one takes
    batch.pk, batch.created_at = found.batch_id, found.created_at
    if found.told:
        set_facts(batch, found.told.snapshot, question.asked_at)
        batch.digest = payload.identity(found.reply.body)
        batch.asked_at = batch.checked_at = question.asked_at
        batch.next_check_at, batch.asked_by = _next_check(batch, question), Source.CHECK
    return batch


@contextmanager
def _locked(batch_id: UUID) -> Iterator[Batch]:
    """The batch for one writer. Not its key, so that nobody who only points to it has to wait."""
    with transaction.atomic():
        yield Batch.objects.select_for_update(no_key=True).get(pk=batch_id)


# ------------------------------------------------------------------------------------------ facts


def _replace_facts(batch: Batch, told: Told, question: Question, keep_answer: Callable[[], Answer]) -> None:
    before, counted = _gist(batch), line_of(batch)
    answer = keep_answer()  # before the rows, whose causes others wait for from then on
    if set_facts(batch, told.snapshot, question.asked_at):
        replace_rows(batch, told)
        move([counted], [line_of(batch)])
    if not batch.digest or before != _gist(batch):
        _note(batch, Kind.CHANGED, question, answer)


def _gist(batch: Batch) -> tuple[str, str, int, int]:
    return batch.outcome, batch.status, batch.succeeded_objects, batch.failed_objects


def _keep_answer(batch: Batch, reply: Reply, digest: bytes, question: Question, *, problem: str = "") -> Answer:
    """Keep a distinct answer once; one that comes again is the newest again."""
    answer, is_new = Answer.objects.defer("compressed").get_or_create(
        batch=batch, digest=digest, defaults=answer_fields(reply, question, problem)
    )
    if not is_new:
        batch.answers.filter(pk=answer.pk).update(
            received_at=Greatest("received_at", question.asked_at), problem=problem
        )
    return answer


def _note(batch: Batch, kind: Kind, question: Question, answer: Answer | None = None, **more: str) -> None:
    TimelineEntry.objects.create(**_entry(batch, kind, question, answer.pk if answer else None, **more))


def _entry(
    batch: Batch,
    kind: Kind,
    question: Question,
    answer_id: int | None = None,
    *,
    detail: str = "",
    request_id: str = "",
) -> dict[str, Any]:
    """The values of a line of history, by column."""
    return {
        "batch_id": batch.pk,
        "at": question.asked_at,
        "kind": kind,
        "source": question.source,
        "outcome": batch.outcome if kind != Kind.FIRST_SEEN else "",
        "status": batch.status,
        "succeeded_objects": batch.succeeded_objects,
        "failed_objects": batch.failed_objects,
        "detail": detail,
        "request_id": request_id,
        "answer_id": answer_id,
    }


# ------------------------------------------------------------------------------------------ the next question


def _plan_next(batch: Batch, question: Question, wait: timedelta = timedelta()) -> None:
    """Give the claim back, set the time of the next question and save."""
    batch.asked_at = question.asked_at
    if batch.claimed_until == question.asked_at + LEASE:  # else somebody else has claimed it since
        batch.claimed_until = None
    batch.revision += 1
    wanted_meanwhile = batch.next_check_at is not None and batch.next_check_at > question.asked_at
    if not wanted_meanwhile:
        batch.next_check_at, batch.asked_by = _next_check(batch, question, wait), Source.CHECK
        if batch.next_check_at is None and batch.trouble == Trouble.NOT_THERE:
            _note(batch, Kind.GAVE_UP, question)
    batch.save(force_update=True)


def _next_check(batch: Batch, question: Question, wait: timedelta = timedelta()) -> datetime | None:
    now = timezone.now()
    if _is_lost(batch):
        return None
    if batch.is_finished and not batch.trouble:
        late_check = (batch.changed_at or now) + LATE_CHECK
        return late_check if question.asked_at < late_check else None
    # What has not changed for long will hardly change in the next second.
    unchanged_for = now - max(filter(None, (batch.changed_at or batch.first_seen_at, batch.trouble_since)))
    step = pace(unchanged_for, watched=is_watched(batch.watched_at, now))
    if batch.trouble:
        step = after(Trouble(batch.trouble), step, wait)
    return now + step if step else None


def _is_lost(batch: Batch) -> bool:
    """Whether Amili has not known the batch for so long that we stop looking."""
    look_until = batch.look_until
    return batch.trouble == Trouble.NOT_THERE and look_until is not None and timezone.now() >= look_until
