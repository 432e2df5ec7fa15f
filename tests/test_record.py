"""What answers become in the database, and what failures leave of it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.utils import timezone

from batches import sync, tasks
from batches.amili.errors import Forbidden, Later
from batches.amili.transport import Reply
from batches.facts import Question
from batches.models import Answer, Batch, ErrorRow, TimelineEntry
from batches.pace import LATE_CHECK
from batches.words import Outcome, Source, Trouble
from sandbox import world
from tests.answers import BATCH, ORGANISATION, body, error, ledger_response, of_first_generation, of_today, succeeded
from tests.conftest import Amili, Record

PLANNING = {"checked_at", "asked_at", "asked_by", "next_check_at", "revision", "watched_at"}
SECONDS = timedelta(seconds=1)


def known(batch_id: UUID = BATCH) -> Batch:
    return Batch.objects.get(pk=batch_id)


def timeline(batch_id: UUID = BATCH) -> list[str]:
    """What happened, oldest first: the outcome where the answer changed, else the kind."""
    entries = TimelineEntry.objects.filter(batch_id=batch_id).order_by("id")
    return [entry.outcome if entry.kind == "changed" else entry.kind for entry in entries]


def places() -> list[Any]:
    """Where each error row lies on the disk: a row that is written again lies elsewhere."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT rank, ctid::text, xmin::text FROM batches_errorrow ORDER BY rank")
        return cursor.fetchall()


def demo(words: str) -> UUID:
    return next(batch_id for batch_id, description in world.DEMO.items() if words in description)


def ask(batch_id: UUID) -> Batch:
    """Ask Amili as a worker does after somebody has wished for it."""
    tasks.follow([batch_id])
    tasks.ask_now([batch_id])
    tasks.refresh_batch(str(batch_id))
    return known(batch_id)


def check(batch_id: UUID) -> Batch:
    """Ask Amili as a worker does when the time has come."""
    Batch.objects.filter(pk=batch_id).update(next_check_at=timezone.now())
    tasks.refresh_batch(str(batch_id))
    return known(batch_id)


# Answers


def test_an_answer_of_the_first_generation_is_kept_whole(recorded: Record) -> None:
    batch = recorded(
        of_first_generation(
            errors=[error(2, "No due date")],
            responses=[ledger_response(2)],
            succeeded=[succeeded(1)],
            failed=[None, {"a": 1}],
        )
    )
    assert (batch.outcome, batch.status, batch.statuscode) == (Outcome.PARTIAL, "", 0)
    assert batch.created_at == datetime(2026, 3, 9, 14, 30, tzinfo=UTC)
    assert (batch.type, batch.organization_id, batch.trouble) == ("INVOICE", ORGANISATION, "")
    counts = (batch.error_count, batch.response_count, batch.succeeded_count, batch.failed_item_count)
    assert counts == (1, 1, 1, 2)
    assert batch.failed_objects == 1
    assert batch.errors.get().message == "No due date"
    assert batch.responses.get().ledger_reference == "L-1"
    assert batch.succeeded.get().case_id == str(UUID(int=1))
    assert [item.extra for item in batch.failed.order_by("position")] == ["null", '{"a": 1}']


def test_an_answer_of_the_second_generation_is_kept_whole(recorded: Record) -> None:
    batch = recorded(of_today("PARTIAL", succeeded=[succeeded(1), succeeded(2)], failed=[{"reason": "no"}]))
    assert (batch.outcome, batch.status, batch.statuscode) == (Outcome.PARTIAL, "PARTIAL", None)
    assert (batch.succeeded_objects, batch.failed_objects) == (2, 1)


def test_the_same_answer_twice_writes_nothing_but_when_we_asked(recorded: Record) -> None:
    data, start = of_first_generation(errors=[error(1), error(2)]), timezone.now() - 60 * SECONDS
    recorded(data, start)
    before, rows = Batch.objects.filter(pk=BATCH).values().get(), places()
    answers, entries = list(Answer.objects.values()), timeline()
    recorded(data, start + 2 * SECONDS)
    after = Batch.objects.filter(pk=BATCH).values().get()
    assert {name for name in after if after[name] != before[name]} <= PLANNING
    assert after["checked_at"] == start + 2 * SECONDS
    assert (places(), timeline(), list(Answer.objects.values())) == (rows, entries, answers)


def test_a_changed_answer_replaces_the_rows_and_stands_in_the_timeline_once(recorded: Record) -> None:
    start = timezone.now() - 60 * SECONDS
    recorded(of_first_generation(errors=[error(1), error(2)]), start)
    recorded(of_first_generation(errors=[error(3)], succeeded=[succeeded(1)]), start + SECONDS)
    assert list(known().errors.values_list("object_index", flat=True)) == [3]
    assert timeline() == ["first_seen", "failed", "partial"]
    assert known().changed_at == start + SECONDS
    assert Answer.objects.count() == 2


def test_a_finished_batch_goes_back_to_running_only_when_amili_says_so_later(recorded: Record) -> None:
    start = timezone.now() - 60 * SECONDS
    recorded(of_today(succeeded=[succeeded(1)]), start)
    recorded(of_today("QUEUED"), start - SECONDS)
    assert known().outcome == Outcome.SUCCEEDED
    recorded(of_today("QUEUED"), start + SECONDS)
    assert known().outcome == Outcome.QUEUED
    assert known().next_check_at is not None
    assert timeline() == ["first_seen", "succeeded", "queued"]


def test_a_late_answer_to_an_early_question_replaces_nothing(recorded: Record) -> None:
    start = timezone.now() - 60 * SECONDS
    recorded(of_first_generation(succeeded=[succeeded(1)]), start)
    before = Batch.objects.filter(pk=BATCH).values().get()
    recorded(of_first_generation(errors=[error(1)]), start - SECONDS)
    after = Batch.objects.filter(pk=BATCH).values().get()
    assert {**after, "next_check_at": None} == {**before, "next_check_at": None}
    assert not ErrorRow.objects.exists()
    assert timeline() == ["first_seen", "succeeded"]
    _, late = Answer.objects.order_by("-received_at")
    assert late.received_at == start - SECONDS, "it is kept, at its place in time"


def test_a_finished_batch_gets_one_late_check(recorded: Record) -> None:
    start = timezone.now() - 2 * LATE_CHECK
    data = of_today(succeeded=[succeeded(1)])
    assert recorded(data, start).next_check_at == start + LATE_CHECK
    assert recorded(data, start + SECONDS).next_check_at == start + LATE_CHECK, "a wish in between does not replace it"
    assert recorded(data, start + LATE_CHECK).next_check_at is None


def test_an_answer_in_another_envelope_is_no_other_answer(recorded: Record) -> None:
    data = of_today(succeeded=[succeeded(1)])
    recorded(data)
    sync.record(BATCH, Reply(200, body(data, {"status": "SUCCESS", "trace": "4711"})), Question(timezone.now()))
    assert Answer.objects.count() == 1
    assert timeline() == ["first_seen", "succeeded"]


def test_an_answer_that_differs_in_nothing_that_we_know_is_a_version_and_no_change(recorded: Record) -> None:
    start = timezone.now() - 2 * LATE_CHECK
    data = of_first_generation(errors=[error(1)])
    before, rows = recorded({**data, "servedAt": "10:00"}, start), places()
    after = recorded({**data, "servedAt": "11:00"}, start + LATE_CHECK)
    assert (after.changed_at, after.next_check_at) == (before.changed_at, None)
    assert places() == rows
    assert after.answers.count() == 2
    assert timeline() == ["first_seen", "failed"]


def test_an_answer_is_kept_with_its_request_id_and_who_made_us_ask(recorded: Record) -> None:
    tasks.follow([BATCH])
    reply = Reply(200, body(of_today("QUEUED")), request_id="req-7")
    batch = sync.record(BATCH, reply, Question(timezone.now(), Source.WEBHOOK))
    answer = batch.answers.get()
    assert (answer.request_id, answer.source) == ("req-7", Source.WEBHOOK)
    assert batch.timeline.get(kind="changed").answer == answer


def test_error_rows_are_ranked_by_index_and_those_without_one_come_last(recorded: Record) -> None:
    indexes = [7, None, -4, 2**63 - 1, 7, 0, None]
    batch = recorded(of_first_generation(errors=[error(index, f"place {n}") for n, index in enumerate(indexes)]))
    rows = batch.errors.order_by("rank").values_list("object_index", "message")
    assert [index for index, _ in rows] == [-4, 0, 7, 7, 2**63 - 1, None, None]
    assert [message for index, message in rows if index == 7] == ["place 0", "place 4"]
    assert sorted(batch.errors.values_list("position", flat=True)) == list(range(7))


def test_a_row_that_does_not_fit_costs_no_other(recorded: Record) -> None:
    batch = recorded(of_first_generation(errors=[error(1), "only a text", {"objectindex": 2**70}, None, error(2)]))
    assert batch.errors.count() == 5
    assert set(batch.errors.exclude(extra="").values_list("extra", flat=True)) == {
        '"only a text"',
        f'{{"objectindex":{2**70}}}',
        "null",
    }


def test_an_answer_that_leaves_the_organisation_out_does_not_make_us_forget_it(recorded: Record) -> None:
    start = timezone.now() - 60 * SECONDS
    recorded(of_today("QUEUED"), start)
    recorded(of_today("QUEUED", organizationId=None), start + SECONDS)
    assert known().organization_id == ORGANISATION


def test_a_status_that_nobody_knows_is_kept_as_it_came_and_asked_about_again(recorded: Record) -> None:
    batch = recorded(of_today("ON_HOLD", succeeded=[succeeded(1)]))
    assert (batch.outcome, batch.status) == (Outcome.UNKNOWN, "ON_HOLD")
    assert batch.next_check_at is not None


@pytest.mark.parametrize(
    "odd", [b"<!doctype html>", b"", body(of_today())[:-20], b"[]", body(of_today(batchId=str(UUID(int=1))))]
)
def test_an_answer_that_is_not_understood_keeps_the_facts_and_itself(recorded: Record, odd: bytes) -> None:
    start = timezone.now() - 60 * SECONDS
    recorded(of_first_generation(errors=[error(1)]), start)
    rows = places()
    batch = recorded(odd, start + SECONDS)
    assert (batch.trouble, batch.outcome, batch.checked_at) == (Trouble.NOT_UNDERSTOOD, Outcome.FAILED, start)
    assert places() == rows
    kept = Answer.objects.order_by("-received_at")[0]
    assert kept.body == odd
    assert kept.problem == batch.trouble_detail != ""
    assert timeline() == ["first_seen", "failed", "trouble"]


def test_an_understood_answer_ends_the_trouble(recorded: Record) -> None:
    start = timezone.now() - 60 * SECONDS
    recorded(b"nonsense", start)
    recorded(of_today("QUEUED"), start + SECONDS)
    assert (known().trouble, known().trouble_detail, known().trouble_since) == ("", "", None)
    assert timeline() == ["first_seen", "trouble", "recovered", "queued"]


# Failures


@pytest.mark.parametrize(
    ("demo_batch", "trouble"),
    [
        ("Always 401", Trouble.KEYS_REFUSED),
        ("Always 403", Trouble.FORBIDDEN),
        ("Always 404", Trouble.NOT_THERE),
        ("Always 409", Trouble.CONFLICT),
        ("Always 422", Trouble.REFUSED),
        ("Always 429", Trouble.BUSY),
        ("Always 500", Trouble.UNREACHABLE),
        ("Always 503", Trouble.UNREACHABLE),
        ("HTML page", Trouble.NOT_UNDERSTOOD),
        ("cut in the middle", Trouble.NOT_UNDERSTOOD),
        ("another batch", Trouble.NOT_UNDERSTOOD),
    ],
)
def test_each_way_to_fail_has_its_word_and_is_asked_about_again(
    db: None, amili: Amili, demo_batch: str, trouble: Trouble
) -> None:
    batch = ask(demo(demo_batch))
    assert batch.trouble == trouble
    assert batch.trouble_detail
    assert batch.checked_at is None
    assert batch.next_check_at is not None
    assert batch.next_check_at > timezone.now()
    assert timeline(batch.pk) == ["first_seen", "trouble"]


def test_the_same_trouble_again_is_one_line_of_the_timeline_with_its_first_time(recorded: Record) -> None:
    start = timezone.now() - 60 * SECONDS
    recorded(of_today("QUEUED"), start)
    for seconds in (1, 2, 3):
        sync.record_failure(BATCH, Later("Amili answered 503"), Question(start + seconds * SECONDS))
    assert known().trouble_since == start + SECONDS
    sync.record_failure(BATCH, Forbidden("Amili answered 403"), Question(start + 4 * SECONDS))
    assert timeline() == ["first_seen", "queued", "trouble", "trouble"]
    assert known().outcome == Outcome.QUEUED


def test_a_late_failure_of_an_early_question_does_not_hide_a_newer_answer(recorded: Record) -> None:
    start = timezone.now() - 60 * SECONDS
    recorded(of_today("QUEUED"), start)
    sync.record_failure(BATCH, Later("Amili did not answer in time"), Question(start - 30 * SECONDS))
    assert known().trouble == ""
    assert timeline() == ["first_seen", "queued"]


def test_what_amili_does_not_know_is_looked_for_an_hour_and_then_given_up(db: None, amili: Amili) -> None:
    batch = ask(demo("Always 404"))
    assert batch.next_check_at is not None
    Batch.objects.update(trouble_since=timezone.now() - timedelta(minutes=59))
    assert check(batch.pk).next_check_at is not None
    Batch.objects.update(trouble_since=timezone.now() - timedelta(minutes=61))
    assert check(batch.pk).next_check_at is None
    assert timeline(batch.pk) == ["first_seen", "trouble", "gave_up"]


def test_who_pastes_what_was_given_up_has_it_looked_for_anew(db: None, amili: Amili) -> None:
    batch = ask(demo("Always 404"))
    Batch.objects.update(trouble_since=timezone.now() - timedelta(minutes=61))
    check(batch.pk)
    tasks.follow([batch.pk])
    tasks.refresh_batch(str(batch.pk))
    assert known(batch.pk).next_check_at is not None
    assert timeline(batch.pk) == ["first_seen", "trouble", "gave_up", "trouble"]


def test_a_wish_about_an_old_batch_is_not_dropped_when_amili_is_away(recorded: Record) -> None:
    recorded(of_today("SUCCESS", succeeded=[succeeded(1)]))
    Batch.objects.update(
        changed_at=timezone.now() - timedelta(days=90), first_seen_at=timezone.now() - timedelta(days=90)
    )
    sync.record_failure(BATCH, Later("Amili answered 503"), Question(timezone.now()))
    assert known().next_check_at is not None


def test_a_good_answer_that_comes_again_is_the_newest_again(recorded: Record) -> None:
    start = timezone.now() - 60 * SECONDS
    for seconds, answer in enumerate([body(of_today("QUEUED")), b"<html>", body(of_today("QUEUED"))]):
        recorded(answer, start + seconds * SECONDS)
    assert Answer.objects.order_by("-received_at")[0].problem == ""


def test_an_answer_to_an_early_question_does_not_undo_a_later_failure(recorded: Record) -> None:
    start = timezone.now() - 60 * SECONDS
    recorded(of_today("QUEUED"), start)
    sync.record_failure(BATCH, Later("Amili answered 503"), Question(start + 50 * SECONDS))
    sync.record(BATCH, Reply(200, body(of_today("QUEUED"))), Question(start + 10 * SECONDS))
    assert known().trouble == Trouble.UNREACHABLE


def test_who_comes_home_late_does_not_give_away_the_claim_of_another(db: None) -> None:
    start = timezone.now() - 200 * SECONDS
    Batch.objects.follow([BATCH], start)
    assert Batch.objects.claim(BATCH, start)
    assert Batch.objects.claim(BATCH, start + 150 * SECONDS), "the first claim has run out"
    sync.record(BATCH, Reply(200, body(of_today("QUEUED"))), Question(start))
    assert known().claimed_until is not None


def test_the_timeline_says_who_made_us_ask(db: None, amili: Amili) -> None:
    batch = ask(demo("Always 404"))
    check(batch.pk)
    sources = TimelineEntry.objects.filter(batch_id=batch.pk).values_list("source", flat=True)
    assert set(sources) == {"person"}


def test_a_fault_of_our_own_is_told_on_the_page_and_in_the_log(db: None, amili: Amili) -> None:
    batch_id = demo("Always 404")
    tasks.follow([batch_id])
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE batches_errorrow RENAME TO gone")
    answered = amili.start(generation="A", fate="failed", objects=3, queued_seconds=0)
    tasks.follow([answered])
    with pytest.raises(ProgrammingError):
        tasks.refresh_batch(str(answered))
    assert (known(answered).trouble, known(answered).trouble_detail) == (Trouble.OWN_FAULT, "ProgrammingError")


def test_a_page_that_was_opened_while_we_asked_gets_the_pace_of_a_watched_one(recorded: Record) -> None:
    data = of_today("QUEUED", finishedAt=None)
    recorded(data, timezone.now() - timedelta(days=2))
    asked_at = timezone.now()
    Batch.objects.update(next_check_at=asked_at)
    assert Batch.objects.claim(BATCH, asked_at)
    assert Batch.objects.renew_watch(known(), timezone.now())
    sync.record(BATCH, Reply(200, body(data)), Question(asked_at))
    assert known().next_check_at < timezone.now() + 3 * SECONDS


def test_a_late_answer_that_is_not_understood_is_kept_too(recorded: Record) -> None:
    recorded(of_today("QUEUED"))
    sync.record(BATCH, Reply(200, b"<html>"), Question(timezone.now() - 60 * SECONDS))
    assert known().trouble == ""
    assert Answer.objects.count() == 2


def test_a_wish_that_came_while_we_asked_is_not_lost(db: None) -> None:
    tasks.follow([BATCH])
    asked_at = timezone.now()
    assert Batch.objects.claim(BATCH, asked_at)
    tasks.ask_now([BATCH])
    sync.record(BATCH, Reply(200, body(of_today(succeeded=[succeeded(1)]))), Question(asked_at))
    assert BATCH in Batch.objects.due(timezone.now()).values_list("pk", flat=True)


def test_a_batch_is_found_by_the_road_of_its_organisation_and_followed_to_its_end(db: None, amili: Amili) -> None:
    batch_id = amili.start(generation="C", fate="partial", objects=80, queued_seconds=6)
    assert ask(batch_id).outcome == Outcome.QUEUED
    amili.advance(6)
    batch = ask(batch_id)
    assert (batch.outcome, batch.succeeded_objects, batch.failed_objects) == (Outcome.PARTIAL, 70, 10)
    assert not batch.is_followed
    assert timeline(batch_id) == ["first_seen", "queued", "partial"]


@pytest.mark.parametrize("batch_id", [demo for demo in world.SHOWN if "100 000" not in world.DEMO[demo]])
def test_every_demo_batch_is_understood_and_nothing_of_it_is_lost(db: None, amili: Amili, batch_id: UUID) -> None:
    batch = ask(batch_id)
    assert batch.trouble == ""
    assert batch.errors.count() == batch.error_count
    assert batch.responses.count() == batch.response_count
    assert batch.succeeded.count() == batch.succeeded_count
    assert batch.failed.count() == batch.failed_item_count


# What can never be


@pytest.mark.parametrize("impossible", [{"outcome": "splendid"}, {"trouble": "forbidden"}, {"failed_objects": -1}])
def test_the_database_refuses_what_can_never_be(recorded: Record, impossible: dict[str, Any]) -> None:
    recorded(of_today())
    with pytest.raises(IntegrityError), transaction.atomic():
        Batch.objects.filter(pk=BATCH).update(**impossible)


def test_a_batch_is_first_seen_once(recorded: Record) -> None:
    recorded(of_today())
    with pytest.raises(IntegrityError), transaction.atomic():
        TimelineEntry.objects.create(batch_id=BATCH, at=timezone.now(), kind="first_seen", source="person")
