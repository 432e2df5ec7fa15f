"""Alerts: each thing is told once to those who want to hear of it, in their own time, and taken back when it is over."""

import logging
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from batches import rhythm, sync, tasks, triage
from batches.alerts import digest, looking, telling
from batches.fingerprint import GROUPING
from batches.models import (
    Alert,
    Batch,
    Cause,
    Connection,
    Digest,
    Discovery,
    Expectation,
    Message,
    Notice,
    Traffic,
    Walk,
    Watch,
)
from batches.rhythm.lasting import FEWEST_FINISHED
from batches.words import AlertKind, Source, TriageState, Trouble
from staff.models import Person
from tests.alerted import CANARY, FRIDAY, HOSTILE, MINUTE, OSLO, batch, failures, id_of, send_due, tick, wish
from tests.answers import ORGANISATION, OTHER, succeeded
from tests.conftest import Record
from tests.pages import seen
from tests.smtp import Postbox, receiving
from tests.test_tasks import together

DAY = timedelta(days=1)
WEEK = timedelta(days=7)

type Deed = Callable[[], None]


@pytest.fixture
def postbox(settings: Settings) -> Iterator[Postbox]:
    """A mail server that is there."""
    with receiving(settings) as postbox:
        yield postbox


@pytest.fixture(autouse=True)
def names(settings: Settings) -> None:
    settings.AMILI_ORGANIZATIONS = {ORGANISATION: "Nordlys Kraft AS", OTHER: "Kommune\nA"}
    settings.SITE_URL = "https://dashboard.example"


def sends_on_fridays(recorded: Record) -> None:
    """A batch at 08.05 on each of the last five Fridays."""
    for week in range(1, 6):
        at = FRIDAY - week * WEEK - 115 * MINUTE
        recorded(batch(100 + week, at=at, succeeded=[succeeded()]), at=at + MINUTE)


def running(recorded: Record, number: int, at: datetime, asked_at: datetime) -> Batch:
    """A batch that runs, and that is asked about whatever the clock of this machine says of its age."""
    found = recorded(batch(number, "QUEUED", at=at), at=asked_at)
    Batch.objects.filter(pk=found.pk).update(next_check_at=asked_at)
    return found


def stuck_begins(recorded: Record) -> Deed:
    running(recorded, 1, FRIDAY - 41 * MINUTE, FRIDAY)
    ended = batch(1, at=FRIDAY - 41 * MINUTE, succeeded=[succeeded()], finishedAt=(FRIDAY + 20 * MINUTE).isoformat())
    return lambda: void(recorded(ended, at=FRIDAY + 21 * MINUTE))


def missing_begins(recorded: Record) -> Deed:
    sends_on_fridays(recorded)
    late = batch(2, at=FRIDAY + 20 * MINUTE, succeeded=[succeeded()])
    return lambda: void(recorded(late, at=FRIDAY + 21 * MINUTE))


def new_cause_begins(recorded: Record) -> Deed:
    at = FRIDAY - 10 * MINUTE
    recorded(batch(3, "PARTIAL", at=at, succeeded=[succeeded()], failed=failures(2)), at=FRIDAY)
    kari = Person.objects.get(username="kari")
    return lambda: triage.move(Cause.objects.get(), kari, 0, TriageState.CORRECTED, None)


@pytest.fixture
def failed(recorded: Record) -> Batch:
    """A batch that failed a minute before we asked."""
    return recorded(batch(1, "FAILED", at=FRIDAY - MINUTE, failed=failures(1)), at=FRIDAY)


def call(failed: Batch, person: Person, state: TriageState) -> None:
    failed.refresh_from_db()
    triage.move(failed, person, failed.triage_revision, state, None)


def void(_: object) -> None:
    """For a deed whose result nobody wants."""


STORIES = [
    (AlertKind.STUCK, stuck_begins, "Stuck: 1 batch", "All clear: 1 batch is no longer stuck"),
    (
        AlertKind.MISSING,
        missing_begins,
        "Missing: 1 organisation has sent nothing",
        "All clear: 1 organisation is no longer missing",
    ),
    (AlertKind.NEW_CAUSE, new_cause_begins, "New: 1 cause of failures", "All clear: 1 new cause is dealt with"),
]


# ------------------------------------------------------------------------------------------ once


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("kind", "begins", "subject", "all_clear"), STORIES, ids=[kind for kind, *_ in STORIES])
def test_what_begins_makes_one_mail_and_its_end_one_more_however_often_anybody_looks(
    kind: AlertKind,
    begins: Callable[[Record], Deed],
    subject: str,
    all_clear: str,
    person: Person,
    recorded: Record,
    postbox: Postbox,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    wish(person, kind)
    end = begins(recorded)
    together(lambda: tick(FRIDAY))
    for seconds in range(0, 600, 30):
        tick(FRIDAY + timedelta(seconds=seconds))
    assert postbox.subjects == [subject]
    end()
    later = FRIDAY + 30 * MINUTE
    together(lambda: tick(later))
    for seconds in range(0, 7_200, 360):
        tick(later + timedelta(seconds=seconds))
    assert postbox.subjects == [subject, all_clear]
    assert set(postbox.recipients) == {"kari@example.no"}
    assert CANARY not in "".join([*map(str, postbox.mails), caplog.text])


def test_a_beat_brings_word_to_the_mail_server_by_itself(
    person: Person,
    recorded: Record,
    postbox: Postbox,
    work: Callable[[], int],
) -> None:
    wish(person, AlertKind.FAILED)
    recorded(batch(1, "FAILED", at=timezone.now() - MINUTE, failed=failures(2)))
    tasks.look_for_alerts()
    tasks.send_due_messages()
    tasks.send_due_messages()
    assert work() == 2
    assert postbox.subjects == ["Failed: 1 batch"]


def test_an_alert_that_is_over_before_it_was_told_is_never_told(
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.STUCK, quiet_from="09:00", quiet_until="11:00")
    end = stuck_begins(recorded)
    tick(FRIDAY)
    end()
    tick(FRIDAY + 30 * MINUTE)
    tick(FRIDAY + 90 * MINUTE)
    assert postbox.subjects == []
    assert not Notice.objects.exists()


# ------------------------------------------------------------------------------------------ and again


def fail(recorded: Record, bad: int, now: datetime) -> None:
    """So many of today's 60 objects have failed by now."""
    good = [succeeded(number) for number in range(60 - bad)]
    recorded(batch(1, "PARTIAL", at=FRIDAY - MINUTE, succeeded=good, failed=failures(bad)), at=now)
    tick(now)


def test_what_begins_again_an_hour_after_its_end_is_told_again(
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.SHARE, share_limit=10)
    fail(recorded, 6, FRIDAY)
    fail(recorded, 5, FRIDAY + 10 * MINUTE)
    fail(recorded, 7, FRIDAY + 70 * MINUTE)
    fail(recorded, 5, FRIDAY + 90 * MINUTE)
    assert [subject.split(":")[0] for subject in postbox.subjects] == ["Many failures", "All clear"] * 2
    assert "7 of the day's 60 objects had failed by 20.11.2026 11.10" in postbox.texts[2]


def test_what_dances_around_its_limit_rests_for_an_hour(
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.SHARE, share_limit=10)
    fail(recorded, 6, FRIDAY)
    for minutes in range(10, 70):
        fail(recorded, 5 + minutes // 10 % 2 * (minutes > 10), FRIDAY + minutes * MINUTE)
    assert [subject.split(":")[0] for subject in postbox.subjects] == ["Many failures", "All clear"]
    fail(recorded, 6, FRIDAY + 70 * MINUTE)
    assert [subject.split(":")[0] for subject in postbox.subjects] == ["Many failures", "All clear", "Many failures"]


def test_an_end_in_time_to_come_keeps_nothing_from_beginning_again(
    person: Person,
    failed: Batch,
    postbox: Postbox,
) -> None:
    """It is of a clock that was put back."""
    wish(person, AlertKind.FAILED)
    tick(FRIDAY)
    for state, now in ((TriageState.CORRECTED, FRIDAY + DAY), (TriageState.LOOKING, FRIDAY + 20 * MINUTE)):
        call(failed, person, state)
        tick(now)
    assert postbox.subjects == ["Failed: 1 batch", "All clear: 1 failed batch is dealt with", "Failed: 1 batch"]


def test_a_batch_that_is_taken_up_again_is_told_again(
    person: Person,
    failed: Batch,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.FAILED)
    tick(FRIDAY)
    for state, minutes in ((TriageState.CORRECTED, 10), (TriageState.LOOKING, 75)):
        call(failed, person, state)
        tick(FRIDAY + minutes * MINUTE)
    assert postbox.subjects == ["Failed: 1 batch", "All clear: 1 failed batch is dealt with", "Failed: 1 batch"]


def test_who_hears_of_a_batch_since_they_watch_it_does_not_hear_of_it_twice(
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.WATCHED, AlertKind.FAILED)
    wish(Person.objects.create(username="ola", email="ola@example.no"), AlertKind.FAILED)
    watched = running(recorded, 1, FRIDAY - MINUTE, FRIDAY - MINUTE)
    Watch.objects.create(person=person, batch=watched, at=FRIDAY)
    failed = recorded(batch(1, "FAILED", at=FRIDAY - MINUTE, failed=failures(1)), at=FRIDAY)
    for minutes in range(0, 60, 10):
        tick(FRIDAY + minutes * MINUTE)
    heard = sorted(zip(postbox.recipients, postbox.subjects, strict=True))
    assert heard == [("kari@example.no", "Finished: 1 batch that you watch"), ("ola@example.no", "Failed: 1 batch")]
    call(failed, person, TriageState.CORRECTED)
    tick(FRIDAY + 61 * MINUTE)
    assert postbox.subjects[2:] == ["All clear: 1 failed batch is dealt with"] * 2


def test_what_was_told_as_watched_mutes_nothing_else(
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.WATCHED, AlertKind.FAILED)
    watched = running(recorded, 1, FRIDAY - MINUTE, FRIDAY - MINUTE)
    Watch.objects.create(person=person, batch=watched, at=FRIDAY)
    recorded(batch(1, "FAILED", at=FRIDAY - MINUTE, failed=failures(1)), at=FRIDAY)
    tick(FRIDAY)
    recorded(batch(2, "FAILED", at=FRIDAY, failed=failures(1)), at=FRIDAY + MINUTE)
    tick(FRIDAY + MINUTE)
    assert postbox.subjects == ["Finished: 1 batch that you watch", "Failed: 1 batch"]


def test_what_ends_and_begins_again_in_quiet_hours_is_not_told_twice(
    person: Person,
    failed: Batch,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.FAILED, quiet_from="17:00", quiet_until="07:00")
    tick(FRIDAY)
    for state, hours in ((TriageState.CORRECTED, 8), (TriageState.LOOKING, 10), (TriageState.CORRECTED, 22)):
        call(failed, person, state)
        for minutes in range(3):
            tick(FRIDAY + hours * 60 * MINUTE + minutes * MINUTE)
    assert postbox.subjects == ["Failed: 1 batch", "All clear: 1 failed batch is dealt with"]


def test_a_beginning_that_is_held_up_arrives_before_its_end(
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.STUCK)
    postbox.refusal = "451 Later"
    end = stuck_begins(recorded)
    tick(FRIDAY)
    end()
    tick(FRIDAY + 30 * MINUTE)
    postbox.refusal = ""
    for minutes in range(31, 120):
        tick(FRIDAY + minutes * MINUTE)
    assert postbox.subjects == ["Stuck: 1 batch", "All clear: 1 batch is no longer stuck"]


def test_a_clock_that_is_put_back_mutes_nobody(
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.FAILED)
    for number, now in enumerate([FRIDAY + DAY, FRIDAY]):
        recorded(batch(number, "FAILED", at=now - MINUTE, failed=failures(1)), at=now)
        tick(now)
    assert postbox.subjects == ["Failed: 1 batch"] * 2


# ------------------------------------------------------------------------------------------ when something fails


def failing(at: str, times: int = 1, fault: type[Exception] = DatabaseError) -> Callable[..., Any]:
    """Of a database that so often turns down what begins with or names this."""
    left = iter(range(times))

    def fail(execute: Callable[..., Any], sql: str, *more: Any) -> Any:
        if at in sql and next(left, None) is not None:
            raise fault("no")
        return execute(sql, *more)

    return fail


def test_a_kind_that_cannot_be_looked_for_keeps_no_other_from_being_told(
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.SHARE, AlertKind.STUCK)
    stuck_begins(recorded)
    with connection.execute_wrapper(failing('FROM "batches_outcomeday"')), pytest.raises(ExceptionGroup):
        looking.look(FRIDAY)
    telling.tell(FRIDAY)
    send_due(FRIDAY)
    assert postbox.subjects == ["Stuck: 1 batch"]


def test_a_look_whose_time_is_over_looks_for_nothing_more(person: Person, recorded: Record) -> None:
    stuck_begins(recorded)
    out_of_time = failing('FROM "batches_outcomeday"', fault=SoftTimeLimitExceeded)
    wish(person, AlertKind.SHARE, AlertKind.STUCK)
    with connection.execute_wrapper(out_of_time), pytest.raises(SoftTimeLimitExceeded):
        looking.look(FRIDAY)
    assert not Alert.objects.exists()


def test_a_person_who_cannot_be_told_keeps_no_other_from_being_told(
    person: Person,
    recorded: Record,
    postbox: Postbox,
    caplog: pytest.LogCaptureFixture,
) -> None:
    wish(person, AlertKind.FAILED)
    wish(Person.objects.create(username="ola", email="ola@example.no"), AlertKind.FAILED)
    recorded(batch(1, "FAILED", at=FRIDAY - MINUTE, failed=failures(1)), at=FRIDAY)
    looking.look(FRIDAY)
    with connection.execute_wrapper(failing('INTO "batches_message"')), pytest.raises(ExceptionGroup):
        telling.tell(FRIDAY)
    send_due(FRIDAY)
    assert len(postbox.recipients) == 1
    tick(FRIDAY + MINUTE)
    assert sorted(postbox.recipients) == ["kari@example.no", "ola@example.no"]
    assert CANARY not in caplog.text


# ------------------------------------------------------------------------------------------ what a mail says


def test_a_mail_says_who_since_when_and_where_to_look(
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.STUCK)
    stuck_begins(recorded)
    tick(FRIDAY)
    [text] = postbox.texts
    assert text.splitlines() == [
        "Nordlys Kraft AS: running since 20.11.2026 09.19",
        f"https://dashboard.example/batches/{id_of(1)}/",
        "",
        "-- ",
        "You asked to hear of this. What you hear of, how and when:",
        "https://dashboard.example/alerts/",
    ]


@pytest.mark.parametrize(
    ("organisation", "name"),
    [(ORGANISATION, "Nordlys Kraft AS"), (None, "No organisation"), (OTHER, f"{str(OTHER)[:4]}…{str(OTHER)[-4:]}")],
    ids=["named", "none", "unnamed"],
)
def test_a_mail_calls_an_organisation_what_the_page_calls_it(
    organisation: UUID | None,
    name: str,
    person: Person,
    client: Client,
    recorded: Record,
    postbox: Postbox,
    settings: Settings,
) -> None:
    settings.AMILI_ORGANIZATIONS = {ORGANISATION: "Nordlys Kraft AS"}
    wish(person, AlertKind.FAILED)
    by = organisation and str(organisation)
    recorded(batch(1, "FAILED", at=FRIDAY - MINUTE, failed=failures(1), organizationId=by), at=FRIDAY)
    tick(FRIDAY)
    assert postbox.texts[0].startswith(f"{name}: failed ")
    assert f"{name} 1 0 1" in seen(client.get("/outcomes/", {"day": "2026-11-20"}))


def test_a_stuck_batch_is_told_with_the_time_in_which_others_are_done(
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.STUCK)
    for number in range(FEWEST_FINISHED):
        at = FRIDAY - DAY + number * MINUTE
        finish = (at + timedelta(seconds=170)).isoformat()
        recorded(batch(500 + number, at=at, succeeded=[succeeded()], finishedAt=finish), at=FRIDAY - DAY / 2)
    stuck_begins(recorded)
    tick(FRIDAY)
    assert "usually done within 3\xa0min" in postbox.texts[0]


def test_a_missing_sender_is_told_with_its_usual_time(
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.MISSING)
    missing_begins(recorded)
    tick(FRIDAY)
    assert postbox.texts[0].splitlines()[:2] == [
        "Nordlys Kraft AS: nothing on Friday 20.11.2026, usually sends by 08.15",
        "https://dashboard.example/outcomes/rhythm/?day=2026-11-20",
    ]


def test_many_at_once_are_one_mail_with_twenty_lines_and_a_link_to_the_rest(
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.FAILED)
    for number in range(25):
        recorded(batch(number, "FAILED", at=FRIDAY - MINUTE, failed=failures(1)), at=FRIDAY)
    tick(FRIDAY)
    assert postbox.subjects == ["Failed: 25 batches"]
    [text] = postbox.texts
    assert text.count("/batches/00000000-") == 20
    assert "and 5 more:\nhttps://dashboard.example/batches/?triage=unresolved&status=failed" in text


def test_of_many_causes_those_with_most_rows_are_named(
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.NEW_CAUSE)
    for number, name in enumerate("abcdefghijklmnopqrstu"):
        bad = failures(1 + number, f"Cause {name * 3}")
        recorded(batch(number, "FAILED", at=FRIDAY - MINUTE, failed=bad), at=FRIDAY)
    tick(FRIDAY)
    lines = [line for line in postbox.texts[0].splitlines() if "error row" in line]
    assert lines == [f"{rows} error rows in 1 batch" for rows in range(21, 1, -1)]
    assert "and 1 more:" in postbox.texts[0]


def test_a_name_from_the_settings_keeps_to_its_line(
    person: Person,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.MISSING)
    Expectation.objects.create(
        organization_id=OTHER, mode="fixed", weekdays=[FRIDAY.weekday()], by="09:00", set_at=FRIDAY
    )
    tick(FRIDAY)
    assert postbox.texts[0].startswith("Kommune A: nothing on Friday 20.11.2026, usually sends by 09.00\n")


# ------------------------------------------------------------------------------------------ who hears of it


def test_who_has_said_nothing_hears_of_watched_batches_alone(
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    at = FRIDAY - MINUTE
    watched = running(recorded, 1, at, at)
    Watch.objects.create(person=person, batch=watched, at=at)
    tick(FRIDAY)
    assert postbox.subjects == []
    done = batch(1, "PARTIAL", at=at, succeeded=[succeeded()], failed=failures(1))
    recorded(done, at=FRIDAY)
    recorded(batch(2, "FAILED", at=at, failed=failures(1)), at=FRIDAY)
    for minutes in range(20):
        tick(FRIDAY + minutes * MINUTE)
    assert postbox.subjects == ["Finished: 1 batch that you watch"]
    assert "Nordlys Kraft AS: partly succeeded 20.11.2026 09.59, 1 of 2 objects succeeded" in postbox.texts[0]
    assert not Watch.objects.exists()


def test_a_watch_ends_too_when_amili_is_no_longer_asked(
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    watched = recorded(batch(1, "QUEUED", at=FRIDAY), at=FRIDAY)
    Watch.objects.create(person=person, batch=watched, at=FRIDAY)
    Batch.objects.update(next_check_at=None)
    tick(FRIDAY)
    assert "Nordlys Kraft AS: is no longer asked about" in postbox.texts[0]
    assert not Watch.objects.exists()


def test_a_watch_is_the_business_of_who_watches(
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    Person.objects.create(username="ola", email="ola@example.no")
    watched = recorded(batch(1, at=FRIDAY, succeeded=[succeeded()]), at=FRIDAY)
    Watch.objects.create(person=person, batch=watched, at=FRIDAY)
    tick(FRIDAY)
    assert postbox.recipients == ["kari@example.no"]


def test_nobody_hears_of_a_kind_that_they_gave_up_meanwhile(
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.STUCK)
    end = stuck_begins(recorded)
    tick(FRIDAY)
    wish(person)
    end()
    tick(FRIDAY + 30 * MINUTE)
    assert postbox.subjects == ["Stuck: 1 batch"]


def test_who_has_left_hears_of_nothing(
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.FAILED)
    Person.objects.update(is_active=False)
    recorded(batch(1, "FAILED", at=FRIDAY - MINUTE, failed=failures(1)), at=FRIDAY)
    tick(FRIDAY)
    assert postbox.subjects == []


@pytest.mark.parametrize("lacking", ["address", "wish", "server"])
def test_without_a_way_to_a_person_nothing_piles_up(
    lacking: str, person: Person, recorded: Record, settings: Settings
) -> None:
    settings.MAIL_IS_ON = lacking != "server"
    wish(person, AlertKind.FAILED, wants_mail=lacking != "wish")
    Person.objects.update(email="" if lacking == "address" else "kari@example.no")
    recorded(batch(1, "FAILED", at=FRIDAY - MINUTE, failed=failures(1)), at=FRIDAY)
    tick(FRIDAY)
    assert not Message.objects.exists()
    assert not Notice.objects.filter(told_at=None).exists()


# ------------------------------------------------------------------------------------------ what is worth it


def test_a_backfill_of_what_is_long_past_tells_of_nothing(
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    wish(person, *AlertKind)
    for number in range(3):
        at = FRIDAY - 2 * DAY
        recorded(batch(number, "FAILED", at=at, failed=failures(60, f"Cause {'abc'[number]}")), at=FRIDAY)
    tick(FRIDAY)
    assert postbox.subjects == []


def test_a_failed_batch_is_over_when_somebody_has_dealt_with_it(
    person: Person,
    failed: Batch,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.FAILED)
    tick(FRIDAY)
    tick(FRIDAY + 3 * DAY)  # however long that takes
    call(failed, person, TriageState.IGNORED)
    tick(FRIDAY + 3 * DAY + MINUTE)
    assert postbox.subjects == ["Failed: 1 batch", "All clear: 1 failed batch is dealt with"]


def test_a_failure_that_we_learn_of_late_is_told(
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.FAILED, AlertKind.NEW_CAUSE)
    at = FRIDAY - 3 * DAY
    running(recorded, 1, at, at)
    recorded(batch(1, "FAILED", at=at, failed=failures(1)), at=FRIDAY)  # after a weekend without workers
    for minutes in range(0, 60, 20):
        tick(FRIDAY + minutes * MINUTE)
    assert postbox.subjects == ["Failed: 1 batch", "New: 1 cause of failures"]


def test_what_a_long_backfill_reads_a_day_after_it_was_found_is_told_only_if_it_is_not_long_past(
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.FAILED, AlertKind.NEW_CAUSE)
    for number, days in enumerate((365, 8)):
        Batch.objects.follow([UUID(id_of(number))], FRIDAY - DAY - MINUTE, Source.DISCOVERY)
        past = batch(number, "FAILED", at=FRIDAY - days * DAY, failed=failures(1, f"Cause {'ab'[number]}"))
        recorded(past, at=FRIDAY)
    tick(FRIDAY)
    assert postbox.subjects == []


def test_what_another_batch_had_before_is_no_new_cause_of_one_that_we_learn_of_late(
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.NEW_CAUSE)
    at = FRIDAY - 3 * DAY
    running(recorded, 1, at, at)
    recorded(batch(2, "FAILED", at=at - DAY, failed=failures(1)), at=at)
    recorded(batch(1, "FAILED", at=at, failed=failures(1)), at=FRIDAY)
    tick(FRIDAY)
    assert postbox.subjects == []


def test_causes_of_a_new_grouping_are_no_news_and_those_of_the_former_are_not_dealt_with(
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.NEW_CAUSE)
    recorded(batch(1, "FAILED", at=FRIDAY - 10 * DAY, failed=failures(1, "Known for long")), at=FRIDAY)
    recorded(batch(2, "FAILED", at=FRIDAY - MINUTE, failed=failures(1, "New today")), at=FRIDAY)
    tick(FRIDAY)
    for cause in Cause.objects.all():
        Cause.objects.filter(pk=cause.pk).update(grouping=GROUPING - 1, template=f"Former: {cause.template}")
    Batch.objects.update(grouping=GROUPING - 1)
    recorded(batch(3, "FAILED", at=FRIDAY, failed=failures(1, "Known for long")), at=FRIDAY)
    tick(FRIDAY + 20 * MINUTE)
    sync.regroup_batch(UUID(id_of(2)))
    tick(FRIDAY + 40 * MINUTE)
    call_command("regroup_causes")
    tick(FRIDAY + 60 * MINUTE)
    assert postbox.subjects == ["New: 1 cause of failures"]
    assert not Alert.objects.still_open().filter(kind=AlertKind.NEW_CAUSE).exists()


def test_no_cause_is_new_before_the_list_it_stands_in_is_read_to_its_end(
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.NEW_CAUSE)
    walk = Discovery.objects.create(organization_id=ORGANISATION, walk=Walk.NEWEST, next_at=FRIDAY)
    recorded(batch(1, "FAILED", at=FRIDAY - MINUTE, failed=failures(1)), at=FRIDAY)
    tick(FRIDAY)
    assert postbox.subjects == []
    walk.complete_at = FRIDAY
    walk.save()
    tick(FRIDAY + MINUTE)
    assert postbox.subjects == ["New: 1 cause of failures"]


@pytest.mark.parametrize(
    ("trouble", "pages", "is_awaited"),
    [
        (Trouble.FORBIDDEN, 3, False),
        (Trouble.NOT_THERE, 0, False),
        (Trouble.REFUSED, 0, False),
        (Trouble.REFUSED, 3, True),  # a page that Amili has forgotten: the walk begins anew
        (Trouble.UNREACHABLE, 0, True),
    ],
)
def test_a_list_that_amili_does_not_show_is_not_awaited(
    trouble: Trouble,
    pages: int,
    is_awaited: bool,
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.NEW_CAUSE)
    Discovery.objects.create(
        organization_id=ORGANISATION, walk=Walk.NEWEST, next_at=FRIDAY, trouble=trouble, pages=pages
    )
    recorded(batch(1, "FAILED", at=FRIDAY - MINUTE, failed=failures(1)), at=FRIDAY)
    tick(FRIDAY)
    assert postbox.subjects == ([] if is_awaited else ["New: 1 cause of failures"])


def test_a_stuck_batch_is_told_until_it_ends_or_is_no_longer_asked_about(
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.STUCK)
    stuck_begins(recorded)
    tick(FRIDAY)
    at = FRIDAY - DAY
    for number in range(FEWEST_FINISHED):  # others that took longer still
        finish = (at + timedelta(hours=3)).isoformat()
        recorded(batch(500 + number, at=at, succeeded=[succeeded()], finishedAt=finish), at=FRIDAY)
    tick(FRIDAY + MINUTE)
    assert not rhythm.stuck(FRIDAY + MINUTE, Batch.objects.all())
    assert postbox.subjects == ["Stuck: 1 batch"]
    Batch.objects.update(next_check_at=None)
    tick(FRIDAY + 2 * MINUTE)
    assert postbox.subjects == ["Stuck: 1 batch", "All clear: 1 batch is no longer stuck"]
    assert "Nordlys Kraft AS: is no longer asked about" in postbox.texts[1]


def test_a_share_of_failures_reaches_those_whose_limit_it_reaches(
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    ola = Person.objects.create(username="ola", email="ola@example.no")
    wish(person, AlertKind.SHARE, share_limit=10)
    wish(ola, AlertKind.SHARE, share_limit=11)
    at = FRIDAY - MINUTE
    good = [succeeded(number) for number in range(54)]
    recorded(batch(1, "PARTIAL", at=at, succeeded=good[:45], failed=failures(4)), at=FRIDAY)
    tick(FRIDAY)
    assert postbox.recipients == []  # too few objects, and too few of them failed
    recorded(batch(1, "PARTIAL", at=at, succeeded=good, failed=failures(6)), at=FRIDAY)
    tick(FRIDAY + MINUTE)
    assert postbox.recipients == ["kari@example.no"]
    assert postbox.texts[0].splitlines()[:2] == [
        "Nordlys Kraft AS: 6 of the day's 60 objects had failed by 20.11.2026 10.01; your limit is 10 %",
        f"https://dashboard.example/batches/?finished=2026-11-20&organisation={ORGANISATION}&objects=failed",
    ]
    recorded(batch(2, at=at, succeeded=good), at=FRIDAY)
    tick(FRIDAY + 2 * MINUTE)
    assert postbox.subjects[1:] == ["All clear: fewer failures of 1 organisation"]


def test_midnight_takes_nothing_back_that_was_so_all_day(
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.SHARE, AlertKind.MISSING)
    missing_begins(recorded)
    recorded(batch(1, "FAILED", at=FRIDAY - DAY, failed=failures(60), organizationId=str(OTHER)), at=FRIDAY)
    recorded(batch(1, "FAILED", at=FRIDAY, failed=failures(60), organizationId=str(OTHER)), at=FRIDAY)
    tick(FRIDAY)
    tick(FRIDAY + DAY)
    assert sorted(postbox.subjects) == ["Many failures: 1 organisation", "Missing: 1 organisation has sent nothing"]
    assert not Alert.objects.filter(kind__in=[AlertKind.SHARE, AlertKind.MISSING], closed_at=None).exists()


def test_a_running_batch_is_stuck_only_by_word_of_amili(
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.STUCK)
    running(recorded, 1, FRIDAY - 41 * MINUTE, FRIDAY - 40 * MINUTE)
    tick(FRIDAY)  # nobody has asked since, as after a night without workers
    assert postbox.subjects == []
    running(recorded, 1, FRIDAY - 41 * MINUTE, FRIDAY)
    tick(FRIDAY + MINUTE)
    assert postbox.subjects == ["Stuck: 1 batch"]


def test_nobody_is_missing_while_nobody_would_know(
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.MISSING)
    missing_begins(recorded)
    walk = Discovery.objects.create(organization_id=ORGANISATION, walk=Walk.NEWEST, next_at=FRIDAY)
    tick(FRIDAY)
    assert postbox.subjects == []  # its list has not been looked through since 08.15
    walk.complete_at = FRIDAY
    walk.save()
    tick(FRIDAY + MINUTE)
    assert postbox.subjects == ["Missing: 1 organisation has sent nothing"]


@pytest.mark.parametrize("organisation", [ORGANISATION, None], ids=["placed", "not placed yet"])
def test_nobody_is_missing_while_what_is_listed_has_not_been_read(
    organisation: UUID | None,
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.MISSING)
    missing_begins(recorded)
    Discovery.objects.create(organization_id=ORGANISATION, walk=Walk.NEWEST, next_at=FRIDAY, complete_at=FRIDAY)
    Batch.objects.follow([UUID(id_of(7))], FRIDAY, Source.DISCOVERY)
    Batch.objects.filter(pk=id_of(7)).update(listed_at=FRIDAY, organization_id=organisation)
    tick(FRIDAY)
    assert postbox.subjects == []
    recorded(batch(7, at=FRIDAY - DAY, succeeded=[succeeded()]), at=FRIDAY)
    tick(FRIDAY + MINUTE)
    assert postbox.subjects == ["Missing: 1 organisation has sent nothing"]


def test_while_amili_is_away_nobody_is_called_missing_and_nobody_found(
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.MISSING)
    missing_begins(recorded)
    for number in range(3):
        Connection.objects.note_failure(f"batch {number}", FRIDAY, is_probe=False, wait=timedelta())
    tick(FRIDAY)
    assert postbox.subjects == []
    Connection.objects.note_success()
    tick(FRIDAY + MINUTE)
    for number in range(3):
        Connection.objects.note_failure(f"batch {number}", FRIDAY + MINUTE, is_probe=False, wait=timedelta())
    tick(FRIDAY + 2 * MINUTE)
    assert postbox.subjects == ["Missing: 1 organisation has sent nothing"]


def test_amili_is_away_after_a_quarter_of_an_hour_and_back_with_the_first_answer(
    person: Person,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.AWAY)
    for number in range(3):
        Connection.objects.note_failure(f"batch {number}", FRIDAY, is_probe=False, wait=timedelta())
    Traffic.objects.add(Traffic.Kind.BATCH, FRIDAY + 13 * MINUTE, trouble=Trouble.UNREACHABLE)
    tick(FRIDAY + 14 * MINUTE)
    assert postbox.subjects == []
    tick(FRIDAY + 15 * MINUTE)
    tick(FRIDAY + 45 * MINUTE)
    Connection.objects.note_success()
    tick(FRIDAY + 46 * MINUTE)
    assert postbox.subjects == ["Amili has been unreachable for 15 minutes", "All clear: Amili answers again"]
    assert "No usable answer since 20.11.2026 10.00." in postbox.texts[0]


@pytest.mark.parametrize(
    ("trouble", "subjects"),
    [
        (Trouble.NOT_UNDERSTOOD, []),
        (Trouble.UNREACHABLE, ["Amili has been unreachable for 15 minutes"]),
        (Trouble.KEYS_REFUSED, ["Amili has been unreachable for 15 minutes"]),
    ],
)
def test_one_batch_that_cannot_be_read_is_not_amilis_silence(
    trouble: Trouble,
    subjects: list[str],
    person: Person,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.AWAY)
    for minutes in range(20):
        now = FRIDAY + minutes * MINUTE
        Traffic.objects.add(Traffic.Kind.BATCH, now, trouble=trouble)
        Connection.objects.note_failure("batch 1", now, is_probe=False, wait=timedelta())
        tick(now)
    assert postbox.subjects == subjects


def test_what_was_away_before_a_start_is_told_only_if_it_still_is(
    person: Person,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.AWAY)
    for number in range(3):
        Connection.objects.note_failure(f"batch {number}", FRIDAY, is_probe=False, wait=timedelta())
    Traffic.objects.add(Traffic.Kind.BATCH, FRIDAY, trouble=Trouble.UNREACHABLE)
    tick(FRIDAY + DAY)
    assert postbox.subjects == []
    Traffic.objects.add(Traffic.Kind.BATCH, FRIDAY + DAY, trouble=Trouble.UNREACHABLE)
    tick(FRIDAY + DAY + MINUTE)
    tick(FRIDAY + DAY + 45 * MINUTE)
    assert postbox.subjects == ["Amili has been unreachable for 15 minutes"]


# ------------------------------------------------------------------------------------------ in their own time


def test_the_first_is_told_at_once_and_what_follows_within_a_quarter_of_an_hour_together(
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.FAILED)
    for minutes in range(13):
        now = FRIDAY + minutes * MINUTE
        recorded(batch(minutes, "FAILED", at=now - MINUTE, failed=failures(1)), at=now)
        tick(now)
    assert postbox.subjects == ["Failed: 1 batch"]
    tick(FRIDAY + 14 * MINUTE)
    assert len(postbox.subjects) == 1
    tick(FRIDAY + 15 * MINUTE)
    assert postbox.subjects == ["Failed: 1 batch", "Failed: 12 batches"]


def test_what_is_over_is_told_together_too(
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.FAILED)
    for number in range(4):
        recorded(batch(number, "FAILED", at=FRIDAY - MINUTE, failed=failures(1)), at=FRIDAY)
    tick(FRIDAY)
    for minutes, failed in enumerate(Batch.objects.all()):
        triage.move(failed, person, 0, TriageState.CORRECTED, None)
        tick(FRIDAY + minutes * MINUTE)
    tick(FRIDAY + 15 * MINUTE)
    assert postbox.subjects == [
        "Failed: 4 batches",
        "All clear: 1 failed batch is dealt with",
        "All clear: 3 failed batches are dealt with",
    ]


def oslo(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=OSLO)


@pytest.mark.parametrize(
    "day", [date(2026, 11, 18), date(2026, 3, 28), date(2026, 10, 24)], ids=["any night", "23 hours", "25 hours"]
)
def test_quiet_hours_across_midnight_end_by_the_clock(
    day: date,
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.FAILED, quiet_from="22:00", quiet_until="07:00")
    begun, next_day = oslo(day, 22), day + DAY
    recorded(batch(1, "FAILED", at=begun - MINUTE, failed=failures(1)), at=begun)
    for now in (begun, oslo(day, 23, 59), oslo(next_day, 0), oslo(next_day, 3, 30), oslo(next_day, 6, 59)):
        tick(now)
        assert postbox.subjects == []
    tick(oslo(next_day, 7))
    assert postbox.subjects == ["Failed: 1 batch"]


def test_quiet_hours_of_the_day_leave_the_rest_of_it(
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.FAILED, quiet_from="11:00", quiet_until="12:00")
    for number, (minutes, told) in enumerate([(59, 1), (60, 1), (119, 1), (120, 2)]):
        now = FRIDAY + minutes * MINUTE
        recorded(batch(number, "FAILED", at=now - MINUTE, failed=failures(1)), at=now)
        tick(now)
        assert len(postbox.subjects) == told


# ------------------------------------------------------------------------------------------ the digest


def make_digest(now: datetime) -> None:
    digest.make(now)
    send_due(now)


@pytest.mark.parametrize(
    ("morning", "days"),
    [
        (date(2026, 11, 20), ["19.11.2026"]),
        (date(2026, 11, 23), ["22.11.2026", "21.11.2026", "20.11.2026"]),
        (
            date(2026, 4, 7),  # the Tuesday after Easter
            ["06.04.2026", "05.04.2026", "04.04.2026", "03.04.2026", "02.04.2026", "01.04.2026"],
        ),
        (date(2026, 3, 30), ["29.03.2026", "28.03.2026", "27.03.2026"]),  # after a day of 23 hours
        (date(2026, 10, 26), ["25.10.2026", "24.10.2026", "23.10.2026"]),  # and one of 25
    ],
)
def test_the_digest_tells_of_each_day_since_the_last_working_day_once(
    morning: date,
    days: list[str],
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    wish(person, wants_digest=True)
    at = oslo(morning - DAY, 12)
    recorded(batch(1, "PARTIAL", at=at, succeeded=[succeeded(), succeeded(2)], failed=failures(1)), at=at + MINUTE)
    make_digest(oslo(morning, 7, 29))
    assert postbox.subjects == []
    for minute in (30, 31, 59):
        make_digest(oslo(morning, 7, minute))
    assert postbox.subjects == ["Digest: 1 batch finished"]
    [text] = postbox.texts
    assert [line.split()[1] for line in text.splitlines() if "day " in line] == days
    assert "1 batch finished\n2 objects succeeded, 1 failed (33.4\xa0%)\n1 still unresolved" in text
    assert f"https://dashboard.example/outcomes/?day={morning - DAY}" in text
    assert CANARY not in str(postbox.mails[0])


@pytest.mark.parametrize("day", [date(2026, 11, 21), date(2026, 11, 22), date(2026, 12, 25), date(2026, 5, 17)])
def test_there_is_no_digest_on_a_day_off(day: date, person: Person) -> None:
    wish(person, wants_digest=True)
    digest.make(oslo(day, 8))
    assert not Digest.objects.exists()


def test_a_beat_that_was_away_makes_up_for_the_digest_until_noon(
    person: Person,
    postbox: Postbox,
) -> None:
    wish(person, wants_digest=True)
    make_digest(FRIDAY.replace(hour=12))
    assert postbox.subjects == []
    make_digest(FRIDAY.replace(hour=11, minute=59))
    assert postbox.subjects == ["Digest: 0 batches finished"]


def test_the_digest_waits_for_the_end_of_quiet_hours(
    person: Person,
    postbox: Postbox,
) -> None:
    wish(person, wants_digest=True, quiet_from="20:00", quiet_until="09:00")
    make_digest(FRIDAY.replace(hour=7, minute=30))
    send_due(FRIDAY.replace(hour=8, minute=59))
    assert postbox.subjects == []
    send_due(FRIDAY.replace(hour=9))
    assert postbox.subjects == ["Digest: 0 batches finished"]


def test_the_digest_names_who_was_missing_and_tells_only_who_wants_it(
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    Person.objects.create(username="ola", email="ola@example.no")
    wish(person, wants_digest=True)
    sends_on_fridays(recorded)
    make_digest(oslo(date(2026, 11, 23), 7, 30))
    assert postbox.recipients == ["kari@example.no"]
    assert "0 batches finished\nMissing: Nordlys Kraft AS\nhttps://" in postbox.texts[0]


@pytest.mark.parametrize("good", [2, 59, 1_100])
def test_the_digest_rounds_a_share_as_the_page_does(
    good: int,
    person: Person,
    client: Client,
    recorded: Record,
    postbox: Postbox,
) -> None:
    wish(person, wants_digest=True)
    at = FRIDAY - DAY
    succeeded_objects = [succeeded(number) for number in range(good)]
    recorded(batch(1, "PARTIAL", at=at, succeeded=succeeded_objects, failed=failures(1)), at=at)
    make_digest(FRIDAY)
    [share] = re.findall(r"1 failed \((.+)\)", postbox.texts[0])
    assert share in client.get("/outcomes/", {"day": f"{at.date()}"}).content.decode()


@pytest.mark.django_db(transaction=True)
def test_the_digest_reads_each_day_once_for_all_and_holds_nothing_meanwhile(
    person: Person,
    postbox: Postbox,
) -> None:
    read: list[bool] = []

    def note(execute: Callable[..., Any], sql: str, *more: Any) -> Any:
        if '"batches_outcomeday"' in sql:
            read.append(connection.in_atomic_block)
        return execute(sql, *more)

    def reads_of(morning: date) -> int:
        read.clear()
        with connection.execute_wrapper(note):
            digest.make(oslo(morning, 8))
        return len(read)

    wish(person, wants_digest=True)
    alone = reads_of(date(2026, 11, 19))
    for name in ("ola", "per"):
        wish(Person.objects.create(username=name, email=f"{name}@example.no"), wants_digest=True)
    assert reads_of(date(2026, 11, 20)) == alone > 0
    assert not any(read)
    assert Message.objects.count() == 4


@pytest.mark.django_db(transaction=True)
def test_a_digest_that_is_broken_off_is_made_anew_for_everybody(
    person: Person,
    postbox: Postbox,
) -> None:
    wish(person, wants_digest=True)
    wish(Person.objects.create(username="ola", email="ola@example.no"), wants_digest=True)
    put = iter([1, 2])

    def break_at_the_second(execute: Callable[..., Any], sql: str, *more: Any) -> Any:
        if sql.startswith('INSERT INTO "batches_message"') and next(put) == 2:
            raise KeyboardInterrupt
        return execute(sql, *more)

    with connection.execute_wrapper(break_at_the_second), pytest.raises(KeyboardInterrupt):
        digest.make(FRIDAY)
    make_digest(FRIDAY + MINUTE)
    assert sorted(postbox.recipients) == ["kari@example.no", "ola@example.no"]


@pytest.mark.django_db(transaction=True)
def test_two_workers_make_one_digest(
    person: Person,
    postbox: Postbox,
) -> None:
    wish(person, wants_digest=True)
    together(lambda: digest.make(FRIDAY), times=4)
    assert Message.objects.count() == 1


# ------------------------------------------------------------------------------------------ what it costs


@pytest.fixture
def a_busy_day(person: Person, recorded: Record) -> None:
    """Of everything something, told already."""
    wish(person, *AlertKind)
    for number in range(10):
        recorded(batch(number, "FAILED", at=FRIDAY - MINUTE, failed=failures(6, f"{HOSTILE} {number}")), at=FRIDAY)
        running(recorded, 50 + number, FRIDAY - 41 * MINUTE, FRIDAY)
    sends_on_fridays(recorded)
    tick(FRIDAY)


def test_a_look_with_nothing_new_is_a_few_queries_for_each_kind(
    a_busy_day: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(43):  # a lock and two ends of a transaction for each among them
        looking.look(FRIDAY + MINUTE)


def test_a_look_reads_nothing_of_what_failed_long_ago(person: Person, recorded: Record) -> None:
    """However much of it nobody has dealt with."""
    recorded(batch(1, "FAILED", at=FRIDAY - MINUTE, failed=failures(1)), at=FRIDAY)
    long_ago = FRIDAY - 30 * DAY
    Batch.objects.bulk_create(
        Batch(pk=id_of(10 + number), outcome="failed", first_seen_at=long_ago - number * MINUTE, changed_at=long_ago)
        for number in range(5_000)
    )
    with CaptureQueriesContext(connection) as queries:
        looking.look(FRIDAY)
    late = [query["sql"] for query in queries if '"changed_at" >=' in query["sql"]]
    assert len(late) == 2
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE batches_batch")
        for read in late:
            cursor.execute(f"EXPLAIN {read}")
            assert "ended_at" in " ".join(line for (line,) in cursor if "Index Cond" in line)


def test_what_is_long_past_is_forgotten(person: Person, recorded: Record, settings: Settings) -> None:
    settings.MAIL_IS_ON = True
    wish(person, AlertKind.FAILED)
    now = timezone.now()
    for number, days in enumerate([91, 89]):
        at = now - days * DAY
        failed = recorded(batch(number, "FAILED", at=at - MINUTE, failed=failures(1)), at=at)
        looking.look(at - MINUTE)
        triage.move(failed, person, 0, TriageState.CORRECTED, None)
        looking.look(at)
    Message.objects.create(person=person, channel="mail", subject="old", body="", made_at=now - 91 * DAY, state="sent")
    Message.objects.create(person=person, channel="mail", subject="new", body="", made_at=now, state="sent")
    tasks.forget_old()
    assert [alert.key for alert in Alert.objects.filter(kind=AlertKind.FAILED)] == [id_of(1)]
    assert [message.subject for message in Message.objects.all()] == ["new"]


def test_what_is_still_so_is_not_forgotten_lest_it_be_told_again(
    person: Person,
    recorded: Record,
    postbox: Postbox,
) -> None:
    wish(person, AlertKind.STUCK)
    now = timezone.now()
    begun = now - 91 * DAY
    running(recorded, 1, begun - 41 * MINUTE, begun)
    tick(begun)
    tasks.forget_old()
    tick(now)
    assert postbox.subjects == ["Stuck: 1 batch"]
