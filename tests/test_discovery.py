"""How batches are found in Amili's lists: all of them, once, and without asking for more than it takes."""

import json
import random
import time
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection
from django.utils import timezone
from pytest_django import Settings

from batches import sync, tasks, upstream
from batches.amili.errors import Gone, NotThere
from batches.facts import Question
from batches.models import Answer, Batch, Discovery, TimelineEntry, Traffic, Walk
from batches.words import Outcome, Source
from tests.answers import ORGANISATION, OTHER, of_today, succeeded
from tests.conftest import Record, Work
from tests.lists import Lists
from tests.test_tasks import together

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lists(settings: Settings) -> Iterator[Lists]:
    """An upstream that knows the batches that a test gives it, of one organisation."""
    with Lists() as lists:
        settings.AMILI_API_URL, settings.AMILI_TOKEN = lists.url, "any"
        settings.AMILI_HOSTS, settings.AMILI_ORGANIZATIONS = {"127.0.0.1"}, {ORGANISATION: "Nordlys"}
        settings.AMILI_REQUESTS_PER_SECOND = 1000
        upstream.forget_client()
        yield lists
    upstream.forget_client()


def walk(kind: Walk = Walk.NEWEST) -> Discovery:
    """One run of a walk whose time has come, as a worker does it."""
    Discovery.objects.plan([ORGANISATION], kind, timezone.now())
    walk = Discovery.objects.filter(walk=kind)
    walk.update(next_at=timezone.now())
    tasks.discover_batches(walk.get().pk)
    return walk.get()


def known() -> set[UUID]:
    return set(Batch.objects.values_list("pk", flat=True))


def test_the_first_walk_finds_all_and_the_next_stops_at_what_that_has_listed(lists: Lists) -> None:
    lists.add(250)
    place = walk()
    assert known() == lists.ids
    assert lists.asked == 3
    assert (place.complete_at is not None, place.page_token) == (True, "")
    lists.add(5)
    walk()
    assert known() == lists.ids
    assert lists.asked == 4, "one page is enough"


def test_a_whole_item_is_an_answer_and_any_other_only_a_reason_to_ask(lists: Lists) -> None:
    whole = lists.add_item(of_today(succeeded=[succeeded()], batchId=str(uuid4())))
    queued = lists.add_item(of_today("QUEUED", batchId=str(uuid4()), finishedAt=None))
    partial = lists.add_item(of_today("SUCCESS", batchId=str(uuid4()), succeeded=[{}]))
    walk()
    batch = Batch.objects.get(pk=whole)
    assert (batch.outcome, batch.succeeded_objects, batch.asked_by) == (Outcome.SUCCEEDED, 1, Source.CHECK)
    assert batch.next_check_at > timezone.now() + timedelta(minutes=50), "one late check is left"
    answer = batch.answers.get()
    assert answer.source == Source.DISCOVERY
    assert json.loads(answer.body) == {"data": of_today(succeeded=[succeeded()], batchId=str(whole))}
    other = Batch.objects.get(pk=partial)
    assert (other.outcome, other.checked_at, other.organization_id) == (Outcome.UNKNOWN, None, ORGANISATION)
    assert other.created_at is not None, "the day's numbers count it at once"
    assert set(Batch.objects.due(timezone.now()).values_list("pk", flat=True)) >= {partial}
    assert queued in known()


def test_each_batch_begins_its_timeline_once(lists: Lists) -> None:
    lists.add(120)
    for _ in range(3):
        walk()
        walk(Walk.SWEEP)
    seen = TimelineEntry.objects.filter(kind=TimelineEntry.Kind.FIRST_SEEN)
    assert seen.count() == Batch.objects.count() == 120
    assert set(seen.values_list("source", flat=True)) == {Source.DISCOVERY}


def test_a_walk_that_was_stopped_goes_on_where_it_was(lists: Lists) -> None:
    lists.add(300)
    lists.fail_on_page = 2
    place = walk()
    assert (place.trouble, len(known())) == ("unreachable", 200)
    assert place.started_at is not None
    lists.fail_on_page = None
    lists.add(3)
    place = walk()
    assert place.trouble == ""
    assert place.complete_at is not None
    assert len(known()) == 300
    walk()
    assert known() == lists.ids, "what was added meanwhile is found by the next walk"


def test_a_batch_that_a_person_has_followed_ends_no_walk(lists: Lists) -> None:
    lists.add(150)
    walk()
    lists.add(150)
    tasks.follow(lists.newest(3))
    walk()
    assert known() == lists.ids


def test_a_list_in_no_order_is_gone_through_to_its_end(lists: Lists) -> None:
    lists.add(120)
    walk()
    lists.add(120)
    lists.shuffle()
    walk()
    assert known() == lists.ids


def test_a_list_that_knows_no_sorting_is_asked_without(lists: Lists) -> None:
    lists.add(3)
    lists.refuses_sorting = True
    walk()
    assert known() == lists.ids


@pytest.mark.parametrize("token", ["again", 7, None, "", {"a": 1}])
def test_a_page_token_that_leads_nowhere_ends_the_walk(lists: Lists, token: object) -> None:
    lists.add(10)
    lists.next_token = token
    walk()
    assert known() == lists.ids
    assert lists.asked <= 3


def test_a_page_token_that_amili_has_forgotten_starts_the_walk_anew(lists: Lists) -> None:
    lists.add(150)
    Discovery.objects.create(
        organization_id=ORGANISATION,
        walk=Walk.NEWEST,
        next_at=timezone.now(),
        started_at=timezone.now(),
        page_token="old",
    )
    assert walk().trouble == "refused"
    assert walk().trouble == ""
    assert known() == lists.ids


def test_unreadable_items_cost_no_other(lists: Lists) -> None:
    wanted = lists.add_item(of_today("QUEUED", batchId=str(uuid4())))
    for nonsense in (None, 7, "text", [], {}, {"batchId": "no uuid"}):
        lists.add_item(nonsense)
    walk()
    assert known() == {wanted}


def test_a_batch_that_the_list_knows_more_of_is_asked_about_again(lists: Lists) -> None:
    batch_id = lists.add_item(of_today("QUEUED", batchId=str(uuid4()), finishedAt=None))
    walk()
    Batch.objects.update(next_check_at=timezone.now() + timedelta(days=1), asked_by=Source.CHECK)
    walk()
    assert not Batch.objects.due(timezone.now()).exists()
    lists.change(batch_id, of_today("FAILED", batchId=str(batch_id)))
    walk()
    assert Batch.objects.due(timezone.now()).get().asked_by == Source.DISCOVERY


def test_a_batch_that_was_given_up_is_asked_about_when_a_list_names_it(lists: Lists) -> None:
    batch_id = lists.add_item(of_today(batchId=str(uuid4()), succeeded=[succeeded()]))
    now = timezone.now()
    Batch.objects.follow([batch_id], now - timedelta(hours=2))
    for ago in (timedelta(minutes=61), timedelta()):
        sync.record_failure(batch_id, NotThere("Amili answered 404"), Question(now - ago))
    assert Batch.objects.get().next_check_at is None
    walk()
    batch = Batch.objects.get()
    assert (batch.next_check_at is None, batch.organization_id) == (False, ORGANISATION)


def test_a_batch_that_is_gone_but_listed_is_asked_about_at_a_sweep_alone(lists: Lists) -> None:
    batch_id = lists.add_item(of_today(batchId=str(uuid4()), succeeded=[succeeded()]))
    Batch.objects.follow([batch_id], timezone.now())
    sync.record_failure(batch_id, Gone("Amili answered 410"), Question(timezone.now()))
    walk()
    assert Batch.objects.get().next_check_at is None
    walk(Walk.SWEEP)
    assert Batch.objects.get().next_check_at is not None


def test_a_list_that_never_agrees_with_the_answer_does_not_make_us_ask_at_every_walk(
    lists: Lists, recorded: Record
) -> None:
    answer = of_today(succeeded=[succeeded()], failed=[{"message": "no"}])
    recorded(answer)
    lists.add_item({**answer, "failed": []})
    Batch.objects.update(next_check_at=timezone.now() + timedelta(hours=1))
    for _ in range(3):
        walk()
    assert not Batch.objects.due(timezone.now()).exists()
    walk(Walk.SWEEP)
    assert Batch.objects.due(timezone.now()).exists()


def test_an_item_that_no_table_should_have_to_hold_costs_no_other(lists: Lists) -> None:
    lists.add(2)
    lists.add_item({**lists.items[0], "batchId": str(uuid4()), "type": random.Random(1).randbytes(4000).hex()})
    lists.add(2)
    walk()
    assert known() == lists.ids


def test_a_fault_of_our_own_ends_the_walk_for_now_and_is_told(lists: Lists, no_table: None) -> None:
    lists.add(1)
    with pytest.raises(ProgrammingError):
        walk()
    place = Discovery.objects.get()
    assert (place.trouble, place.trouble_detail, place.claimed_until) == ("own_fault", "ProgrammingError", None)


@pytest.fixture
def no_table(db: None) -> Iterator[None]:
    """Something is wrong with our database."""
    rename = "ALTER TABLE batches_succeededitem RENAME TO {}"
    with connection.cursor() as cursor:
        cursor.execute(rename.format("elsewhere"))
    yield
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE elsewhere RENAME TO batches_succeededitem")


def test_a_sweep_that_begins_anew_leaves_no_gap_behind(lists: Lists) -> None:
    lists.add(120)
    walk()
    walk(Walk.SWEEP)
    walk()
    lists.add(250)
    Discovery.objects.filter(walk=Walk.SWEEP).update(page_token="forgotten")
    for _ in range(2):
        walk(Walk.SWEEP)
    walk()
    assert known() == lists.ids


def test_the_lists_of_an_organisation_that_is_no_longer_ours_are_left_alone(lists: Lists, work: Work) -> None:
    Discovery.objects.plan([OTHER], Walk.NEWEST, timezone.now())
    tasks.discover_due_lists()
    work()
    assert Discovery.objects.get(organization_id=OTHER).started_at is None


def test_pasting_what_is_just_being_found_stands_in_nobody_s_way(lists: Lists) -> None:
    for _ in range(10):
        lists.add(100)
        ids = iter([lists.newest(100)[::-1], None])
        together(lambda: tasks.follow(pasted) if (pasted := next(ids)) else walk())  # noqa: B023
        walk()
    assert known() == lists.ids


def test_a_sweep_goes_to_the_end_slowly_and_finds_what_was_listed_late(lists: Lists) -> None:
    lists.add(250)
    walk()
    lists.items.insert(150, {**lists.items[150], "batchId": str(uuid4())})
    walk()
    assert known() != lists.ids
    places = [walk(Walk.SWEEP) for _ in range(3)]
    assert known() == lists.ids
    assert [place.pages for place in places] == [1, 2, 3]
    assert places[0].next_at > timezone.now()
    assert places[-1].complete_at


def test_no_list_is_read_further_back_than_wanted(lists: Lists, settings: Settings) -> None:
    settings.AMILI_DISCOVERY_DAYS = 10
    lists.add(400, apart=timedelta(hours=1))
    walk()
    assert lists.asked == 3
    assert len(known()) == 300


def test_two_that_look_at_once_find_each_batch_once(lists: Lists) -> None:
    lists.add(50)
    Discovery.objects.plan([ORGANISATION], Walk.NEWEST, timezone.now())
    place = Discovery.objects.get()
    assert Discovery.objects.claim(place.pk, timezone.now())
    tasks.discover_batches(place.pk)
    assert known() == set()


def test_whose_claim_ran_out_records_nothing_more(lists: Lists) -> None:
    lists.add(50)
    Discovery.objects.plan([ORGANISATION], Walk.NEWEST, timezone.now())
    lists.before_answer = lambda: Discovery.objects.update(claimed_until=timezone.now() + timedelta(minutes=1))
    tasks.discover_batches(Discovery.objects.get().pk)
    assert known() == set()
    assert Discovery.objects.get().pages == 0


def test_a_batch_that_somebody_pastes_at_this_moment_is_followed_once(lists: Lists) -> None:
    batch_id = lists.add_item(of_today(succeeded=[succeeded()], batchId=str(uuid4())))
    lists.before_answer = lambda: tasks.follow([batch_id])
    walk()
    batch = Batch.objects.get()
    assert batch.listed_at is not None
    assert TimelineEntry.objects.filter(kind=TimelineEntry.Kind.FIRST_SEEN).count() == 1
    assert batch.errors.count() == batch.error_count


def test_lists_are_asked_for_by_themselves_and_counted(lists: Lists, work: Work) -> None:
    lists.add(3)
    tasks.discover_due_lists()
    work()
    assert known() == lists.ids
    assert Traffic.objects.get(kind="list").requests == 1
    sweep = Discovery.objects.get(walk=Walk.SWEEP)
    assert sweep.next_at > timezone.now() + timedelta(hours=23)
    tasks.discover_due_lists()
    assert work() == 0, "none is due"


def test_a_thousand_polls_of_a_list_keep_one_answer(lists: Lists) -> None:
    lists.add_item(of_today(succeeded=[succeeded()], batchId=str(uuid4())))
    for _ in range(5):
        walk()
    assert Answer.objects.count() == 1


# From the command line


def days_ago(days: int) -> str:
    return (timezone.localdate() - timedelta(days=days)).isoformat()


def test_a_backfill_follows_all_since_a_day(lists: Lists, capsys: pytest.CaptureFixture[str]) -> None:
    lists.add(250, apart=timedelta(hours=1))
    call_command("discover_batches", "--since", days_ago(30))
    assert known() == lists.ids
    assert "New batches: 250." in capsys.readouterr().out


def test_a_backfill_goes_on_where_it_stopped(lists: Lists) -> None:
    lists.add(250)
    lists.fail_on_page = 2
    since = days_ago(300)
    with pytest.raises(CommandError, match="Amili unreachable"):
        call_command("discover_batches", "--since", since)
    lists.fail_on_page = None
    call_command("discover_batches", "--since", since)
    assert known() == lists.ids
    assert lists.pages_asked.count("") == 1


def test_a_backfill_beside_another_to_the_same_day_waits_for_it(lists: Lists) -> None:
    lists.add(150)
    lists.before_answer = lambda: time.sleep(0.2)
    together(lambda: call_command("discover_batches", "--since", days_ago(3)))
    assert known() == lists.ids


def test_a_backfill_beside_another_to_another_day_refuses(lists: Lists) -> None:
    Discovery.objects.create(
        organization_id=ORGANISATION,
        walk=Walk.BACKFILL,
        next_at=timezone.now(),
        back_to=timezone.now() - timedelta(days=9),
        claimed_until=timezone.now() + timedelta(minutes=1),
    )
    with pytest.raises(CommandError, match="another day"):
        call_command("discover_batches", "--since", days_ago(3))


def test_a_backfill_without_organisations_says_what_to_set(lists: Lists, settings: Settings) -> None:
    settings.AMILI_ORGANIZATIONS = {}
    with pytest.raises(CommandError, match="AMILI_ORGANIZATION_IDS"):
        call_command("discover_batches", "--since", days_ago(1))


def test_no_batch_of_another_organisation_is_taken_for_ours(lists: Lists, settings: Settings) -> None:
    settings.AMILI_ORGANIZATIONS = {OTHER: ""}
    lists.add(2)
    Discovery.objects.plan([OTHER], Walk.NEWEST, timezone.now())
    tasks.discover_batches(Discovery.objects.get().pk)
    assert Discovery.objects.get().trouble == "not_there"
