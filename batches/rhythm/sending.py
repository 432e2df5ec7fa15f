"""When an organisation usually sends, and who is missing."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import islice
from uuid import UUID

from django.utils import timezone

from batches.days import WEEK, holiday, same_weekdays
from batches.models import NO_ORGANIZATION, QUARTERS, Arrival, Expectation
from batches.rhythm.rows import rows_of

CONSIDERED = 8
"""How many of the last same weekdays a rhythm is learnt from."""
FEWEST_CONSIDERED = 4
REGULAR = 75
"""On how many per cent of them who usually sends has sent."""
LEARNT_WITHIN = (CONSIDERED + 1) * WEEK
"""Who has sent nothing for longer than this before a day is not heard of on it."""
SPARE_ONE_OF = 6
"""From so many days on, the one on which it was latest does not count: it may have been an accident."""

# An organisation that is heard of for the first time within the weeks that are looked at is measured from then on: a batch
# of long before, as a person pastes one, tells nothing of a rhythm.
_RHYTHM = """
    WITH sent AS MATERIALIZED (
        SELECT day, organization_id, min(quarter) AS quarter FROM batches_arrival
        WHERE day = ANY(%(read)s) AND batches > 0 AND organization_id <> %(nobody)s
            AND (%(ids)s::uuid[] IS NULL OR organization_id = ANY(%(ids)s::uuid[]))
        GROUP BY day, organization_id
    ),
    organization AS (
        SELECT organization_id FROM sent
        UNION SELECT organization_id FROM batches_expectation
        WHERE mode = 'fixed' AND (%(ids)s::uuid[] IS NULL OR organization_id = ANY(%(ids)s::uuid[]))
    ),
    wanted AS MATERIALIZED (
        SELECT day, organization_id, target.begin, sent.quarter IS NOT NULL AS has_sent
        FROM unnest(%(days)s::date[], %(begins)s::date[]) AS target (day, begin) CROSS JOIN organization
        LEFT JOIN sent USING (day, organization_id) WHERE sent.quarter IS NULL OR NOT %(only_silent)s
    ),
    habit AS (
        SELECT wanted.day, organization_id, array_agg(sent.quarter ORDER BY sent.quarter) AS quarters
        FROM wanted JOIN unnest(%(targets)s::date[], %(befores)s::date[]) AS pair (day, before) USING (day)
        JOIN sent USING (organization_id) WHERE sent.day = pair.before GROUP BY wanted.day, organization_id
    )
    SELECT day, organization_id, (
        SELECT arrival.day FROM batches_arrival AS arrival
        WHERE arrival.organization_id = wanted.organization_id AND arrival.day >= wanted.begin AND batches > 0
        ORDER BY arrival.day LIMIT 1
    ), coalesce(quarters, '{}'), has_sent, mode, weekdays, "by"
    FROM wanted LEFT JOIN habit USING (day, organization_id)
    LEFT JOIN batches_expectation USING (organization_id)
"""


@dataclass(frozen=True)
class Habit:
    """On how many of the last same weekdays an organisation has sent, and in which quarters of the clock first."""

    considered: int
    quarters: Sequence[int]  # in order

    @property
    def sent(self) -> int:
        return len(self.quarters)

    @property
    def is_usual(self) -> bool:
        return self.considered >= FEWEST_CONSIDERED and 100 * self.sent >= REGULAR * self.considered

    @property
    def since(self) -> time:
        """When it sent first at the earliest."""
        return _clock(self.quarters[0])

    @property
    def by(self) -> time:
        """When it had sent at the latest."""
        counted = self.quarters[:-1] if self.sent >= SPARE_ONE_OF else self.quarters
        return _clock(counted[-1] + 1)


@dataclass(frozen=True)
class Expected:
    """What is expected of an organisation on a day that is no holiday: as learnt, or as a person has said."""

    organization_id: UUID
    day: date
    habit: Habit
    has_sent: bool
    mode: str
    weekdays: Sequence[int]
    fixed_by: time | None

    @property
    def by(self) -> time | None:
        """When it will have sent; None if it need not."""
        if self.mode == Expectation.Mode.LEARNT:
            return self.habit.by if self.habit.is_usual else None
        return self.fixed_by if self.mode == Expectation.Mode.FIXED and self.day.weekday() in self.weekdays else None


@dataclass(frozen=True)
class Missing:
    """An organisation that usually sends on this weekday by this time, and has sent nothing."""

    organization_id: UUID
    day: date
    by: time
    habit: Habit | None
    """What it was learnt from; None where a person has said so."""


def missing(day: date, now: datetime) -> list[Missing]:
    """Who has sent nothing all day; today, of those whose time has passed. The earliest expected first."""
    return missing_on([day], now)[day]


def missing_on(days: Sequence[date], now: datetime) -> dict[date, list[Missing]]:
    """The same of several days, in one query."""
    local = timezone.localtime(now)
    found: dict[date, list[Missing]] = {day: [] for day in days}
    for each in expected([day for day in days if day <= local.date() and not holiday(day)], only_silent=True):
        if each.by is None or (each.day == local.date() and local.time() <= each.by):
            continue
        habit = each.habit if each.mode == Expectation.Mode.LEARNT else None
        found[each.day].append(Missing(each.organization_id, each.day, each.by, habit))
    for some in found.values():
        some.sort(key=lambda one: (one.by, one.organization_id))
    return found


def expected(
    days: Collection[date], organization_ids: Collection[UUID] | None = None, *, only_silent: bool = False
) -> Iterator[Expected]:
    """What is expected on each of these days, whether or not it is a holiday: of these organisations, or of all.

    `only_silent`: on the days on which they have sent nothing.
    """
    if not days:
        return
    befores = {day: _days_to_learn_from(day) for day in days}
    pairs = [(day, before) for day, some in befores.items() for before in some]
    given = {
        "days": list(befores),
        "begins": [some[-1] - WEEK for some in befores.values()],
        "targets": [day for day, _ in pairs],
        "befores": [before for _, before in pairs],
        "read": sorted({*befores, *(before for _, before in pairs)}),
        "only_silent": only_silent,
        "nobody": NO_ORGANIZATION,
        "ids": None if organization_ids is None else list(organization_ids),
    }
    for day, organization_id, since, quarters, has_sent, mode, weekdays, by in rows_of(_RHYTHM, given):
        considered = sum(since <= each for each in befores[day]) if since else 0
        habit = Habit(considered, quarters)
        yield Expected(organization_id, day, habit, has_sent, mode or Expectation.Mode.LEARNT, weekdays or (), by)


def senders(day: date) -> set[UUID]:
    """The organisations whose rhythm can be learnt on this day, and those of whom a person has said something."""
    learnt_from = (day - LEARNT_WITHIN, day)
    sent = Arrival.objects.filter(day__range=learnt_from, batches__gt=0).exclude(organization_id=NO_ORGANIZATION)
    said = Expectation.objects.values_list("organization_id")
    return {organization_id for (organization_id,) in sent.values_list("organization_id").union(said)}


def _days_to_learn_from(day: date) -> list[date]:
    return list(islice((each for each in same_weekdays(day, 3 * CONSIDERED) if not holiday(each)), CONSIDERED))


def _clock(quarter: int) -> time:
    """The beginning of a quarter on the clock's face; of the one after the last, the last minute."""
    return time(quarter // 4, quarter % 4 * 15) if quarter < QUARTERS else time(23, 59)
