"""How long an organisation's batches usually take, and which of those that run are stuck."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import Value
from django.utils import timezone

from batches.days import last_of
from batches.models import NO_ORGANIZATION, Batch, BatchQuerySet
from batches.pace import SLOW
from batches.rhythm.rows import rows_of

FEWEST_FINISHED = 100
"""Of fewer batches the one of a hundred that takes longest would be among them, and be taken for usual."""

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


type Months = tuple[date, date]


def usually_within(organization_ids: Collection[UUID], months: Months) -> dict[UUID, timedelta | None]:
    """The time within which 99 of 100 of their batches of these months were done.

    Everybody's for those of whom fewer than FEWEST_FINISHED were; None where nobody can say.
    """
    first, last = months
    given = {"ids": list(organization_ids), "first": first, "last": last, "fewest": FEWEST_FINISHED}
    return {
        organization_id: None if seconds is None else timedelta(seconds=int(seconds))
        for organization_id, seconds in rows_of(_USUALLY_WITHIN, given)
    }


def learnt_from(at: datetime) -> Months:
    """The first and the last day of the months that tell what was usual at this moment: its own and the two before."""
    last = last_of(timezone.localdate(at))
    first = last.replace(day=1)
    for _ in range(2):
        first = (first - timedelta(days=1)).replace(day=1)
    return first, last


# ------------------------------------------------------------------------------------------ what takes longer


_MEASURED = ("organization_id", "created_at", "first_seen_at", "finished_at", "outcome", "checked_at")


def stuck(at: datetime, batches: BatchQuerySet) -> list[Batch]:
    """Those of these batches that were open at this moment and had run for longer than their organisation's usually do.

    One of which Amili has told nothing yet is not among them: it may be old and long finished. Only what they are measured by
    has been read of them.
    """
    return stuck_at([at], batches)[0]


def stuck_at(moments: Sequence[datetime], batches: BatchQuerySet) -> list[list[Batch]]:
    """The same of several moments, all measured by what was usual at the first of them: in two queries."""
    batches = batches.only(*_MEASURED)
    slow = [
        batches.open_at(at).filter(submitted_at__lt=at - SLOW, checked_at__isnull=False).annotate(place=Value(place))
        for place, at in enumerate(moments)
    ]
    found: list[list[Batch]] = [[] for _ in moments]
    for batch in slow[0].order_by().union(*(each.order_by() for each in slow[1:]), all=True):
        found[batch.place].append(batch)  # type: ignore[attr-defined]
    return _over_the_limit(list(zip(moments, found, strict=True)))


def mark_stuck(batches: Iterable[Batch], now: datetime) -> list[Batch]:
    """Give those of these batches that are stuck now their `limit`, for the page that shows them. Often costs no query."""
    return _over_the_limit([(now, [batch for batch in batches if _is_slow(batch, now)])])[0]


def _is_slow(batch: Batch, now: datetime) -> bool:
    """The candidates of `stuck`, of batches that have been read."""
    is_running = batch.checked_at is not None and batch.next_check_at is not None and not batch.is_finished
    return is_running and now - batch.submission > SLOW


def _over_the_limit(each: Sequence[tuple[datetime, Sequence[Batch]]]) -> list[list[Batch]]:
    asked = {_organization_of(batch) for _, slow in each for batch in slow}
    usual = usually_within(asked, learnt_from(each[0][0])) if asked else {}
    return [[batch for batch in slow if _is_over(batch, at, usual)] for at, slow in each]


def _is_over(batch: Batch, at: datetime, usual: Mapping[UUID, timedelta | None]) -> bool:
    """Whether it had run for too long, by word of Amili: what it has not been asked since may be finished."""
    within = usual[_organization_of(batch)]
    limit = max(within or SLOW, SLOW)
    seen_until = batch.end or batch.checked_at
    if seen_until is None or min(at, seen_until) - batch.submission <= limit:
        return False
    batch.limit, batch.usually_within = limit, within
    return True


def _organization_of(batch: Batch) -> UUID:
    return batch.organization_id or NO_ORGANIZATION
