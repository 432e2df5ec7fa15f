"""How long an organisation's batches usually take, and which of those that run are stuck."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from batches.days import last_of
from batches.models import NO_ORGANIZATION, Batch, BatchQuerySet
from batches.pace import SLOW
from batches.rhythm.rows import rows_of

FEWEST_FINISHED = 20
"""Of fewer batches nobody can say how long they usually take."""

# Everybody's is looked up only if somebody asked for needs it.
_USUALLY_WITHIN = """
    WITH own AS (
        SELECT organization_id, seconds, sum(batches) AS batches FROM batches_organizationpace
        WHERE organization_id = ANY(%(ids)s) AND month BETWEEN %(first)s AND %(last)s
        GROUP BY organization_id, seconds
    ),
    own_reached AS (
        SELECT organization_id, seconds, sum(batches) OVER (PARTITION BY organization_id) AS total,
            sum(batches) OVER (PARTITION BY organization_id ORDER BY seconds) AS reached
        FROM own
    ),
    own_limit AS (
        SELECT organization_id, min(seconds) AS seconds FROM own_reached
        WHERE total >= %(fewest)s AND reached >= 0.99 * total GROUP BY organization_id
    ),
    everybody AS (
        SELECT seconds, sum(sum(batches)) OVER () AS total, sum(sum(batches)) OVER (ORDER BY seconds) AS reached
        FROM batches_daypace WHERE day BETWEEN %(first)s AND %(last)s GROUP BY seconds
    )
    SELECT organization_id, coalesce(own_limit.seconds, (
        SELECT min(seconds) FROM everybody WHERE total >= %(fewest)s AND reached >= 0.99 * total
    ))
    FROM unnest(%(ids)s::uuid[]) AS asked (organization_id) LEFT JOIN own_limit USING (organization_id)
"""


def usually_within(organization_ids: Collection[UUID], now: datetime) -> dict[UUID, timedelta | None]:
    """The time within which 99 of 100 of their batches of this month and the two before were done.

    Everybody's for those of whom fewer than FEWEST_FINISHED were; None where nobody can say.
    """
    last = last_of(timezone.localdate(now))
    first = last.replace(day=1)
    for _ in range(2):
        first = (first - timedelta(days=1)).replace(day=1)
    given = {"ids": list(organization_ids), "first": first, "last": last, "fewest": FEWEST_FINISHED}
    return {
        organization_id: None if seconds is None else timedelta(seconds=int(seconds))
        for organization_id, seconds in rows_of(_USUALLY_WITHIN, given)
    }


def limits_of(organization_ids: Collection[UUID], now: datetime) -> dict[UUID, timedelta]:
    """How long their batches may run before they are called stuck: as long as they usually do, and never less than SLOW."""
    usual = usually_within(organization_ids, now)
    return {organization_id: max(within or SLOW, SLOW) for organization_id, within in usual.items()}


def stuck(at: datetime, batches: BatchQuerySet) -> list[Batch]:
    """Those of these batches that were open at this moment and had run for longer than their organisation's usually do.

    One of which Amili has told nothing yet is not among them: it may be old and long finished.
    """
    candidates = batches.open_at(at).filter(submitted_at__lt=at - SLOW, checked_at__isnull=False)
    return _over_the_limit(list(candidates), at)


def mark_stuck(batches: Iterable[Batch], now: datetime) -> list[Batch]:
    """Give those of these batches that are stuck now their `limit`, for the page that shows them. Often costs no query."""
    return _over_the_limit([batch for batch in batches if _is_slow(batch, now)], now)


def _is_slow(batch: Batch, now: datetime) -> bool:
    """The candidates of `stuck`, of batches that have been read."""
    is_running = batch.checked_at is not None and batch.next_check_at is not None and not batch.is_finished
    return is_running and now - batch.submission > SLOW


def _over_the_limit(batches: Sequence[Batch], at: datetime) -> list[Batch]:
    if not batches:
        return []
    usual = usually_within({batch.organization_id or NO_ORGANIZATION for batch in batches}, at)
    found = []
    for batch in batches:
        within = usual[batch.organization_id or NO_ORGANIZATION]
        limit = max(within or SLOW, SLOW)
        if at - batch.submission > limit:
            batch.limit, batch.usually_within = limit, within
            found.append(batch)
    return found
