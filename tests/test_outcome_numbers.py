"""The numbers of a day and of the trend: which batches make them, what is usual, and how they are read."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from batches.models import NO_ORGANIZATION, Batch
from batches.outcomes import Compared, DayOutcomes, Numbers, Part, outcomes_of, pulse
from batches.trend import TrendDay, trend
from batches.words import TriageState
from benchmarks.plans import nodes, plans
from staff.models import Person
from tests.answers import ORGANISATION, OTHER, Json, of_today, succeeded
from tests.conftest import Record

DAY = date(2026, 3, 9)
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)

type ReadDay = Callable[[], DayOutcomes]


def finished(day: date = DAY, *, good: int = 1, bad: int = 0, message: str = "Debtor is missing", **more: Any) -> Json:
    """The answer about a batch that was finished a minute after its creation, at noon."""
    times = {"createdAt": f"{day}T12:00:00Z", "finishedAt": f"{day}T12:01:00Z"}
    return of_today(
        "PARTIAL" if good and bad else "FAILED" if bad else "SUCCESS",
        batchId=str(uuid4()),
        succeeded=[succeeded(n) for n in range(good)],
        failed=[{"objectIndex": n, "errors": [message]} for n in range(bad)],
        **(times | more),
    )


def weeks_before(count: int) -> date:
    return DAY - count * timedelta(weeks=1)


@pytest.fixture
def day(person: Person) -> ReadDay:
    def read() -> DayOutcomes:
        return outcomes_of(DAY, NOW, person)

    return read


# ------------------------------------------------------------------------------------------ what a day has


def test_a_day_before_anything_is_known_has_nothing_and_nothing_is_usual(day: ReadDay) -> None:
    outcomes = day()
    assert outcomes.known_since is None
    assert outcomes.batches == outcomes.running == outcomes.missing == Compared(0, None)
    assert outcomes.share == Compared(None, None)
    assert not outcomes.by_organization + outcomes.by_type
    assert not outcomes.causes
    assert not outcomes.missing_senders


def test_a_day_counts_batches_and_the_objects_in_them(day: ReadDay, recorded: Record) -> None:
    recorded(finished(good=6, bad=2))
    recorded(finished(good=4, organizationId=str(OTHER), type="payment"))
    recorded(finished(good=0, bad=3, organizationId=None, type=""))
    recorded(finished(DAY + timedelta(days=1), bad=5))
    outcomes = day()
    assert (outcomes.batches.now, outcomes.succeeded.now, outcomes.failed.now) == (3, 10, 5)
    assert outcomes.share.now == 5 / 15
    assert outcomes.by_organization == [
        Part(ORGANISATION, Numbers(1, 6, 2)),
        Part(OTHER, Numbers(1, 4, 0)),
        Part(NO_ORGANIZATION, Numbers(1, 0, 3)),
    ]
    assert outcomes.by_type == [
        Part("INVOICE", Numbers(1, 6, 2)),
        Part("PAYMENT", Numbers(1, 4, 0)),
        Part("", Numbers(1, 0, 3)),
    ]


def test_what_people_have_put_right_is_no_longer_unresolved(day: ReadDay, recorded: Record) -> None:
    batches = [recorded(finished(bad=1)) for _ in range(4)]
    states = [TriageState.CORRECTED, TriageState.IGNORED, TriageState.WAITING_FOR_AMILI]
    for batch, state in zip(batches, states, strict=False):
        Batch.objects.filter(pk=batch.pk).update(triage_state=state)
    outcomes = day()
    assert (outcomes.unresolved.now, outcomes.waiting) == (2, 1)


def test_a_batch_that_ran_over_midnight_was_open_and_stuck_at_the_end_of_the_day(
    day: ReadDay, recorded: Record
) -> None:
    recorded(finished(createdAt="2026-03-09T20:00:00Z", finishedAt="2026-03-10T06:00:00Z"))
    recorded(finished(createdAt="2026-03-09T22:50:00Z", finishedAt="2026-03-09T23:00:30Z"))
    outcomes = day()
    assert (outcomes.running.now, outcomes.stuck.now, outcomes.batches.now) == (2, 1, 0)


def test_a_day_that_is_not_over_shows_what_is_so_now(recorded: Record, person: Person) -> None:
    now = datetime.now(UTC)
    for minutes in (5, 20):
        created = now - timedelta(minutes=minutes)
        recorded(of_today("QUEUED", batchId=str(uuid4()), createdAt=created.isoformat()))
    today = outcomes_of(now.astimezone().date(), now, person)
    assert (today.running.now, today.stuck.now) == (2, 1)


# ------------------------------------------------------------------------------------------ what is usual


def test_usual_is_the_median_of_the_same_weekday_of_the_four_weeks_before(day: ReadDay, recorded: Record) -> None:
    for week, good in enumerate([9, 1, 2, 4, 8, 50]):  # the last of them is too long ago
        recorded(finished(weeks_before(week), good=good, bad=1))
    recorded(finished(DAY - timedelta(days=1), good=30))
    outcomes = day()
    assert outcomes.succeeded == Compared(9, 3)
    assert outcomes.share == Compared(0.1, (1 / 5 + 1 / 3) / 2)
    assert outcomes.unresolved == Compared(1, 1)


def test_weeks_before_anything_was_known_do_not_count_and_empty_ones_since_do(day: ReadDay, recorded: Record) -> None:
    recorded(finished(date(2019, 8, 24), good=1))  # a batch of long ago is no beginning
    recorded(finished(weeks_before(3), good=6))  # of the first day we may know a part
    recorded(finished(weeks_before(1), good=8))
    outcomes = day()
    assert outcomes.weeks == [weeks_before(1), weeks_before(2)]
    assert outcomes.succeeded == Compared(0, 4)  # of 8 and 0
    assert outcomes.share == Compared(None, 0)  # of a week without objects there is none


def test_a_holiday_is_not_what_is_usual(person: Person, recorded: Record) -> None:
    friday = date(2027, 1, 8)  # after New Year's Day and Christmas Day, which are Fridays
    for week in range(1, 7):
        recorded(finished(friday - timedelta(weeks=week), good=week))
    assert outcomes_of(friday, NOW + timedelta(days=365), person).weeks == [
        friday - timedelta(weeks=3),
        friday - timedelta(weeks=4),
    ]


def test_a_first_day_that_was_corrected_away_is_known_no_more(day: ReadDay, recorded: Record) -> None:
    answer = finished(weeks_before(2))
    recorded(answer)
    recorded({**answer, "finishedAt": f"{DAY}T12:00:00Z"})
    assert day().known_since == DAY


# ------------------------------------------------------------------------------------------ causes


@pytest.mark.parametrize(
    ("rows", "before", "trend"),
    [
        (5, [5, 5], "as_usual"),
        (6, [5, 5], "as_usual"),
        (7, [5, 5], "more"),
        (4, [5, 5], "as_usual"),
        (3, [5, 5], "less"),
        (3, [0, 0, 3], "more"),  # usual is that it is not there
        (3, [], "new"),
    ],
)
def test_a_cause_is_told_by_its_change(
    day: ReadDay, recorded: Record, rows: int, before: list[int], trend: str
) -> None:
    recorded(finished(bad=rows))
    for weeks, bad in enumerate(before, start=1):
        recorded(finished(weeks_before(weeks), bad=bad))
    [cause] = day().causes
    assert (cause.rows, cause.batches, cause.trend) == (rows, 1, trend)


def test_a_cause_of_another_weekday_is_not_new_and_without_weeks_to_compare_as_usual(
    day: ReadDay, recorded: Record
) -> None:
    recorded(finished(DAY - timedelta(days=2), bad=1))
    recorded(finished(bad=2))
    [cause] = day().causes
    assert (cause.trend, cause.usual) == ("as_usual", None)


def test_the_causes_with_most_rows_come_first(day: ReadDay, recorded: Record) -> None:
    for rows, message in [(1, "Amount is odd"), (3, "Debtor is missing"), (2, "Account is closed")]:
        recorded(finished(bad=rows, message=message))
    causes = day().causes
    assert [cause.cause.template for cause in causes] == ["Debtor is missing", "Account is closed", "Amount is odd"]


# ------------------------------------------------------------------------------------------ the trend


def test_the_trend_has_every_day_and_its_batches_by_outcome(recorded: Record) -> None:
    recorded(finished(DAY, good=2))
    recorded(finished(DAY, good=2, bad=2))
    recorded(finished(DAY - timedelta(days=2), good=0, bad=1))
    before_yesterday, yesterday, today = trend(DAY, 3)
    assert before_yesterday == TrendDay(DAY - timedelta(days=2), failed=1, bad=1, median=60, p95=60)
    assert yesterday == TrendDay(DAY - timedelta(days=1))
    assert (yesterday.batches, yesterday.share) == (0, None)
    assert today == TrendDay(DAY, succeeded=1, partial=1, good=4, bad=2, median=60, p95=60)
    assert (today.batches, today.share) == (2, 2 / 6)


def test_median_and_p95_are_those_of_the_batches_and_not_of_the_durations_there_are(recorded: Record) -> None:
    for seconds in [10] * 3 + [40] * 15 + [90, 20_000]:
        end = datetime(2026, 3, 9, 12, tzinfo=UTC) + timedelta(seconds=seconds)
        recorded(finished(finishedAt=end.isoformat()))
    [only] = trend(DAY, 1)
    assert (only.median, only.p95) == (40, 90)


# ------------------------------------------------------------------------------------------ how they are read


def fill() -> None:
    """Sums of 400 days and 40 organisations, as if they had been recorded."""
    organisation = "('00000000-0000-4000-8000-' || lpad(o::text, 12, '0'))::uuid"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO batches_outcomeday (day, organization_id, type, outcome, batches, succeeded, failed)
            SELECT date %s - d, {organisation}, 'INVOICE', 'partial', 1, 2, 3
            FROM generate_series(0, 400) AS d, generate_series(1, 40) AS o ON CONFLICT DO NOTHING
            """,
            [DAY],
        )
        cursor.execute(
            """
            INSERT INTO batches_daypace (day, seconds, batches)
            SELECT date %s - d, s, 1 FROM generate_series(0, 400) AS d, generate_series(1, 60) AS s
            ON CONFLICT DO NOTHING
            """,
            [DAY],
        )
        cursor.execute(
            """
            INSERT INTO batches_causeday (cause_id, day, batches, rows)
            SELECT id, date %s - d, 1, 5 FROM batches_cause, generate_series(1, 400) AS d
            ON CONFLICT DO NOTHING
            """,
            [DAY],
        )
        cursor.execute("ANALYZE batches_outcomeday, batches_daypace, batches_causeday")


def test_the_sums_are_read_by_the_range_of_their_keys_and_never_whole(recorded: Record, person: Person) -> None:
    for n in range(30):
        recorded(finished(bad=1, message=f"Cause {chr(97 + n)}"))
    fill()
    asked = plans(lambda: (outcomes_of(DAY, NOW, person), pulse(DAY, NOW, person), trend(DAY, 30)))
    read = {(each.get("Relation Name"), each["Node Type"]) for each in nodes(asked)}
    sums = {(table, how) for table, how in read if table and table.endswith(("outcomeday", "daypace", "causeday"))}
    assert {table for table, _ in sums} == {"batches_outcomeday", "batches_daypace", "batches_causeday"}
    assert not [table for table, how in sums if how == "Seq Scan"]


def test_a_day_costs_the_same_queries_for_one_organisation_and_for_many(recorded: Record, person: Person) -> None:
    counts = []
    for batches in (1, 12):
        for n in range(batches):
            recorded(finished(bad=1, organizationId=str(UUID(int=n + 1, version=4)), message=f"Cause {chr(97 + n)}"))
        with CaptureQueriesContext(connection) as queries:
            outcomes_of(DAY, NOW, person)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 16
