"""Day after day: how many batches finished, with which outcomes, and how long they took."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection

from batches.outcomes import Numbers


@dataclass(frozen=True)
class TrendDay:
    """A day of the trend."""

    day: date
    succeeded: int = 0  # batches by outcome
    partial: int = 0
    failed: int = 0
    good: int = 0  # objects
    bad: int = 0
    median: int | None = None  # seconds from creation to finish
    p95: int | None = None

    @property
    def batches(self) -> int:
        return self.succeeded + self.partial + self.failed

    @property
    def objects(self) -> int:
        return self._numbers.objects

    @property
    def share(self) -> float | None:
        """Which part of the objects failed, from 0 to 1."""
        return self._numbers.share

    @property
    def _numbers(self) -> Numbers:
        return Numbers(self.batches, self.good, self.bad)


# The durations as percentile_disc would give them, had it a row for each batch.
_TREND = """
    WITH reached AS (
        SELECT day, seconds, sum(batches) OVER (PARTITION BY day ORDER BY seconds) AS reached,
            sum(batches) OVER (PARTITION BY day) AS total
        FROM batches_daypace WHERE day BETWEEN %(first)s AND %(last)s AND batches > 0
    ),
    pace AS (
        SELECT day, min(seconds) FILTER (WHERE 2 * reached >= total) AS median,
            min(seconds) FILTER (WHERE 20 * reached >= 19 * total) AS p95
        FROM reached GROUP BY day
    ),
    outcome AS (
        SELECT day, sum(batches) FILTER (WHERE outcome = 'succeeded') AS succeeded,
            sum(batches) FILTER (WHERE outcome = 'partial') AS partial,
            sum(batches) FILTER (WHERE outcome = 'failed') AS failed,
            sum(succeeded)::bigint AS good, sum(failed)::bigint AS bad
        FROM batches_outcomeday WHERE day BETWEEN %(first)s AND %(last)s GROUP BY day
    )
    SELECT day, coalesce(succeeded, 0), coalesce(partial, 0), coalesce(failed, 0), good, bad, median, p95
    FROM outcome LEFT JOIN pace USING (day)
"""


def trend(last: date, count: int) -> list[TrendDay]:
    """So many days up to this one, the oldest first; also those on which nothing finished."""
    first = last - timedelta(days=count - 1)
    with connection.cursor() as cursor:
        cursor.execute(_TREND, {"first": first, "last": last})
        found = {day: TrendDay(day, *numbers) for day, *numbers in cursor.fetchall()}
    days = (first + timedelta(days=n) for n in range(count))
    return [found.get(day) or TrendDay(day) for day in days]
