"""Counts batches by day, as they come to be, change and are corrected: the only writer of the sums in `models.outcome`."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from batches.days import bounds_of, last_of
from batches.models import NO_ORGANIZATION, Arrival, Batch, DayPace, OrganizationPace, OutcomeDay


class Line(NamedTuple):
    """What the sums need to know of a batch."""

    organization_id: UUID
    type: str
    outcome: str
    created_at: datetime | None  # empty: nobody has said when it arrived
    ended_at: datetime | None  # empty: it is not finished
    succeeded: int
    failed: int


def line_of(batch: Batch) -> Line:
    """As the batch is now, saved or not."""
    return Line(
        batch.organization_id or NO_ORGANIZATION,
        batch.type,
        batch.outcome,
        batch.created_at,
        batch.end,
        batch.succeeded_objects,
        batch.failed_objects,
    )


# Each sum of the lines, in one order of rows for all who write, lest two wait for each other. What nobody counts needs no row.
_ADD = """
    line AS MATERIALIZED (
        SELECT *, (ended_at AT TIME ZONE %(zone)s)::date AS day, created_at AT TIME ZONE %(zone)s AS arrived_at,
            ceil(extract(epoch FROM ended_at - created_at))::bigint AS took
        FROM given
    ),
    outcomes AS (
        INSERT INTO batches_outcomeday AS known (day, organization_id, type, outcome, batches, succeeded, failed)
        SELECT day, organization_id, type, outcome, sum(sign), sum(sign * succeeded), sum(sign * failed)
        FROM line WHERE day BETWEEN %(first)s AND %(last)s GROUP BY 1, 2, 3, 4
        HAVING sum(sign) <> 0 OR sum(sign * succeeded) <> 0 OR sum(sign * failed) <> 0 ORDER BY 1, 2, 3, 4
        ON CONFLICT (day, organization_id, type, outcome) DO UPDATE SET batches = known.batches + excluded.batches,
            succeeded = known.succeeded + excluded.succeeded, failed = known.failed + excluded.failed
    ),
    pace AS MATERIALIZED (
        SELECT sign, organization_id, day, (took + round_to - 1) / round_to * round_to AS seconds
        FROM line, LATERAL (SELECT (10 ^ greatest(length(took::text) - 2, 0))::bigint AS round_to) AS rounding
        WHERE took >= 0 AND day BETWEEN %(first)s AND %(last)s
    ),
    days AS (
        INSERT INTO batches_daypace AS known (day, seconds, batches)
        SELECT day, seconds, sum(sign) FROM pace GROUP BY 1, 2 HAVING sum(sign) <> 0 ORDER BY 1, 2
        ON CONFLICT (day, seconds) DO UPDATE SET batches = known.batches + excluded.batches
    ),
    months AS (
        INSERT INTO batches_organizationpace AS known (organization_id, month, seconds, batches)
        SELECT organization_id, date_trunc('month', day)::date, seconds, sum(sign) FROM pace GROUP BY 1, 2, 3
        HAVING sum(sign) <> 0 ORDER BY 1, 2, 3
        ON CONFLICT (organization_id, month, seconds) DO UPDATE SET batches = known.batches + excluded.batches
    )
    INSERT INTO batches_arrival AS known (day, organization_id, quarter, batches)
    SELECT arrived_at::date, organization_id,
        (extract(hour FROM arrived_at) * 4 + floor(extract(minute FROM arrived_at) / 15))::smallint, sum(sign)
    FROM line WHERE arrived_at::date BETWEEN %(first)s AND %(last)s GROUP BY 1, 2, 3
    HAVING sum(sign) <> 0 ORDER BY 1, 2, 3
    ON CONFLICT (day, organization_id, quarter) DO UPDATE SET batches = known.batches + excluded.batches
"""
_MOVE = f"""
    WITH given AS (
        SELECT * FROM unnest(%(signs)s::int[], %(organization_id)s::uuid[], %(type)s::text[], %(outcome)s::text[],
            %(created_at)s::timestamptz[], %(ended_at)s::timestamptz[], %(succeeded)s::bigint[], %(failed)s::bigint[])
        AS line (sign, organization_id, type, outcome, created_at, ended_at, succeeded, failed)
    ), {_ADD}
"""
_COUNT = f"""
    WITH given AS (
        SELECT 1 AS sign, coalesce(organization_id, %(nobody)s) AS organization_id, type, outcome, created_at, ended_at,
            succeeded_objects AS succeeded, failed_objects AS failed
        FROM batches_batch WHERE ended_at >= %(start)s AND ended_at < %(end)s
            OR submitted_at >= %(start)s AND submitted_at < %(end)s
    ), {_ADD}
"""


def move(before: Iterable[Line], after: Iterable[Line]) -> None:
    """Count batches as they are now, and no longer as they were.

    In the transaction that changes them and at its end: whoever records other batches of that day waits from here on.
    """
    old, new = list(before), list(after)
    if old == new:
        return
    columns = zip(*old, *new, strict=True)
    lines = {name: list(values) for name, values in zip(Line._fields, columns, strict=True)}
    signs = [-1] * len(old) + [1] * len(new)
    _run(_MOVE, first=date.min, last=date.max, signs=signs, **lines)


# ------------------------------------------------------------------------------------------ from the beginning


def months() -> list[date]:
    """The first days of the months in which there is something to count, or something counted."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT date_trunc('month', submitted_at AT TIME ZONE %(zone)s)::date AS month FROM batches_batch
            UNION SELECT DISTINCT date_trunc('month', ended_at AT TIME ZONE %(zone)s)::date FROM batches_batch
            UNION SELECT DISTINCT date_trunc('month', day)::date FROM batches_outcomeday
            UNION SELECT DISTINCT date_trunc('month', day)::date FROM batches_arrival
            ORDER BY month
            """,
            {"zone": timezone.get_current_timezone_name()},
        )
        return [month for (month,) in cursor if month]


def recount(month: date) -> None:
    """Count the batches of a month from the beginning. Who records meanwhile waits."""
    last = last_of(month)
    start, end = bounds_of(month)[0], bounds_of(last)[1]
    with transaction.atomic():
        _hold_all()
        for table in (OutcomeDay, DayPace, Arrival):
            table.objects.filter(day__range=(month, last)).delete()
        OrganizationPace.objects.filter(month=month).delete()
        _run(_COUNT, first=month, last=last, start=start, end=end, nobody=NO_ORGANIZATION)


def _hold_all() -> None:
    """Nobody else writes sums. Who has changed a batch, but not counted it yet, adds to ours the difference that it makes."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            LOCK TABLE batches_outcomeday, batches_daypace, batches_organizationpace, batches_arrival
            IN SHARE ROW EXCLUSIVE MODE
            """
        )


def _run(statement: str, **given: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"zone": timezone.get_current_timezone_name(), **given})
