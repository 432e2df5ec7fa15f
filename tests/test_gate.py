"""What all workers share while they ask: the pace, the count of what went out, and the silence while Amili is away."""

import time
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from celery import current_app
from django.utils import timezone
from pytest_django import Settings

from batches import sync, tasks
from batches.amili.errors import AmiliError, Busy, Forbidden, KeysRefused, Later, NotThere, NotUnderstood, Paused
from batches.facts import Question
from batches.models import Batch, Connection, Traffic
from batches.models.connection import FAILURES_TO_OPEN, PROBE_LEASE, Turn
from batches.upstream import SharedGate, one_at_a_time
from batches.words import Source
from tests.answers import BATCH, of_today
from tests.conftest import Amili, Record
from tests.test_tasks import together

SECOND = timedelta(seconds=1)
AWAY = Later("Amili answered 503")


def turn(now: datetime, apart: timedelta = SECOND, patience: timedelta = SECOND) -> Turn | None:
    return Connection.objects.take_turn(now, apart=apart, patience=patience)


def ask(problem: AmiliError | None = None, subject: str = "one") -> None:
    """A request that goes out, and what comes of it."""
    gate = SharedGate()
    gate.enter()
    gate.heard("batch", subject, problem, "")


def fail_for_all(problem: AmiliError = AWAY) -> None:
    for number in range(FAILURES_TO_OPEN):
        gate = SharedGate()
        gate.enter()
        for _ in range(2):  # a token that is refused is tried anew
            gate.heard("batch", f"batch {number}", problem, "")


def wait_for_probe() -> None:
    """The time of the next probe has come."""
    Connection.objects.update(open_until=timezone.now())


def state() -> Connection:
    return Connection.objects.get()


# The pace


def test_turns_lie_apart_and_who_would_wait_too_long_gets_none(db: None) -> None:
    now = timezone.now()
    assert [turn(now).at, turn(now).at] == [now, now + SECOND]
    assert turn(now) is None
    assert turn(now + SECOND).at == now + 2 * SECOND


def test_a_time_without_questions_is_not_made_up_for(db: None) -> None:
    now = timezone.now()
    turn(now)
    later = now + 60 * SECOND
    assert [turn(later).at, turn(later).at] == [later, later + SECOND]


@pytest.mark.django_db(transaction=True)
def test_all_workers_together_keep_to_the_pace(settings: Settings) -> None:
    settings.AMILI_REQUESTS_PER_SECOND = 50
    start = time.monotonic()
    together(lambda: [ask() for _ in range(8)], 4)
    assert time.monotonic() - start >= 31 / 50
    assert sum(Traffic.objects.values_list("requests", flat=True)) == 32


def test_who_must_wait_too_long_comes_back_another_time(db: None, amili: Amili) -> None:
    batch_id = amili.start()
    tasks.follow([batch_id], Source.CHECK)
    now = timezone.now()
    Connection.objects.create(next_turn_at=now + 60 * SECOND)
    tasks.refresh_batch(str(batch_id))
    batch = Batch.objects.get()
    assert (batch.trouble, batch.claimed_until, batch.asked_at) == ("", None, None)
    assert now < batch.next_check_at <= timezone.now() + sync.LONGEST_PUT_OFF


# What went out


def test_requests_are_counted_by_kind_and_minute_with_word_of_the_last_failure(db: None) -> None:
    gate = SharedGate()
    gate.heard("batch", "1", None, "")
    gate.heard("batch", "2", NotThere("Amili answered 404"), "req-1")
    gate.heard("batch", "3", Forbidden("Amili answered 403"), "req-2")
    gate.heard("token", "", None, "")
    batches = Traffic.objects.get(kind="batch")
    assert (batches.requests, batches.failures, batches.detail, batches.request_id) == (
        3,
        1,
        "Amili answered 403",
        "req-2",
    )
    assert batches.succeeded_at < batches.failed_at
    assert Traffic.objects.get(kind="token").failures == 0


def test_counts_of_long_ago_are_dropped(db: None) -> None:
    Traffic.objects.add("batch", timezone.now() - timedelta(days=8))
    Traffic.objects.add("batch", timezone.now())
    tasks.forget_old()
    assert Traffic.objects.count() == 1


# The circuit


@pytest.mark.parametrize("problem", [AWAY, Busy("Amili answered 429"), KeysRefused("Amili answered 401")], ids=str)
def test_when_amili_fails_for_all_nothing_goes_out_any_more(db: None, problem: AmiliError) -> None:
    fail_for_all(problem)
    with pytest.raises(Paused):
        SharedGate().enter()
    assert state().away_since(timezone.now()) == state().failing_since


def test_a_token_that_ends_while_all_workers_ask_silences_nobody(db: None) -> None:
    for number in range(FAILURES_TO_OPEN + 1):
        ask(KeysRefused("Amili answered 401"), f"batch {number}")
    assert not Connection.objects.filter(failing_since__isnull=False).exists()


def test_answers_that_make_no_sense_at_all_are_none(db: None) -> None:
    fail_for_all(NotUnderstood("Amili answered with something else than was asked for"))
    assert state().opened_at is not None


def test_to_sign_in_is_no_news_of_what_we_sign_in_for(db: None) -> None:
    fail_for_all()
    since = state().failing_since
    wait_for_probe()
    gate = SharedGate()
    gate.enter()
    gate.heard("token", "", None, "")
    assert (state().failing_since, state().opened_at is None) == (since, False)
    gate.enter()
    gate.heard("batch", "1", None, "")
    assert state().failing_since is None


def test_when_amili_is_back_what_it_was_asked_in_vain_is_asked_again_at_once(db: None) -> None:
    Batch.objects.follow([BATCH], timezone.now() - timedelta(days=3))
    for hours in (25, 0):
        sync.record_failure(BATCH, AWAY, Question(timezone.now() - timedelta(hours=hours)))
    assert Batch.objects.get().next_check_at > timezone.now() + timedelta(minutes=30)
    fail_for_all()
    wait_for_probe()
    ask()
    assert Batch.objects.get().next_check_at <= timezone.now()


def test_each_probe_is_about_another_batch(db: None) -> None:
    now = timezone.now()
    batches = [uuid4() for _ in range(5)]
    Batch.objects.follow(batches, now - 60 * SECOND, Source.CHECK)
    Batch.objects.filter(pk=batches[0]).update(watched_at=now, asked_at=now)
    fail_for_all()
    wait_for_probe()
    tasks.refresh_due_batches()
    with current_app.connection_for_read() as broker, broker.SimpleQueue("celery") as queue:
        queued = [str(queue.get(block=False).payload[0]) for _ in range(queue.qsize())]
    assert len(queued) == tasks.PROBES
    assert str(batches[0]) not in "".join(queued)


def test_a_clock_that_was_put_back_keeps_nobody_waiting(db: None) -> None:
    later = timezone.now() + timedelta(hours=1)
    turn(later)
    Connection.objects.update(opened_at=later, open_until=later)
    assert turn(timezone.now()) is not None


def test_one_broken_batch_does_not_make_amili_away(db: None) -> None:
    for _ in range(10):
        ask(AWAY, "always the same")
    ask()
    assert state().opened_at is None


@pytest.mark.parametrize("problem", [None, NotThere("404"), Forbidden("403")], ids=str)
def test_every_answer_ends_the_row_of_failures(db: None, problem: AmiliError | None) -> None:
    for number in range(FAILURES_TO_OPEN - 1):
        ask(AWAY, f"batch {number}")
    ask(problem)
    ask(AWAY, "another")
    assert state().failing == ["batch another"]


def test_failing_for_long_is_away_too_however_few_are_asked_about(db: None) -> None:
    ask(AWAY)
    since = state().failing_since
    assert state().away_since(since + 29 * SECOND) is None
    assert state().away_since(since + 31 * SECOND) == since


def test_one_probe_at_a_time_goes_out_and_a_success_lets_all_go(db: None) -> None:
    fail_for_all()
    wait_for_probe()
    probe = SharedGate()
    probe.enter()
    with pytest.raises(Paused):
        SharedGate().enter()
    probe.heard("batch", "1", None, "")
    assert (state().opened_at, state().failing, state().open_until) == (None, [], None)
    ask()


def test_a_probe_that_fails_makes_the_next_one_wait_longer(db: None) -> None:
    fail_for_all()
    waits = []
    for _ in range(5):
        waits.append(round((state().open_until - timezone.now()).total_seconds()))
        wait_for_probe()
        ask(AWAY, "probe")
    assert waits == [5, 10, 20, 30, 30]


def test_what_was_sent_before_the_silence_does_not_lengthen_it(db: None) -> None:
    late = [SharedGate() for _ in range(5)]
    for gate in late:
        gate.enter()
    fail_for_all()
    until = state().open_until
    for gate in late:
        gate.heard("batch", "late", AWAY, "")
    assert state().open_until == until


def test_a_probe_that_never_comes_back_does_not_end_the_probing(db: None) -> None:
    fail_for_all()
    wait_for_probe()
    SharedGate().enter()
    assert state().open_until - timezone.now() <= PROBE_LEASE
    wait_for_probe()
    SharedGate().enter()


def test_the_silence_lasts_as_long_as_amili_wants(db: None) -> None:
    fail_for_all(Busy("Amili answered 429", retry_after=120))
    assert 118 < (state().open_until - timezone.now()).total_seconds() <= 120


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_one_gets_the_probe() -> None:
    fail_for_all()
    wait_for_probe()

    def enter() -> bool:
        try:
            SharedGate().enter()
        except Paused:
            return False
        return True

    assert sorted(together(enter, 4)) == [False, False, False, True]


@pytest.mark.parametrize("source", [Source.CHECK, Source.PERSON, Source.WEBHOOK])
def test_during_the_silence_a_question_waits_and_a_wish_stays_noted(
    recorded: Record, amili: Amili, source: Source
) -> None:
    before = recorded(of_today("QUEUED"))
    fail_for_all()
    tasks.ask_now([BATCH], source)
    tasks.refresh_batch(str(BATCH))
    batch = Batch.objects.get()
    assert (batch.trouble, batch.claimed_until, batch.asked_at) == ("", None, before.asked_at)
    assert batch.asked_by == source
    assert batch.next_check_at <= timezone.now() + sync.LONGEST_PUT_OFF


# The sign-in


@pytest.mark.django_db(transaction=True)
def test_one_signs_in_while_the_others_wait() -> None:
    inside: list[UUID] = []

    def sign_in() -> bool:
        me = uuid4()
        with one_at_a_time():
            inside.append(me)
            time.sleep(0.05)
            return inside[-1] == me

    assert together(sign_in, 4) == [True] * 4


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_the_sign_in_for_ever() -> None:
    def sign_in() -> str:
        try:
            with one_at_a_time(patience="50ms"):
                time.sleep(0.5)
        except Later as problem:
            return problem.trouble
        return "signed in"

    assert sorted(together(sign_in)) == ["signed in", "unreachable"]
