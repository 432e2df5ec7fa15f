"""What became of the batches that finished on a day, against the same weekday of the weeks before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import floor
from statistics import median
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Aggregate, BigIntegerField, Case, Count, Func, Model, QuerySet, Sum, TextField, Value, When
from django.db.models.functions import Upper
from django.utils import timezone

from batches.day_causes import CauseOfDay, causes_of
from batches.days import bounds_of, holiday, same_weekdays
from batches.models import Arrival, Batch, BatchQuerySet, CauseDay, OutcomeDay
from batches.rhythm import Missing, missing_on, stuck, stuck_at
from staff.models import Person

NO_TYPE = "NONE"
"""What Amili calls a batch of no type; others leave the type out, which is the same."""


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


class Compared(NamedTuple):
    """A number, and the median of the same weekday of the weeks before: empty where none of them is known."""

    now: float | None
    usual: float | None


class Part(NamedTuple):
    """What an organisation, or a type in capital letters, has of a day."""

    key: UUID | str
    numbers: Numbers


@dataclass(frozen=True)
class DayNumbers:
    """A day in numbers. Of today, what runs, is stuck or missing is so now; of a day that is over, it was so at its end."""

    day: date
    is_today: bool
    holiday: str
    known_since: date | None  # the first day on which a batch finished
    weeks: list[date]  # with which it is compared
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


@dataclass(frozen=True)
class DayOutcomes(DayNumbers):
    """And what they are made of, most first."""

    by_organization: list[Part]
    by_type: list[Part]
    causes: list[CauseOfDay]
    cause_count: int  # of all causes, however many were asked for


def outcomes_of(day: date, now: datetime, person: Person, most_causes: int | None = None) -> DayOutcomes:
    """All of a day, for somebody who looks at it now. Of its causes the first so many, or all."""
    numbers = numbers_of(day, now, person)
    causes, cause_count = causes_of(day, numbers.weeks, most_causes)
    return DayOutcomes(
        **vars(numbers),
        by_organization=by_organization(day),
        by_type=by_type(day),
        causes=causes,
        cause_count=cause_count,
    )


def numbers_of(day: date, now: datetime, person: Person) -> DayNumbers:
    """Its numbers alone."""
    weeks = compared_weeks(day)
    days = [day, *weeks]
    moments = _moments(days, now)
    visible = Batch.objects.visible_to(person)
    numbers, missing = _numbers(days), missing_on(days, now)
    unresolved = [visible.unresolved().ended_on(each) for each in days]
    *still_unresolved, waiting = _counts([*unresolved, visible.waiting().ended_on(day)])
    running = _counts([open_of(day, now, visible), *(visible.open_at(moment) for moment in moments[1:])])

    def compared(number_of: Callable[[date], float | None]) -> Compared:
        return _compared(list(map(number_of, days)))

    return DayNumbers(
        day=day,
        is_today=day == timezone.localdate(now),
        holiday=holiday(day),
        known_since=first_day(),
        weeks=weeks,
        batches=compared(lambda each: numbers[each].batches),
        succeeded=compared(lambda each: numbers[each].succeeded),
        failed=compared(lambda each: numbers[each].failed),
        share=compared(lambda each: numbers[each].share),
        unresolved=_compared(still_unresolved),
        waiting=waiting,
        running=_compared(running),
        stuck=_compared(list(map(len, stuck_at(moments, visible)))),
        missing=compared(lambda each: len(missing[each])),
        missing_senders=missing[day],
    )


def pulse(day: date, now: datetime, person: Person) -> str:
    """Changes whenever the day does, at the cost of one query.

    Of today it also changes with every minute, for what comes with time and for what is usual, which it does not look at.
    """
    is_today = day == timezone.localdate(now)
    visible = Batch.objects.visible_to(person)
    batches = [visible.unresolved().ended_on(day), visible.waiting().ended_on(day), open_of(day, now, visible)]
    sums = [
        (rows.objects.filter(day=day), Sum(_content_of(rows), default=0)) for rows in (OutcomeDay, CauseDay, Arrival)
    ]
    found = _totals([*((each, Count("*")) for each in batches), *sums])
    return f"{day} {now:%H:%M} {found}" if is_today else f"{day} {found}"


def _content_of(rows: type[Model]) -> Func:
    """A number that is another one whenever anything in a row is."""
    template = f"hashtextextended({rows._meta.db_table}::text, %(expressions)s)"
    return Func(Value(0), template=template, output_field=BigIntegerField())


def first_day() -> date | None:
    """The first day on which a batch finished, as far as we know."""
    known = OutcomeDay.objects.filter(batches__gt=0).order_by("day")
    return known.values_list("day", flat=True).first()


def compared_weeks(day: date) -> list[date]:
    """The same weekday of the four weeks before, the latest first, as far as they can be compared.

    Without holidays, and without days of which we hardly know anything: before which nothing at all finished for four
    weeks. One batch of long ago, as a person pastes one, is no beginning.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT week FROM unnest(%s::date[]) WITH ORDINALITY AS same (week, place)
            WHERE EXISTS (SELECT FROM batches_outcomeday WHERE day >= week - 28 AND day < week AND batches > 0)
            ORDER BY place
            """,
            [[each for each in same_weekdays(day) if not holiday(each)]],
        )
        return [week for (week,) in cursor]


def _moments(days: Sequence[date], now: datetime) -> list[datetime]:
    """The end of each day; if the first of them is not over, the present hour of each."""
    if bounds_of(days[0])[1] <= now:
        return [bounds_of(day)[1] for day in days]
    clock = timezone.localtime(now).time()
    return [now, *(timezone.make_aware(datetime.combine(day, clock)) for day in days[1:])]


def open_of(day: date, now: datetime, batches: BatchQuerySet) -> BatchQuerySet:
    """Those of these batches that were open at the end of a day, or that run now if it is not over."""
    end = bounds_of(day)[1]
    return batches.open_at(end) if end <= now else batches.running()


def stuck_of(day: date, now: datetime, batches: BatchQuerySet) -> list[Batch]:
    """Those of these batches that were stuck at the end of a day, or that are so now if it is not over."""
    return stuck(min(bounds_of(day)[1], now), batches)


def whole(usual: float) -> int:
    """Of what is counted the median may be one half of a number."""
    return floor(usual + 0.5)


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
    """How many batches there are in each of these, in one query."""
    return _totals([(batches, Count("*")) for batches in each])


def _totals(each: Sequence[tuple[QuerySet[Any], Aggregate]]) -> list[int]:
    """What each of these makes of its rows, in one query; each reads its own index."""
    totals = [
        rows.order_by().values(place=Value(place)).annotate(total=total) for place, (rows, total) in enumerate(each)
    ]
    found = dict(totals[0].union(*totals[1:], all=True).values_list("place", "total"))
    return [int(found[place]) for place in range(len(each))]


def by_organization(day: date) -> list[Part]:
    """What each organisation has of a day, most first."""
    return _parts(OutcomeDay.objects.filter(day=day).values_list("organization_id"))


def by_type(day: date) -> list[Part]:
    """What each type has, most first; spelt in whatever case, a type is one."""
    named = Case(When(type__iexact=NO_TYPE, then=Value("")), default=Upper("type"), output_field=TextField())
    return _parts(OutcomeDay.objects.filter(day=day).values_list(named))


def _parts(grouped: QuerySet[OutcomeDay, Any]) -> list[Part]:
    found = grouped.order_by().annotate(*_SUMS).filter(batches__sum__gt=0)
    parts = [Part(key, Numbers(*sums)) for key, *sums in found]
    return sorted(parts, key=lambda part: (-part.numbers.objects, -part.numbers.batches, str(part.key)))
