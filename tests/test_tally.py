"""The sums of days: kept up with every answer, and always equal to what the batches add up to."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.db import connections, models
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batches import sync
from batches.amili import payload
from batches.amili.transport import Reply
from batches.facts import Question, told_by
from batches.models import (
    NO_ORGANIZATION,
    Arrival,
    Batch,
    BatchCause,
    CauseDay,
    DayPace,
    OrganizationPace,
    OutcomeDay,
)
from batches.sync import Found
from batches.words import Outcome
from tests.answers import BATCH, ORGANISATION, OTHER, Json, body, error, of_first_generation, of_today, succeeded

type Record = Callable[..., Batch]
type Sums = dict[type[models.Model], set[tuple[Any, ...]]]

OSLO = ZoneInfo("Europe/Oslo")
SUMS: dict[type[models.Model], list[str]] = {
    OutcomeDay: ["day", "organization_id", "type", "outcome", "batches", "succeeded", "failed"],
    DayPace: ["day", "seconds", "batches"],
    OrganizationPace: ["organization_id", "month", "seconds", "batches"],
    Arrival: ["day", "organization_id", "quarter", "batches"],
    CauseDay: ["cause_id", "day", "batches", "rows"],
}


def kept() -> Sums:
    """What stands in the sums, without what has gone back to nothing."""
    return {table: set(table._default_manager.exclude(batches=0).values_list(*SUMS[table])) for table in SUMS}


def recounted() -> Sums:
    """The same from the batches themselves, one after the other."""
    found: dict[type[models.Model], dict[tuple[Any, ...], list[int]]] = {table: {} for table in SUMS}

    def add(table: type[models.Model], *key: Any, numbers: tuple[int, ...] = (1,)) -> None:
        known = found[table].setdefault(key, [0] * len(numbers))
        known[:] = map(sum, zip(known, numbers, strict=True))

    for batch in Batch.objects.all():
        organisation = batch.organization_id or NO_ORGANIZATION
        if batch.created_at:
            arrived = batch.created_at.astimezone(OSLO)
            add(Arrival, arrived.date(), organisation, arrived.hour * 4 + arrived.minute // 15)
        if batch.ended_at is None:
            continue
        day = batch.ended_at.astimezone(OSLO).date()
        numbers = (1, batch.succeeded_objects, batch.failed_objects)
        add(OutcomeDay, day, organisation, batch.type, batch.outcome, numbers=numbers)
        if batch.created_at and batch.finished_at and batch.created_at <= batch.finished_at:
            took = two_digits(batch.finished_at - batch.created_at)
            add(DayPace, day, took)
            add(OrganizationPace, organisation, day.replace(day=1), took)
    for share in BatchCause.objects.exclude(batch__ended_at=None).select_related("batch"):
        day = share.batch.ended_at.astimezone(OSLO).date()
        add(CauseDay, share.cause_id, day, numbers=(1, share.rows))
    return {table: {(*key, *numbers) for key, numbers in rows.items()} for table, rows in found.items()}


def two_digits(took: timedelta) -> int:
    """Seconds, rounded up."""
    seconds = -(-took // timedelta(seconds=1))
    step = 10 ** max(len(str(seconds)) - 2, 0)
    return -(-seconds // step) * step


# ------------------------------------------------------------------------------------------ one batch


def test_a_batch_counts_on_the_day_on_which_it_finished_in_oslo(recorded: Record) -> None:
    recorded(of_today(createdAt="2026-03-09T22:30:00Z", finishedAt="2026-03-09T23:10:00Z", succeeded=[succeeded()]))
    assert kept()[OutcomeDay] == {(date(2026, 3, 10), ORGANISATION, "INVOICE", Outcome.SUCCEEDED, 1, 1, 0)}
    assert kept()[Arrival] == {(date(2026, 3, 9), ORGANISATION, 94, 1)}
    assert kept()[DayPace] == {(date(2026, 3, 10), 2400, 1)}
    assert kept() == recounted()


def test_what_is_corrected_takes_back_what_it_said_before(recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(0), error(1)]))
    assert {row[3:] for row in kept()[OutcomeDay]} == {(Outcome.FAILED, 1, 0, 2)}
    recorded(of_first_generation(errors=[error(1)], succeeded=[succeeded()], finishedAt="2026-03-11T08:00:00Z"))
    assert kept()[OutcomeDay] == {(date(2026, 3, 11), ORGANISATION, "INVOICE", Outcome.PARTIAL, 1, 1, 1)}
    assert kept() == recounted()


def test_the_same_answer_again_counts_once(recorded: Record) -> None:
    for _ in range(3):
        recorded(of_today(succeeded=[succeeded()]))
    assert [row[4] for row in kept()[OutcomeDay]] == [1]


def test_a_batch_that_is_not_finished_has_arrived_and_counts_on_no_day(recorded: Record) -> None:
    recorded(of_today("IN_PROGRESS", succeeded=[succeeded()]))
    assert {table for table, rows in kept().items() if rows} == {Arrival}


def test_a_finished_batch_without_a_time_of_its_end_counts_on_the_day_of_its_creation(recorded: Record) -> None:
    recorded(of_today("SUCCESS", succeeded=[succeeded()], finishedAt=None))
    assert {row[0] for row in kept()[OutcomeDay]} == {date(2026, 3, 9)}
    assert not kept()[DayPace]
    assert kept() == recounted()


def test_a_finish_before_the_creation_counts_but_tells_no_duration(recorded: Record) -> None:
    recorded(of_today(succeeded=[succeeded()], finishedAt="2026-03-09T14:29:00Z"))
    assert len(kept()[OutcomeDay]) == 1
    assert not kept()[DayPace]
    assert kept() == recounted()


@pytest.mark.parametrize(
    ("finished", "day"),
    [
        ("2026-03-28T22:59:59Z", date(2026, 3, 28)),
        ("2026-03-28T23:00:00Z", date(2026, 3, 29)),  # a day of 23 hours
        ("2026-03-29T21:59:59Z", date(2026, 3, 29)),
        ("2026-03-29T22:00:00Z", date(2026, 3, 30)),
        ("2026-10-24T22:00:00Z", date(2026, 10, 25)),  # a day of 25 hours
        ("2026-10-25T22:59:59Z", date(2026, 10, 25)),
        ("2026-10-25T23:00:00Z", date(2026, 10, 26)),
    ],
)
def test_days_of_23_and_25_hours_begin_and_end_at_midnight_in_oslo(recorded: Record, finished: str, day: date) -> None:
    recorded(of_today(succeeded=[succeeded()], finishedAt=finished))
    assert {row[0] for row in kept()[OutcomeDay]} == {day}
    assert list(Batch.objects.ended_on(day)) == list(Batch.objects.all())
    assert not Batch.objects.ended_on(day + timedelta(days=1)).exists()
    assert not Batch.objects.ended_on(day - timedelta(days=1)).exists()


# ------------------------------------------------------------------------------------------ random histories

FIRST = datetime(2026, 3, 26, tzinfo=UTC)
IDS = [UUID(int=n, version=4) for n in range(1, 5)]
moments = st.integers(0, 7 * 86_400).map(lambda s: f"{FIRST + timedelta(seconds=s):%Y-%m-%dT%H:%M:%S}Z")

answers = st.builds(
    lambda status, errors, good, **changed: of_today(
        status, failed=[{"objectIndex": n, "errors": [text]} for n, text in enumerate(errors)],
        succeeded=[succeeded(n) for n in range(good)], **changed,
    ),
    st.sampled_from(["QUEUED", "IN_PROGRESS", "SUCCESS", "PARTIAL", "FAILED", "A_NEW_WORD"]),
    st.lists(st.sampled_from(["Debtor is missing", "Amount 1 is odd", "Amount 2 is odd"]), max_size=3),
    st.integers(0, 3),
    batchId=st.sampled_from(IDS).map(str),
    type=st.sampled_from(["INVOICE", "invoice", ""]),
    createdAt=st.none() | moments,
    finishedAt=st.none() | moments,
    organizationId=st.sampled_from([str(ORGANISATION), str(OTHER), None]),
)  # fmt: skip
steps = st.lists(
    st.tuples(st.sampled_from(["record", "list"]), answers, st.integers(0, 40))
    | st.tuples(st.just("place"), st.sampled_from(IDS), st.just(0)),
    max_size=12,
)
START = datetime(2026, 3, 28, 12, tzinfo=UTC)


def take(deed: str, what: Any, minute: int) -> None:
    """An answer that comes, perhaps late; a list that has one; an organisation that is found out."""
    if deed == "place":
        sync.place([what], ORGANISATION)
        return
    batch_id, at = UUID(what["batchId"]), START + timedelta(minutes=minute)
    if deed == "record":
        Batch.objects.follow([batch_id], at)
        sync.record(batch_id, Reply(200, body(what)), Question(at))
    elif not Batch.objects.filter(pk=batch_id).exists():
        list_one(batch_id, what, at)


def list_one(batch_id: UUID, data: Json, at: datetime) -> None:
    reply = Reply(200, body(data))
    told = told_by(payload.read_batch(reply.body, batch_id))
    created_at = told.snapshot.created_at
    sync.record_new([Found(batch_id, created_at, reply, told)], ORGANISATION, at, Question(at))


@pytest.mark.django_db
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=steps)
def test_after_any_history_the_sums_are_those_of_a_recount_and_of_a_rebuild(history: list[Any]) -> None:
    for table in (Batch, *SUMS):
        table._default_manager.all().delete()
    for step in history:
        take(*step)
    assert kept() == recounted()
    call_command("rebuild_outcomes", stdout=StringIO(), stderr=StringIO())
    assert kept() == recounted()


# ------------------------------------------------------------------------------------------ rebuilt


def test_a_rebuild_mends_whatever_stands_in_the_sums(recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(0)]))
    OutcomeDay.objects.update(batches=7)
    Arrival.objects.all().delete()
    BatchCause.objects.update(ended_at=None)  # as a worker of a former version leaves it
    OrganizationPace.objects.create(organization_id=OTHER, month=date(2018, 2, 1), seconds=3, batches=1)
    stray = date(2019, 5, 17)
    OutcomeDay.objects.create(
        day=stray, organization_id=OTHER, type="", outcome=Outcome.FAILED, batches=3, succeeded=0, failed=1
    )
    out = StringIO()
    call_command("rebuild_outcomes", stdout=out, stderr=StringIO())
    assert kept() == recounted()
    assert "Months counted: 3." in out.getvalue()


def test_a_rebuild_shows_at_a_terminal_how_far_it_is(recorded: Record) -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    recorded(of_first_generation(errors=[error(0)]))
    terminal = Terminal()
    call_command("rebuild_outcomes", stdout=StringIO(), stderr=terminal)
    assert "1/1" in terminal.getvalue()


@pytest.mark.django_db(transaction=True)
def test_an_update_counts_what_was_recorded_before(recorded: Record) -> None:
    for n, changed in enumerate(
        [{}, {"finishedAt": None}, {"finishedAt": "2026-03-09T14:29:59.5Z"}, {"createdAt": None}]
    ):
        recorded(of_first_generation(batchId=str(UUID(int=n + 1, version=4)), errors=[error(n)], **changed))
    recorded(of_today("QUEUED", batchId=str(OTHER), organizationId=None))
    for migration in ("0003", "0005"):
        call_command("migrate", "batches", migration, verbosity=0)
    assert kept() == recounted()


@pytest.mark.django_db(transaction=True)
def test_many_at_once_neither_lose_a_batch_nor_wait_crosswise_even_while_all_is_rebuilt() -> None:
    def record(n: int) -> None:
        try:
            for turn in range(4):
                data = of_first_generation(
                    batchId=str(UUID(int=n, version=4)),
                    errors=[error(0, f"Cause {'abc'[(n + turn) % 3]}")],
                    finishedAt=f"2026-03-{10 + (n + turn) % 3}T08:00:00Z",
                )
                take("record", data, turn)
        finally:
            connections.close_all()

    def rebuild() -> None:
        try:
            call_command("rebuild_outcomes", stdout=StringIO(), stderr=StringIO())
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        deeds = [pool.submit(record, n) for n in range(1, 13)] + [pool.submit(rebuild) for _ in range(3)]
    for deed in deeds:
        deed.result()
    assert kept() == recounted()
    assert Batch.objects.count() == 12


def test_a_batch_whose_organisation_is_found_out_counts_there(recorded: Record) -> None:
    recorded(of_today(succeeded=[succeeded()], organizationId=None))
    assert {row[1] for row in kept()[OutcomeDay]} == {NO_ORGANIZATION}
    sync.place([BATCH], ORGANISATION)
    assert {row[1] for row in kept()[OutcomeDay]} == {ORGANISATION}
    assert kept() == recounted()
