"""When things happen: each task takes an id, returns quietly when there is nothing to do, and may run twice without harm."""

import logging
import math
import time
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from uuid import UUID

from celery import Task, shared_task
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from batches import broker, discovery, sync
from batches.alerts import digest, looking, sending, telling
from batches.models import Alert, Batch, Connection, Delivery, Discovery, Message, Traffic, Walk, Worker
from batches.words import Source

logger = logging.getLogger(__name__)

STALE_AFTER = 2
"""Seconds after which a queued batch is dropped from the queue: it is due still, and a later tick queues it again."""

PROBES = 2
"""Batches queued per tick while Amili is away: the first is the probe, and one more in case that one is gone."""

HANDS = 8
"""Into how many messages a tick deals what is due, at most: the way through the queue takes longer than our own work."""

PATIENT = 30
"""Seconds that the sending of messages may wait in the queue: where it is queued again meanwhile, each is sent once."""

SEND_FOR = 5
"""Seconds for which one task takes up messages: the next tick queues another."""


def ask_now(batch_ids: Iterable[UUID], source: Source = Source.PERSON) -> None:
    """Note that somebody wants these batches asked about at once, and wake a worker.

    The note in the database is what counts: without a broker the next tick finds it.
    """
    batch_ids = set(batch_ids)
    if source == Source.PERSON:  # no page waits for the end of a record
        batch_ids -= Batch.objects.filter(pk__in=batch_ids).being_written()
    Batch.objects.make_due(batch_ids, timezone.now(), source)
    transaction.on_commit(partial(_queue, batch_ids), robust=True)


def follow(batch_ids: Iterable[UUID], source: Source = Source.PERSON) -> None:
    """Start to follow the batches that we do not know yet, and look once more for those that were not there."""
    batch_ids = list(batch_ids)
    lost = list(Batch.objects.given_up().filter(pk__in=batch_ids).values_list("pk", flat=True))
    new = Batch.objects.follow(batch_ids, timezone.now(), source)
    transaction.on_commit(partial(_queue, new), robust=True)
    if lost:
        ask_now(lost, source)


def _queue(batch_ids: Iterable[UUID]) -> None:
    """The first that cannot be queued ends it, so that a page waits for an absent broker once and not a hundred times."""
    for batch_id in batch_ids:
        if not broker.put(refresh_batch, str(batch_id), expires=STALE_AFTER):
            return


@shared_task
def refresh_batch(batch_id: str) -> None:
    """Ask Amili about one batch, if it is due and nobody else is asking."""
    now = timezone.now()
    if claimed := Batch.objects.claim(UUID(batch_id), now):
        batch = sync.refresh(claimed, asked_at=now)
        logger.info("batch %s: %s", batch_id, batch.trouble or batch.outcome)


@shared_task
def refresh_batches(batch_ids: list[str]) -> None:
    """One after the other, the most urgent first; those that are left when the time is over are due still."""
    until = time.monotonic() + STALE_AFTER
    for batch_id in batch_ids:
        if time.monotonic() < until:
            refresh_batch(batch_id)


@shared_task(bind=True)
def refresh_due_batches(self: Task) -> None:  # type: ignore[type-arg]
    """Queue what is due, no more than may be asked in a tick: who comes first is decided anew at the next.

    One that is queued twice is asked about once: the second finds it no longer due.
    """
    now = timezone.now()
    Worker.objects.give_pulse(self.request.hostname or "worker", now)
    if Connection.objects.silent(now).exists():
        return  # Amili is away: the time for a probe has not come
    due = [str(batch_id) for batch_id in _due(now)]
    for hand in range(hands := min(len(due), HANDS)):
        if not broker.put(refresh_batches, due[hand::hands], expires=STALE_AFTER):
            return


def _due(now: datetime) -> Iterable[UUID]:
    due = Batch.objects.due(now)
    if Connection.objects.away().exists():
        return due.least_lately_asked_first().values_list("pk", flat=True)[:PROBES]
    most = math.ceil(settings.AMILI_REQUESTS_PER_SECOND * STALE_AFTER)
    return due.most_urgent_first(now).values_list("pk", flat=True)[:most]


@shared_task
def discover_due_lists() -> None:
    """Queue the walks through lists that are due."""
    now = timezone.now()
    Discovery.objects.plan(settings.AMILI_ORGANIZATIONS, Walk.NEWEST, now)
    Discovery.objects.plan(settings.AMILI_ORGANIZATIONS, Walk.SWEEP, now + discovery.PAUSES[Walk.SWEEP])
    for walk_id in Discovery.objects.by_themselves(settings.AMILI_ORGANIZATIONS).due(now).values_list("pk", flat=True):
        discover_batches.apply_async((walk_id,), expires=5)


@shared_task
def discover_batches(walk_id: int) -> None:
    """Go on with a walk through one organisation's list, if it is due and nobody else is on it."""
    now = timezone.now()
    if Discovery.objects.claim(walk_id, now):
        discovery.walk_on(walk_id, claimed_at=now)


@shared_task
def look_for_alerts() -> None:
    """Open and close alerts, and put messages for who is to hear of them."""
    now = timezone.now()
    try:
        looking.look(now)
    finally:  # what is noted already is told, whatever keeps the rest from being found
        telling.tell(now)


@shared_task
def make_digest() -> None:
    """Put the morning's messages, once a morning."""
    digest.make(timezone.now())


@shared_task
def send_due_messages() -> None:
    """Queue one task for each channel on which something is due, unless somebody is at it."""
    now = timezone.now()
    busy = Message.objects.under_way(now).values("channel")
    for channel in Message.objects.due(now).exclude(channel__in=busy).values_list("channel", flat=True).distinct():
        if not broker.put(send_messages, channel, expires=PATIENT):
            return


@shared_task
def send_messages(channel: str) -> None:
    """Send what is due on a channel, one after the other; what is left when the time is over is due still."""
    until = time.monotonic() + SEND_FOR
    while time.monotonic() < until:
        now = timezone.now()
        if not (message := Message.objects.claim(channel, now)):
            return
        sending.send(message, now)


@shared_task
def forget_old() -> None:
    """Drop the logs of what is long past."""
    for table in (Traffic, Delivery, Worker, Message, Alert):
        table.objects.forget_old(timezone.now())
