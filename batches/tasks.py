"""When things happen: each task takes an id, returns quietly when there is nothing to do, and may run twice without harm."""

import logging
from collections.abc import Iterable
from functools import partial
from uuid import UUID

from celery import shared_task
from django.db import transaction
from django.utils import timezone

from batches import sync
from batches.models import Batch
from batches.words import Source

logger = logging.getLogger(__name__)

DISPATCH_AT_MOST = 200
"""Batches queued per tick, so that one tick never floods the queue; the longest overdue go first."""


def ask_now(batch_ids: Iterable[UUID], source: Source = Source.PERSON) -> None:
    """Note that somebody wants these batches asked about at once, and wake a worker.

    The note in the database is what counts: without a broker the next tick finds it.
    """
    batch_ids = list(batch_ids)
    Batch.objects.make_due(batch_ids, timezone.now(), source)
    transaction.on_commit(partial(_queue, batch_ids), robust=True)


def follow(batch_ids: Iterable[UUID], source: Source = Source.PERSON) -> None:
    """Start to follow the batches that we do not know yet, and look once more for those that were not there."""
    batch_ids = list(batch_ids)
    lost = list(Batch.objects.given_up().filter(pk__in=batch_ids).values_list("pk", flat=True))
    new = Batch.objects.follow(batch_ids, timezone.now(), source)
    transaction.on_commit(partial(_queue, new), robust=True)
    ask_now(lost, source)


def _queue(batch_ids: Iterable[UUID]) -> None:
    """The first that cannot be queued ends it, so that a page waits for an absent broker once and not a hundred times."""
    for batch_id in batch_ids:
        refresh_batch.delay(str(batch_id))


@shared_task
def refresh_batch(batch_id: str) -> None:
    """Ask Amili about one batch, if it is due and nobody else is asking."""
    now = timezone.now()
    if not Batch.objects.claim(UUID(batch_id), now):
        return
    batch = sync.refresh(UUID(batch_id), asked_at=now)
    logger.info("batch %s: %s", batch_id, batch.trouble or batch.outcome)


@shared_task
def refresh_due_batches() -> None:
    """Queue every batch that is due. One that is queued twice is asked about once: the second finds it no longer due."""
    due = Batch.objects.due(timezone.now()).values_list("pk", flat=True)[:DISPATCH_AT_MOST]
    _queue(due)
