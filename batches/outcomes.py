"""What became of the batches that finished on a day, against the same weekday of the weeks before; and day after day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import NamedTuple
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import Count, OuterRef, Subquery, Sum, Value
from django.db.models.functions import Upper
from django.utils import timezone

from batches.days import bounds_of, holiday, same_weekdays
from batches.models import Batch, BatchQuerySet, Cause, CauseDay, OutcomeDay
from batches.rhythm import Missing, missing_on, stuck
from staff.models import Person

NO_TYPE = "NONE"
"""What Amili calls a batch of no type; others leave the type out, which is the same."""

NOTABLE = 20  # per cent: a smaller change of a cause is as usual


class Numbers(NamedTuple):
    """How much finished, as batches and as objects in them."""

    batches: int = 0
    succeeded: int = 0  # objects
    failed: int = 0  # objects

    @property
    def objects(self) -> int:
        return self.succeeded + self.failed

    @property
    def share(self) -> float | None:
        """Which part of the objects failed, from 0 to 1."""
        return self.failed / self.objects if self.objects else None

    def plus(self, other: Numbers) -> Numbers:
        return Numbers(*map(sum, zip(self, other, strict=True)))


class Compared(NamedTuple):
    """A number, and the median of the same weekday of the weeks before: empty where none of them is known."""

    now: float | None
    usual: float | None


class Part(NamedTuple):
    """What an organisation, or a type in capital letters, has of a day."""

    key: UUID | str
    numbers: Numbers


class CauseOfDay(NamedTuple):
    """How much of a cause the batches of a day have."""

    cause: Cause
    rows: int
    batches: int
    usual: float | None  # rows
    is_new: bool  # no batch that finished before this day has it

    @property
    def percent(self) -> int | None:
        """By how much there is more than usual, or less."""
        return round(100 * (self.rows - self.usual) / self.usual) if self.usual else None

    @property
    def trend(self) -> str:
        """One of `new`, `more`, `less` and `as_usual`."""
        if self.is_new:
            return "new"
        if self.usual is None:
            return "as_usual"
        change = 100 * (self.rows - self.usual)
        notable = NOTABLE * self.usual
        return "more" if change > notable else "less" if change < -notable else "as_usual"


@dataclass(frozen=True)
class DayOutcomes:
    """A day in numbers. Of today, what runs, is stuck or missing is so now; of a day that is over, it was so at its end."""

    day: date
    is_today: bool
    holiday: str
    known_since: date | None  # the first day on which a batch finished
    batches: Compared
    succeeded: Compared  # objects
    failed: Compared  # objects
    share: Compared  # of the objects, those that failed
    unresolved: Compared
    waiting: int  # of the unresolved, those that are somebody else's turn
    running: Compared
    stuck: Compared
    missing: Compared
    missing_senders: list[Missing]
    by_organization: list[Part]
    by_type: list[Part]
    causes: list[CauseOfDay]


def outcomes_of(day: date, now: datetime, person: Person) -> DayOutcomes:
    """All numbers of a day, for somebody who looks at it now."""
    known_since = first_day()
    weeks = [each for each in same_weekdays(day) if known_since and each >= known_since]
    days = [day, *weeks]
    visible = Batch.objects.visible_to(person)
    numbers, missing = _numbers(days), missing_on(days, now)
    unresolved = [visible.unresolved().ended_on(each) for each in days]
    *still_unresolved, waiting = _counts([*unresolved, visible.waiting().ended_on(day)])
    running = _counts([open_of(each, now, visible) for each in days])

    def compared(number_of: Callable[[date], float | None]) -> Compared:
        return _compared(list(map(number_of, days)))

    return DayOutcomes(
        day=day,
        is_today=day == timezone.localdate(now),
        holiday=holiday(day),
        known_since=known_since,
        batches=compared(lambda each: numbers[each].batches),
        succeeded=compared(lambda each: numbers[each].succeeded),
        failed=compared(lambda each: numbers[each].failed),
        share=compared(lambda each: numbers[each].share),
        unresolved=_compared(still_unresolved),
        waiting=waiting,
        running=_compared(running),
        stuck=compared(lambda each: len(stuck_of(each, now, visible))),
        missing=compared(lambda each: len(missing[each])),
        missing_senders=missing[day],
        causes=_causes(day, weeks),
        **_parts(day),
    )


def first_day() -> date | None:
    """The first day on which a batch finished, as far as we know."""
    known = OutcomeDay.objects.filter(batches__gt=0).order_by("day")
    return known.values_list("day", flat=True).first()


def open_of(day: date, now: datetime, batches: BatchQuerySet) -> BatchQuerySet:
    """Those of these batches that were open at the end of a day, or that run now if it is not over."""
    end = bounds_of(day)[1]
    return batches.open_at(end) if end <= now else batches.running()


def stuck_of(day: date, now: datetime, batches: BatchQuerySet) -> list[Batch]:
    """Those of these batches that were stuck at the end of a day, or that are so now if it is not over."""
    return stuck(min(bounds_of(day)[1], now), batches)


def _compared(numbers: Sequence[float | None]) -> Compared:
    """The number of the day, which comes first, against those of the weeks before."""
    now, *before = numbers
    known = [number for number in before if number is not None]
    return Compared(now, median(known) if known else None)


# ------------------------------------------------------------------------------------------ the numbers of days


_SUMS = [Sum("batches"), Sum("succeeded"), Sum("failed")]


def _numbers(days: Sequence[date]) -> Mapping[date, Numbers]:
    sums = OutcomeDay.objects.filter(day__in=days).values_list("day").order_by()
    found = sums.annotate(*_SUMS)
    return defaultdict(Numbers, {day: Numbers(*numbers) for day, *numbers in found})


def _counts(each: Sequence[BatchQuerySet]) -> list[int]:
    """How many batches there are in each of these, in one query; each reads its own index."""
    counts = [
        batches.order_by().values(place=Value(place)).annotate(count=Count("*")) for place, batches in enumerate(each)
    ]
    found = dict(counts[0].union(*counts[1:], all=True).values_list("place", "count"))
    return [found.get(place, 0) for place in range(len(each))]


def _parts(day: date) -> dict[str, list[Part]]:
    """What each organisation has of a day, and what each type has; spelt in whatever case, a type is one."""
    grouped = OutcomeDay.objects.filter(day=day).order_by().values_list("organization_id", Upper("type"))
    by_organization, by_type = defaultdict[UUID, Numbers](Numbers), defaultdict[str, Numbers](Numbers)
    for organization_id, kind, *sums in grouped.annotate(*_SUMS):
        numbers, type_ = Numbers(*sums), kind if kind != NO_TYPE else ""
        by_organization[organization_id] = by_organization[organization_id].plus(numbers)
        by_type[type_] = by_type[type_].plus(numbers)
    return {"by_organization": _most_first(by_organization), "by_type": _most_first(by_type)}


def _most_first(parts: Mapping[UUID, Numbers] | Mapping[str, Numbers]) -> list[Part]:
    found = [Part(key, numbers) for key, numbers in parts.items() if numbers.batches]
    return sorted(found, key=lambda part: (-part.numbers.objects, -part.numbers.batches, str(part.key)))


def _causes(day: date, weeks: Sequence[date]) -> list[CauseOfDay]:
    known = CauseDay.objects.filter(cause=OuterRef("cause"), rows__gt=0)
    found = CauseDay.objects.filter(day=day, rows__gt=0).order_by("-rows", "cause").select_related("cause")
    found = found.annotate(
        first_day=Subquery(known.order_by("day").values("day")[:1]),
        before=ArraySubquery(known.filter(day__in=weeks).values("rows")),
    )
    found = found.defer("cause__example", "cause__advice")  # long, and on no page of a day
    # Where there are no weeks, Django asks for no array.
    return [_cause_of_day(each, each.before or [], len(weeks), each.first_day == day) for each in found]


def _cause_of_day(each: CauseDay, before: list[int], weeks: int, is_new: bool) -> CauseOfDay:
    rows = before + [0] * (weeks - len(before))  # of a week without it there is no row
    return CauseOfDay(each.cause, each.rows, each.batches, median(rows) if rows else None, is_new)


# ------------------------------------------------------------------------------------------ day after day


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
    def share(self) -> float | None:
        """Which part of the objects failed, from 0 to 1."""
        return Numbers(self.batches, self.good, self.bad).share


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
