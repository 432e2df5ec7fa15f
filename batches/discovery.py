"""Finds batches by itself: goes through each organisation's list and follows what is new.

A walk keeps its place in the database after each page, in one transaction with the batches of that page: a walk that was
stopped goes on where it was. One for new batches may stop at the first that an earlier, completed walk has listed, but
only while the list proves to be newest first.
"""

import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, connections, transaction
from django.utils import timezone

from batches import sync
from batches.amili import payload
from batches.amili.errors import AmiliError, NotUnderstood, Paused, Refused
from batches.amili.payload import BatchSnapshot, Listed, ListPage
from batches.amili.transport import Reply
from batches.facts import Question, told_by_each
from batches.models import Batch, Discovery, Walk
from batches.sync import Found
from batches.upstream import amili_client
from batches.verdict import outcome_of
from batches.words import FINISHED, Source, Trouble

logger = logging.getLogger(__name__)

RUN_FOR = 3.0  # seconds after which a walk gives the worker back to others, and goes on later
MOST_PAGES = 10_000
PAUSES = {  # from the end of one walk to the start of the next
    Walk.NEWEST: timedelta(seconds=30),
    Walk.SWEEP: timedelta(days=1),
    Walk.BACKFILL: timedelta(days=36_500),
}
AFTER_TROUBLE = timedelta(minutes=1)
SWEEP_PAGE = timedelta(seconds=5)


def walk_on(pk: int, *, claimed_at: datetime) -> Discovery:
    """Go on with a walk for a while. The caller holds the claim, taken at `claimed_at`."""
    place = Discovery.objects.get(pk=pk)
    if place.started_at is None:
        _set_out(place, claimed_at)
    try:
        _walk(place)
    except Paused as pause:
        _rest(place, timedelta(seconds=max(pause.until, 1)))
    except AmiliError as problem:
        _stumble(place, problem)
    except Exception as fault:
        # Told on the connection page; a walk that only ended with its lease would look like one that is under way.
        _stumble(place, sync.OwnError(type(fault).__name__))
        raise
    return place


def _set_out(place: Discovery, now: datetime) -> None:
    back_to = now - timedelta(days=settings.AMILI_DISCOVERY_DAYS)
    place.save_as_claimed(
        started_at=now, back_to=place.back_to or back_to, page_token="", pages=0, reached_at=None, is_ordered=True
    )


def _walk(place: Discovery) -> None:
    """Page after page, each fetched while the one before is recorded."""
    until = time.monotonic() + RUN_FOR
    with _beside() as ahead:
        page = _fetch(place.organization_id, place.page_token)
        while True:
            if page.unreadable:
                logger.warning("list of %s: %s items name no batch", place.organization_id, page.unreadable)
            known = _known(page)
            is_last = _is_last(place, page, known)
            goes_on = not is_last and place.walk != Walk.SWEEP and time.monotonic() < until
            upcoming = ahead.submit(_fetch, place.organization_id, page.next_token) if goes_on else None
            if not _take(place, page, known, is_last=is_last):
                return  # somebody else goes on, since our claim ran out
            if upcoming is None:
                break
            page = upcoming.result()
    if not is_last:
        _rest(place, SWEEP_PAGE if place.walk == Walk.SWEEP else timedelta())


def _fetch(organization_id: UUID, page_token: str) -> ListPage:
    client = amili_client()
    try:
        reply = client.list_batches(organization_id, page_token)
    except Refused as problem:
        if problem.status not in (400, 422):
            raise
        # Which directions of sorting it knows is documented nowhere. What comes is looked at for its order anyway.
        reply = client.list_batches(organization_id, page_token, newest_first=False)
    return payload.read_list(reply.body)


@contextmanager
def _beside() -> Iterator[ThreadPoolExecutor]:
    """A thread beside this one, with a connection to the database of its own until the end."""
    with ThreadPoolExecutor(1, "list") as thread:
        try:
            yield thread
        finally:
            thread.submit(connections.close_all)


# ------------------------------------------------------------------------------------------ one page


def _known(page: ListPage) -> dict[UUID, Batch]:
    fields = ("listed_at", "digest", "outcome", "trouble", "next_check_at", "organization_id")
    return Batch.objects.only(*fields).in_bulk([item.batch_id for item in page.items])


def _is_last(place: Discovery, page: ListPage, known: Mapping[UUID, Batch]) -> bool:
    """Whether nothing beyond this page is for this walk to find."""
    created = [item.created_at for item in page.items if item.created_at]
    is_ordered = place.is_ordered and created == sorted(created, reverse=True)
    if place.reached_at and created:
        is_ordered = is_ordered and created[0] <= place.reached_at
    place.is_ordered, place.reached_at = is_ordered, created[-1] if created else place.reached_at
    if not page.next_token or page.next_token == place.page_token:
        return True
    if place.pages >= MOST_PAGES:
        raise NotUnderstood("The list does not end")
    is_too_old = bool(created) and place.back_to is not None and created[-1] < place.back_to
    return is_ordered and (is_too_old or (place.walk == Walk.NEWEST and _meets_the_last_walk(place, known)))


def _meets_the_last_walk(place: Discovery, known: Mapping[UUID, Batch]) -> bool:
    """One that a person has followed by hand is no proof that those before it are known; one that was listed then is."""
    complete_at = place.complete_at
    return complete_at is not None and any(
        batch.listed_at and batch.listed_at <= complete_at for batch in known.values()
    )


def _take(place: Discovery, page: ListPage, known: Mapping[UUID, Batch], *, is_last: bool) -> bool:
    """Record a page and our place behind it. False, and nothing, if our claim has run out."""
    now = timezone.now()
    new = {item.batch_id: item for item in page.items if item.batch_id not in known}
    found = _found([new[batch_id] for batch_id in sorted(new)])  # in one order for all, as `BatchQuerySet.follow` does
    unplaced = [batch.pk for batch in known.values() if not batch.organization_id]
    with transaction.atomic(), connection.cursor() as cursor:
        # A crash of the database may forget a page: our place goes with it, and nobody needs to wait for the disk.
        cursor.execute("SET LOCAL synchronous_commit = off")
        held = place.save_as_claimed(
            page_token=page.next_token,
            pages=place.pages + 1,
            reached_at=place.reached_at,
            is_ordered=place.is_ordered,
            found_at=now if new else place.found_at,
            trouble=Trouble.NONE,
            trouble_detail="",
        )
        if held:
            _note_listed([batch.pk for batch in known.values() if not batch.listed_at], place)
            Batch.objects.make_due(_changed(place, page, known), now, Source.DISCOVERY)
            # After these, as whoever records holds a batch before its causes.
            unplaced += _begin(found, place, Question(now, Source.DISCOVERY))
            if is_last:
                _arrive(place, now)
    if held and unplaced:
        sync.place(unplaced, place.organization_id)
    return held


def _begin(found: Sequence[Found], place: Discovery, question: Question) -> list[UUID]:
    """Follow what is new. Gives those whose organisation has still to be noted."""
    try:
        sync.record_new(found, place.organization_id, place.started_at, question)
        return []
    except IntegrityError:
        # A person has just pasted one of them: all come by the ordinary road, where nobody is in the way of anybody.
        ids = [each.batch_id for each in found]
        Batch.objects.follow(ids, question.asked_at, question.source)
        _note_listed(ids, place)
        return ids


def _note_listed(batch_ids: Iterable[UUID], place: Discovery) -> None:
    """As of the start of the walk: what is listed before the start of one that was completed lies on known ground."""
    Batch.objects.filter(pk__in=batch_ids, listed_at__isnull=True).update(listed_at=place.started_at)


def _found(items: Sequence[Listed]) -> list[Found]:
    snapshots = {item.batch_id: _snapshot(item) for item in items}
    whole = {batch_id: snapshot for batch_id, snapshot in snapshots.items() if snapshot and snapshot.is_whole}
    told = dict(zip(whole, told_by_each(list(whole.values())), strict=True))
    return [Found(item.batch_id, item.created_at, Reply(200, item.body), told.get(item.batch_id)) for item in items]


def _snapshot(item: Listed) -> BatchSnapshot | None:
    try:
        return payload.read_batch(item.body, item.batch_id)
    except NotUnderstood:
        return None


def _changed(place: Discovery, page: ListPage, known: Mapping[UUID, Batch]) -> list[UUID]:
    """Batches that the list knows more of than we do."""
    return [
        item.batch_id for item in page.items if (batch := known.get(item.batch_id)) and _tells_more(place, item, batch)
    ]


def _tells_more(place: Discovery, item: Listed, batch: Batch) -> bool:
    """That a batch is there after all; that it has finished; and, to a sweep, that a finished one has changed since.

    A list that never agrees with the batch's own answer must not make us ask at every walk.
    """
    if batch.trouble:
        doubtful = (Trouble.NOT_THERE,) if place.walk == Walk.NEWEST else (Trouble.NOT_THERE, Trouble.GONE)
        return batch.trouble in doubtful and batch.next_check_at is None
    if bytes(batch.digest) == payload.identity(item.body) or (batch.is_finished and place.walk == Walk.NEWEST):
        return False
    snapshot = _snapshot(item)
    outcome = outcome_of(snapshot) if snapshot else batch.outcome
    return outcome in FINISHED and outcome != batch.outcome


# ------------------------------------------------------------------------------------------ the walk


def _arrive(place: Discovery, now: datetime) -> None:
    place.save_as_claimed(
        complete_at=place.started_at,
        started_at=None,
        back_to=None,
        page_token="",
        next_at=now + PAUSES[Walk(place.walk)],
        claimed_until=None,
    )


def _rest(place: Discovery, wait: timedelta) -> None:
    """Give the claim back; the walk goes on later."""
    place.save_as_claimed(next_at=timezone.now() + wait, claimed_until=None)


def _stumble(place: Discovery, problem: AmiliError) -> None:
    """Note what keeps the walk from going on. A page that Amili refuses may be one that it has forgotten: anew then."""
    is_lost = problem.status in (400, 404, 410, 422) or place.pages >= MOST_PAGES
    anew = {"started_at": None} if is_lost else {}
    wait = max(AFTER_TROUBLE, timedelta(seconds=problem.retry_after or 0))
    place.save_as_claimed(
        trouble=Trouble(problem.trouble),
        trouble_detail=str(problem),
        next_at=timezone.now() + wait,
        claimed_until=None,
        **anew,
    )
