"""A year of history: every number of a day and of the trend is what the batches of it add up to, one by one."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from statistics import median
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone
from holidays import country_holidays

from batches.models import NO_ORGANIZATION, Batch, BatchCause, Expectation
from batches.outcomes import DayOutcomes, outcomes_of
from batches.pace import SLOW
from batches.trend import TrendDay, trend
from staff.models import Person
from tests.history import DAY, GONE, OSLO, Year

WEEK = timedelta(days=7)
HOLIDAYS = country_holidays("NO", language="en_US")


def day_of(moment: datetime) -> date:
    return moment.astimezone(OSLO).date()


def end_of(day: date) -> datetime:
    return datetime.combine(day + DAY, time(), OSLO)


def end(batch: Batch) -> datetime | None:
    """When a batch finished, if it did."""
    is_finished = batch.outcome in {"succeeded", "partial", "failed"}
    return (batch.finished_at or batch.created_at or batch.first_seen_at) if is_finished else None


def begin(batch: Batch) -> datetime:
    return batch.created_at or batch.first_seen_at


def seconds(batch: Batch) -> int | None:
    """From creation to finish, rounded up to two digits."""
    finished = batch.finished_at if end(batch) else None
    if finished is None or batch.created_at is None or finished < batch.created_at:
        return None
    exact = -(-(finished - batch.created_at) // timedelta(seconds=1))
    step = int(10 ** max(len(str(exact)) - 2, 0))
    return -(-exact // step) * step


def percentile(numbers: Iterable[int], percent: int) -> int | None:
    """The smallest that is not smaller than so many per cent of them."""
    ordered = sorted(numbers)
    return ordered[-(-len(ordered) * percent // 100) - 1] if ordered else None


class Recount:
    """All batches, looked at one after the other."""

    def __init__(self, now: datetime) -> None:
        self.now, self.today = now, day_of(now)
        self.batches = list(Batch.objects.all())
        self.shares = list(BatchCause.objects.select_related("batch"))
        self.expectations = {each.organization_id: each for each in Expectation.objects.all()}
        self.finished = defaultdict[date, list[Batch]](list)
        self.first_quarters = defaultdict[UUID, dict[date, int]](dict)  # in which an organisation sent first on a day
        for batch in self.batches:
            if finished := end(batch):
                self.finished[day_of(finished)].append(batch)
            if batch.created_at and batch.organization_id:
                at = batch.created_at.astimezone(OSLO)
                days = self.first_quarters[batch.organization_id]
                days[at.date()] = min(days.get(at.date(), 96), at.hour * 4 + at.minute // 15)
        self.first = min(self.finished)

    # ---------------------------------------------------------------- a day

    def of(self, day: date) -> dict[str, Any]:
        weeks = [each for each in (day - n * WEEK for n in range(1, 5)) if self.is_comparable(each)]
        earlier = [self.number_of(week, self.moment(week, day), self.moment(day, day)) for week in weeks]
        return {
            "day": day,
            "weeks": weeks,
            "is_today": day == self.today,
            "holiday": HOLIDAYS.get(day, ""),
            "known_since": self.first,
            **{
                name: (number, self.usual([before[name] for before in earlier]))
                for name, number in self.number_of(day, *[self.moment(day, day)] * 2).items()
            },
            "waiting": sum(batch.triage_state.startswith("waiting") for batch in self.unresolved(day)),
            "missing_senders": self.missing(day),
            "by_organization": self.parts(day, lambda batch: batch.organization_id or NO_ORGANIZATION),
            "by_type": self.parts(day, lambda batch: "" if batch.type.upper() == "NONE" else batch.type.upper()),
            "causes": (causes := self.causes(day, weeks)),
            "cause_count": len(causes),
        }

    def is_comparable(self, day: date) -> bool:
        return day not in HOLIDAYS and any(self.finished.get(day - n * DAY) for n in range(1, 29))

    def moment(self, day: date, shown: date) -> datetime:
        """The end of a day; where the day that is shown is not over, the hour that it is now."""
        if shown != self.today:
            return end_of(day)
        return datetime.combine(day, self.now.astimezone(OSLO).time(), OSLO)

    def number_of(self, day: date, moment: datetime, measured_at: datetime) -> dict[str, float | None]:
        batches = self.finished[day]
        good = sum(batch.succeeded_objects for batch in batches)
        bad = sum(batch.failed_objects for batch in batches)
        return {
            "batches": len(batches),
            "succeeded": good,
            "failed": bad,
            "share": bad / (good + bad) if good + bad else None,
            "unresolved": len(self.unresolved(day)),
            "running": len(self.open(moment)),
            "stuck": len(self.stuck(moment, measured_at)),
            "missing": len(self.missing(day)),
        }

    def usual(self, numbers: Sequence[float | None]) -> float | None:
        known = [number for number in numbers if number is not None]
        return median(known) if known else None

    def unresolved(self, day: date) -> list[Batch]:
        return [
            batch
            for batch in self.finished[day]
            if batch.outcome != "succeeded" and batch.triage_state not in {"corrected", "ignored"}
        ]

    def parts(self, day: date, key: Any) -> dict[Any, tuple[int, int, int]]:
        found = dict[Any, tuple[int, int, int]]()
        for batch in self.finished[day]:
            batches, good, bad = found.get(key(batch), (0, 0, 0))
            found[key(batch)] = (batches + 1, good + batch.succeeded_objects, bad + batch.failed_objects)
        return found

    # ---------------------------------------------------------------- what is open

    def open(self, moment: datetime) -> list[Batch]:
        return [batch for batch in self.batches if self.is_open(batch, moment)]

    def is_open(self, batch: Batch, moment: datetime) -> bool:
        if begin(batch) >= moment:
            return False
        finished = end(batch)
        return finished >= moment if finished else batch.next_check_at is not None

    def stuck(self, moment: datetime, measured_at: datetime) -> list[Batch]:
        return [
            batch
            for batch in self.open(moment)
            if min(moment, end(batch) or batch.checked_at) - begin(batch) > self.limit(batch, measured_at)
        ]

    def limit(self, batch: Batch, moment: datetime) -> timedelta:
        """What 99 of 100 batches took at most that finished in this month and the two before: its organisation's, or all."""
        month = day_of(moment).replace(day=1)
        months = {month, before := (month - DAY).replace(day=1), (before - DAY).replace(day=1)}
        took = [
            (each.organization_id, length)
            for day, batches in self.finished.items()
            if day.replace(day=1) in months
            for each in batches
            if (length := seconds(each)) is not None
        ]
        own = [length for organization_id, length in took if organization_id == batch.organization_id]
        counted = own if len(own) >= 100 else [length for _, length in took]
        longest = percentile(counted, 99) if len(counted) >= 100 else None
        return max(timedelta(seconds=longest or 0), SLOW)

    # ---------------------------------------------------------------- who is missing

    def missing(self, day: date) -> dict[UUID, time]:
        """By when each of them should have sent."""
        if day in HOLIDAYS or day > self.today:
            return {}
        known = self.first_quarters.keys() | self.expectations.keys()
        silent = [each for each in known if day not in self.first_quarters[each]]
        expected = {each: by for each in silent if (by := self.expected(each, day))}
        passed = self.now.astimezone(OSLO).time()
        return {each: by for each, by in expected.items() if day < self.today or passed > by}

    def expected(self, organization_id: UUID, day: date) -> time | None:
        said = self.expectations.get(organization_id)
        if said and said.mode != "learnt":
            return said.by if said.mode == "fixed" and day.weekday() in said.weekdays else None
        sent = self.first_quarters[organization_id]
        before = [each for each in (day - n * WEEK for n in range(1, 25)) if each not in HOLIDAYS][:8]
        first = min((each for each in sent if each >= before[-1] - WEEK), default=self.today)
        considered = [each for each in before if each >= first]
        quarters = sorted(sent[each] for each in considered if each in sent)
        if len(considered) < 4 or len(quarters) < 0.75 * len(considered):
            return None
        latest = quarters[-2] if len(quarters) >= 6 else quarters[-1]
        minutes = 15 * (latest + 1)
        return time(minutes // 60, minutes % 60) if minutes < 24 * 60 else time(23, 59)

    # ---------------------------------------------------------------- causes and trend

    def causes(self, day: date, weeks: Sequence[date]) -> list[tuple[Any, ...]]:
        rows, batches = defaultdict[int, Counter[date]](Counter), Counter[int]()
        for share in self.shares:
            if finished := end(share.batch):
                rows[share.cause_id][day_of(finished)] += share.rows
                batches[share.cause_id] += day_of(finished) == day
        return [
            (cause_id, days[day], batches[cause_id], self.usual([days[week] for week in weeks]), min(days) == day)
            for cause_id, days in sorted(rows.items(), key=lambda one: (-one[1][day], one[0]))
            if days[day]
        ]

    def trend_day(self, day: date) -> TrendDay:
        batches = self.finished[day]
        outcomes = Counter(batch.outcome for batch in batches)
        took = [length for batch in batches if (length := seconds(batch)) is not None]
        return TrendDay(
            day,
            *(outcomes["succeeded"], outcomes["partial"], outcomes["failed"]),
            sum(batch.succeeded_objects for batch in batches),
            sum(batch.failed_objects for batch in batches),
            percentile(took, 50),
            percentile(took, 95),
        )


def told(outcomes: DayOutcomes) -> dict[str, Any]:
    """The numbers that a page shows, as plain as those of the recount."""
    return vars(outcomes) | {
        "missing_senders": {each.organization_id: each.by for each in outcomes.missing_senders},
        "by_organization": {part.key: tuple(part.numbers) for part in outcomes.by_organization},
        "by_type": {part.key: tuple(part.numbers) for part in outcomes.by_type},
        "causes": [(each.cause.pk, each.rows, each.batches, each.usual, each.is_new) for each in outcomes.causes],
    }


def clock_changes(until: date) -> list[date]:
    """The days of the year before that have 23 or 25 hours."""
    days = [until - n * DAY for n in range(366)]
    return [day for day in days if end_of(day).timestamp() - end_of(day - DAY).timestamp() != 86_400]


@pytest.fixture
def year(person: Person) -> Year:
    year = Year(timezone.now(), person)
    year.record()
    return year


def days_to_look_at(year: Year, recount: Recount) -> list[date]:
    """The days on which something is special, and the last weeks' Wednesdays, on which somebody is always missing."""
    today = recount.today
    holidays = [day for n in range(366) if (day := today - n * DAY) in HOLIDAYS]
    wednesday = today - (today.weekday() - 2) % 7 * DAY
    silent = next(day for day in sorted(recount.finished) if day < today and GONE in recount.missing(day))
    waiting = next(day for day, some in recount.finished.items() if any(each.is_waiting for each in some))
    corrected = sorted(year.corrected_days)
    days = {recount.first, recount.first + 20 * DAY, recount.first + 35 * DAY, today, today - DAY, silent, waiting}
    days |= {*clock_changes(today), *holidays[:3], *corrected[10:13], *corrected[-3:]}
    return sorted(days | {wednesday - n * WEEK for n in range(4)})


def test_every_number_of_a_year_of_history_is_what_a_recount_gives(year: Year, person: Person) -> None:
    recount = Recount(year.now)
    days = days_to_look_at(year, recount)
    outcomes = [outcomes_of(day, year.now, person) for day in days]
    assert [told(each) for each in outcomes] == [recount.of(day) for day in days]
    assert trend(recount.today, 365) == [recount.trend_day(recount.today - n * DAY) for n in reversed(range(365))]
    # and there is something to count
    for name in ("batches", "failed", "unresolved", "running", "stuck", "missing"):
        assert any(getattr(each, name).now for each in outcomes), name
        assert any(getattr(each, name).usual for each in outcomes), name
    assert {cause.trend for each in outcomes for cause in each.causes} >= {"new", "more"}
    assert any(each.waiting for each in outcomes)
