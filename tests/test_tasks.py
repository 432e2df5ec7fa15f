"""When we ask: who gets a batch to ask about, what is due, and what a lost message costs."""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from celery import current_app
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from batches import tasks
from batches.models import Batch, Connection, TimelineEntry, Worker
from batches.pace import LEASE
from batches.words import Outcome, Source, Trouble
from tests.answers import BATCH, of_today, succeeded
from tests.conftest import Amili, Record

type Work = Callable[[], int]

SECONDS = timedelta(seconds=1)


def together[Result](deed: Callable[[], Result], times: int = 2) -> list[Result]:
    """The results of doing something in several threads at once, each with a connection of its own."""

    def alone() -> Result:
        try:
            return deed()
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return [each.result(20) for each in [pool.submit(alone) for _ in range(times)]]


@pytest.fixture
def no_broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The broker is away: nobody answers where messages go."""
    monkeypatch.setitem(current_app.conf, "broker_write_url", "redis://127.0.0.1:9/0")
    monkeypatch.setattr(current_app.amqp, "_producer_pool", None)
    yield
    current_app.amqp._producer_pool.force_close_all()


def due() -> list[UUID]:
    now = timezone.now()
    return list(Batch.objects.due(now).most_urgent_first(now).values_list("pk", flat=True))


# Whose it is


@pytest.mark.django_db(transaction=True)
def test_two_workers_claim_a_batch_once() -> None:
    wanted = [uuid4() for _ in range(10)]
    Batch.objects.follow(wanted, timezone.now())
    for batch_id in wanted:
        claims = together(lambda: Batch.objects.claim(batch_id, timezone.now()))  # noqa: B023
        assert sorted(map(bool, claims)) == [False, True]


@pytest.mark.django_db(transaction=True)
def test_two_workers_with_the_same_message_ask_once(amili: Amili) -> None:
    batch_id = amili.start(queued_seconds=60)
    tasks.follow([batch_id])
    together(lambda: tasks.refresh_batch(str(batch_id)))
    assert TimelineEntry.objects.filter(batch_id=batch_id, kind="changed").count() == 1
    assert Batch.objects.get().revision == 1


@pytest.mark.django_db(transaction=True)
def test_two_people_who_paste_the_same_new_id_start_to_follow_it_once() -> None:
    together(lambda: tasks.follow([BATCH]), 4)
    assert TimelineEntry.objects.filter(batch_id=BATCH).count() == Batch.objects.count() == 1


def test_a_claim_ends_by_itself_when_its_worker_is_killed(db: None) -> None:
    now = timezone.now()
    tasks.follow([BATCH])
    assert Batch.objects.claim(BATCH, now + SECONDS)
    assert not Batch.objects.claim(BATCH, now + LEASE)
    assert Batch.objects.claim(BATCH, now + LEASE + SECONDS)


def test_a_message_about_a_batch_that_is_not_due_or_not_followed_does_nothing(recorded: Record) -> None:
    recorded(of_today(succeeded=[succeeded()]))
    before = Batch.objects.values().get()
    tasks.refresh_batch(str(BATCH))
    tasks.refresh_batch(str(uuid4()))
    assert Batch.objects.values().get() == before


# What is due


def test_what_somebody_waits_for_goes_before_what_is_long_overdue(db: None) -> None:
    now = timezone.now()
    overdue, watched, wished = [uuid4() for _ in range(3)]
    Batch.objects.follow([overdue, watched], now - 90 * SECONDS, Source.DISCOVERY)
    Batch.objects.filter(pk=watched).update(watched_at=now, next_check_at=now - 2 * SECONDS)
    Batch.objects.follow([wished], now - SECONDS)
    assert due() == [watched, wished, overdue]


def test_the_longest_overdue_goes_first_and_what_is_claimed_or_not_yet_due_waits(db: None) -> None:
    now = timezone.now()
    wanted = [uuid4() for _ in range(5)]
    Batch.objects.follow(wanted, now)
    times = (now - 9 * SECONDS, now - 5 * SECONDS, now - 20 * SECONDS, now + 20 * SECONDS, None)
    for batch_id, at in zip(wanted, times, strict=True):
        Batch.objects.filter(pk=batch_id).update(next_check_at=at)
    assert Batch.objects.claim(wanted[2], now)
    assert due() == wanted[:2]


def test_the_tick_queues_what_is_due_and_the_worker_asks(db: None, amili: Amili, work: Work) -> None:
    wanted = [amili.start(fate="success", queued_seconds=0) for _ in range(3)]
    Batch.objects.follow(wanted, timezone.now())
    tasks.refresh_due_batches.delay()
    assert work() == 1 + len(wanted)
    assert set(Batch.objects.values_list("outcome", flat=True)) == {Outcome.SUCCEEDED}
    assert due() == []


def test_a_tick_never_floods_the_queue(db: None, settings: Settings) -> None:
    settings.AMILI_REQUESTS_PER_SECOND = 3
    Batch.objects.follow((uuid4() for _ in range(20)), timezone.now() - SECONDS)
    for _ in range(2):  # two beats at once
        tasks.refresh_due_batches()
    with current_app.connection_for_read() as broker, broker.SimpleQueue("celery") as queue:
        assert queue.qsize() == 2 * 3 * tasks.STALE_AFTER
        assert queue.get(block=False).headers["expires"], "what nobody takes in time must not pile up"


def test_while_amili_is_away_a_tick_queues_nothing_until_it_is_time_for_a_probe(db: None, work: Work) -> None:
    now = timezone.now()
    Batch.objects.follow([BATCH], now - SECONDS)
    Connection.objects.create(failing_since=now, opened_at=now, open_until=now + 5 * SECONDS)
    tasks.refresh_due_batches()
    assert work() == 0


def test_each_tick_is_a_sign_of_life_of_the_worker_that_ran_it(db: None) -> None:
    tasks.refresh_due_batches()
    assert timezone.now() - Worker.objects.get().seen_at < 5 * SECONDS


def test_an_emptied_broker_costs_a_tick_and_no_data(db: None, amili: Amili, work: Work) -> None:
    batch_id = amili.start(fate="success", queued_seconds=0)
    tasks.follow([batch_id])
    assert work() == 0
    tasks.refresh_due_batches()
    work()
    assert Batch.objects.get().outcome == Outcome.SUCCEEDED


def test_a_batch_is_asked_about_more_slowly_the_longer_it_has_not_changed(recorded: Record) -> None:
    waits = []
    for age in (timedelta(), timedelta(minutes=5), timedelta(hours=2), timedelta(days=3)):
        Batch.objects.update(changed_at=timezone.now() - age, next_check_at=timezone.now() - SECONDS)
        batch = recorded(of_today("QUEUED"))
        waits.append(batch.next_check_at - timezone.now())
    assert waits == sorted(waits)
    assert waits[0] < 6 * SECONDS
    assert waits[-1] > timedelta(minutes=50)


def test_a_batch_that_somebody_watches_is_asked_about_every_two_seconds(recorded: Record) -> None:
    Batch.objects.follow([BATCH], timezone.now())
    Batch.objects.update(watched_at=timezone.now(), next_check_at=timezone.now())
    batch = recorded(of_today("QUEUED"))
    assert batch.next_check_at - timezone.now() < 2 * SECONDS


def test_a_batch_that_does_not_end_for_two_months_is_left_alone(recorded: Record) -> None:
    recorded(of_today("QUEUED"))
    Batch.objects.update(changed_at=timezone.now() - timedelta(days=61), next_check_at=timezone.now())
    assert recorded(of_today("QUEUED")).next_check_at is None


# What people wish for


def test_to_follow_asks_at_once_and_a_known_batch_is_not_asked_about_again(
    db: None, amili: Amili, work: Work, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    batch_id = amili.start(fate="failed", queued_seconds=0)
    for messages in (1, 0):
        with django_capture_on_commit_callbacks(execute=True):
            tasks.follow([batch_id, batch_id])
        assert work() == messages
    assert Batch.objects.get().outcome == Outcome.FAILED


def test_a_finished_batch_is_asked_about_again_when_somebody_wishes_so(
    recorded: Record,
    nobody_answers: None,
    work: Work,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    before = recorded(of_today(succeeded=[succeeded()]))
    with django_capture_on_commit_callbacks(execute=True):
        tasks.ask_now([BATCH], Source.COMMAND)
    assert Batch.objects.get().revision > before.revision
    assert work() == 1
    batch = Batch.objects.get()
    assert (batch.trouble, batch.outcome) == (Trouble.UNREACHABLE, Outcome.SUCCEEDED)
    assert batch.next_check_at > timezone.now()
    assert batch.timeline.get(kind="trouble").source == Source.COMMAND


def test_without_a_broker_the_wish_is_noted_and_the_next_tick_finds_it(
    recorded: Record,
    no_broker: None,
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    recorded(of_today(succeeded=[succeeded()]))
    assert due() == []
    with caplog.at_level(logging.CRITICAL, "django.test"), django_capture_on_commit_callbacks(execute=True):
        tasks.ask_now([BATCH])
    assert due() == [BATCH]
