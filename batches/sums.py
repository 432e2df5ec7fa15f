"""How much of each cause all batches have: by day, by organisation, altogether. Sums, so that no page has to add up rows."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from batches.days import bounds_of, last_of
from batches.models import NO_ORGANIZATION, BatchCause, Cause, CauseDay

# What the batches have now is added, what they had before is taken away.
_ROLL_UP = """
    WITH change AS MATERIALIZED (
        SELECT 1 AS sign, cause_id, rows, organization_id, submitted_at, ended_at
        FROM batches_batchcause WHERE batch_id = ANY(%(batch_ids)s)
        UNION ALL
        SELECT -1, * FROM unnest(
            %(cause_ids)s::bigint[], %(rows)s::int[], %(organization_ids)s::uuid[],
            %(times)s::timestamptz[], %(ends)s::timestamptz[])
    ),
    by_day AS (
        INSERT INTO batches_causeday AS known (cause_id, day, batches, rows)
        SELECT cause_id, (ended_at AT TIME ZONE %(zone)s)::date AS day, sum(sign), sum(sign * rows)
        FROM change WHERE ended_at IS NOT NULL GROUP BY cause_id, day HAVING sum(sign) <> 0 OR sum(sign * rows) <> 0
        ON CONFLICT (cause_id, day) DO UPDATE
        SET batches = known.batches + excluded.batches, rows = known.rows + excluded.rows
    ),
    by_organization AS (
        SELECT cause_id, organization_id, sum(sign) AS batches, sum(sign * rows) AS rows,
            min(submitted_at) AS first_seen_at, max(submitted_at) AS last_seen_at
        FROM change GROUP BY cause_id, organization_id
    ),
    now AS (
        INSERT INTO batches_causeorganization AS known
            (cause_id, organization_id, batches, rows, first_seen_at, last_seen_at)
        SELECT * FROM by_organization
        ON CONFLICT (cause_id, organization_id) DO UPDATE
        SET batches = known.batches + excluded.batches, rows = known.rows + excluded.rows,
            first_seen_at = least(known.first_seen_at, excluded.first_seen_at),
            last_seen_at = greatest(known.last_seen_at, excluded.last_seen_at)
        RETURNING cause_id, organization_id, batches
    ),
    altogether AS (
        SELECT cause_id, sum(by_organization.batches) AS batches, sum(by_organization.rows) AS rows,
            sum((now.batches > 0)::int - (now.batches - by_organization.batches > 0)::int)
                FILTER (WHERE organization_id <> %(nobody)s) AS organizations,
            min(first_seen_at) AS first_seen_at, max(last_seen_at) AS last_seen_at
        FROM by_organization JOIN now USING (cause_id, organization_id) GROUP BY cause_id
    )
    UPDATE batches_cause AS cause
    SET batch_count = batch_count + batches, row_count = row_count + rows,
        organization_count = organization_count + coalesce(organizations, 0),
        first_seen_at = least(cause.first_seen_at, altogether.first_seen_at),
        last_seen_at = greatest(cause.last_seen_at, altogether.last_seen_at)
    FROM altogether WHERE cause.id = altogether.cause_id
"""


# From the beginning, of one month.
_RECOUNT = """
    INSERT INTO batches_causeday (cause_id, day, batches, rows)
    SELECT cause_id, (share.ended_at AT TIME ZONE %(zone)s)::date, count(*), sum(rows)
    FROM batches_batchcause AS share JOIN batches_batch AS batch ON batch.id = share.batch_id
    WHERE batch.ended_at >= %(start)s AND batch.ended_at < %(end)s GROUP BY 1, 2
"""
# What a worker of a version before there were outcomes wrote while this one was installed.
_SET_ENDS = """
    UPDATE batches_batchcause AS share SET ended_at = batch.ended_at FROM batches_batch AS batch
    WHERE batch.id = share.batch_id AND batch.ended_at >= %(start)s AND batch.ended_at < %(end)s
        AND share.ended_at IS DISTINCT FROM batch.ended_at
"""


def hold(cause_ids: Collection[int]) -> dict[int, str]:
    """Hold causes until the end of the transaction, in one order for all who do. Gives their states."""
    held = Cause.objects.filter(pk__in=cause_ids).order_by("pk").select_for_update(no_key=True)
    return dict(held.values_list("pk", "triage_state"))


def roll_up(batch_ids: Sequence[UUID], before: Sequence[BatchCause]) -> None:
    """Add to the sums what these batches have now, and take away what they had. The caller holds the causes of both."""
    change: dict[str, Any] = {
        "zone": timezone.get_current_timezone_name(),
        "nobody": NO_ORGANIZATION,
        "batch_ids": list(batch_ids),
        "cause_ids": [old.cause_id for old in before],
        "rows": [old.rows for old in before],
        "organization_ids": [old.organization_id for old in before],
        "times": [old.submitted_at for old in before],
        "ends": [old.ended_at for old in before],
    }
    with connection.cursor() as cursor:
        cursor.execute(_ROLL_UP, change)


def recount(month: date) -> None:
    """Count what there is of each cause on the days of a month from the beginning. Who records meanwhile waits."""
    last = last_of(month)
    start, end = bounds_of(month)[0], bounds_of(last)[1]
    with transaction.atomic(), connection.cursor() as cursor:
        given: dict[str, Any] = {"zone": timezone.get_current_timezone_name(), "start": start, "end": end}
        cursor.execute(_SET_ENDS, given)  # before the lock, in the order in which those go who record
        cursor.execute("LOCK TABLE batches_causeday IN SHARE ROW EXCLUSIVE MODE")
        CauseDay.objects.filter(day__range=(month, last)).delete()
        cursor.execute(_RECOUNT, given)
