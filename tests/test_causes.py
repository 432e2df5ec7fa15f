"""Causes: what many error messages have in common, within a batch and over all of them."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.test import Client
from django.utils import timezone

from batches import causes, discovery, sync, triage
from batches.amili import payload
from batches.causes import group, set_causes
from batches.models import (
    NO_ORGANIZATION,
    Batch,
    BatchCause,
    Cause,
    CauseDay,
    CauseOrganization,
    Discovery,
    ErrorRow,
    TriageEntry,
    Walk,
)
from batches.pace import LEASE
from batches.words import Outcome, TriageState
from staff.models import Person
from tests.answers import BATCH, ORGANISATION, OTHER, body, error, of_first_generation, of_today
from tests.pages import HOSTILE, seen

type Record = Callable[..., Batch]

SECOND, THIRD = UUID(int=2, version=4), UUID(int=3, version=4)
MISSING = "Debtor is missing nationalId"
EXISTS = "Invoice number {} already exists for creditor 99887"


def failed(*messages: str, batch: UUID = BATCH, first: int = 0, **changed: object) -> dict:
    """An answer about a batch of which each object failed with one of these messages."""
    errors = [error(first + n, message) for n, message in enumerate(messages)]
    return of_first_generation(errors=errors, batchId=str(batch), **changed)


def told(batch: UUID = BATCH) -> dict[str, tuple[int, int, list]]:
    """What is known of each cause of a batch: rows, objects, ranges."""
    shares = BatchCause.objects.filter(batch=batch).select_related("cause")
    return {share.cause.template: (share.rows, share.objects_hit, share.ranges) for share in shares}


def sums(template: str = MISSING) -> tuple[int, int]:
    """Batches and rows with a cause: by day, by organisation and altogether, which must say the same."""
    by_day = list(CauseDay.objects.filter(cause__template=template).values_list("batches", "rows"))
    by_organisation = list(CauseOrganization.objects.filter(cause__template=template).values_list("batches", "rows"))
    totals = [tuple(map(sum, zip(*numbers, strict=True))) for numbers in (by_day, by_organisation)]
    cause = Cause.objects.get(template=template)
    assert totals[0] == totals[1] == (cause.batch_count, cause.row_count)
    assert (
        cause.organization_count
        == cause.organizations.filter(batches__gt=0).exclude(organization_id=NO_ORGANIZATION).count()
    )
    return totals[0]


# ------------------------------------------------------------------------------------------ grouping


def test_messages_that_differ_in_a_number_have_one_cause(recorded: Record) -> None:
    recorded(failed(MISSING, MISSING, EXISTS.format("2026-000123"), EXISTS.format("2026-000777")))
    assert told() == {
        MISSING: (2, 2, [[0, 1]]),
        "Invoice number ‹number› already exists for creditor ‹number›": (2, 2, [[2, 3]]),
    }


def test_ranges_join_neighbours_and_count_each_object_once(recorded: Record) -> None:
    errors = [error(index, MISSING) for index in (7, 0, 2, 1, 2, 90, 91, None)]
    recorded(of_first_generation(errors=errors))
    assert told() == {MISSING: (8, 7, [[0, 2], [7, 7], [90, 91]])}


def test_ranges_without_end_are_cut_and_the_count_is_not(recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(2 * n, MISSING) for n in range(500)]))
    [(rows, objects, ranges)] = told().values()
    assert (rows, objects, len(ranges)) == (500, 500, causes.MOST_RANGES)


def test_each_error_row_knows_its_cause(recorded: Record) -> None:
    recorded(failed(MISSING, EXISTS.format(1), MISSING))
    rows = ErrorRow.objects.order_by("rank").values_list("object_index", "cause__template")
    assert [template for _, template in rows] == [
        MISSING,
        "Invoice number ‹number› already exists for creditor ‹number›",
        MISSING,
    ]


def test_failed_items_of_no_documented_shape_have_causes_too(recorded: Record) -> None:
    items = [
        {"invoiceNumber": "INV-1", "objectIndex": 4, "errors": [MISSING, "Postal code 0000 is not valid"]},
        {"objectindex": "5", "objectname": "Debtor", "message": MISSING},
        {"error": {"code": "VALIDATION", "target": "Debtor", "messages": [MISSING]}, "invoiceNumber": 77},
        {"anything": "else"},
        None,
        {},
    ]
    recorded(of_today("FAILED", failed=items))
    assert told()[MISSING] == (3, 3, [[4, 5]])
    rows = ErrorRow.objects.filter(message=MISSING).order_by("rank")
    assert [(row.object_index, row.object_name, row.invoice_number) for row in rows] == [
        (4, "", "INV-1"),
        (5, "Debtor", ""),
        (None, "Debtor", "77"),
    ]
    assert ErrorRow.objects.filter(message='{"anything": "else"}').count() == 1
    assert Batch.objects.get().error_count == 5


def test_amilis_own_error_rows_come_before_what_failed_items_say(recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(0, MISSING)], failed=[{"message": "Something else"}]))
    assert told() == {MISSING: (1, 1, [[0, 0]])}


@pytest.mark.parametrize(
    "message", [HOSTILE, "x" * 100_000, "", None, "‹number›", "\u202e\u2066", "'" * 5_000, "%s {0} \\"]
)
def test_whatever_a_message_holds_it_has_a_cause_and_a_page(
    client: Client, recorded: Record, message: str | None
) -> None:
    recorded(of_first_generation(errors=[error(0, message)]))
    cause = Cause.objects.get()
    for address in (f"/batches/{BATCH}/causes/", cause.get_absolute_url(), "/causes/"):
        response = client.get(address)
        assert response.status_code == 200
        assert b"<script>alert" not in response.content


# ------------------------------------------------------------------------------------------ over all batches


def test_sums_follow_what_batches_have_now(recorded: Record) -> None:
    recorded(failed(MISSING, MISSING))
    recorded(failed(MISSING, batch=SECOND, organizationId=str(OTHER), createdAt="2026-03-10T14:30:00Z"))
    assert sums() == (2, 3)
    recorded(failed("Something else", MISSING, MISSING, MISSING))
    assert sums() == (2, 4)
    recorded(of_first_generation())
    assert sums() == (1, 1)
    assert Cause.objects.get(template=MISSING).organization_count == 1


def test_the_same_answer_twice_counts_once(recorded: Record) -> None:
    recorded(failed(MISSING))
    recorded(failed(MISSING))
    assert sums() == (1, 1)


def test_a_cause_counts_on_the_day_of_the_sites_clock_on_which_its_batch_finished(recorded: Record) -> None:
    recorded(failed(MISSING, createdAt="2026-03-09T12:00:00Z", finishedAt="2026-03-09T23:30:00Z"))
    assert CauseDay.objects.get().day == date(2026, 3, 10)


def test_a_batch_that_turns_out_to_be_of_another_organisation_counts_there(recorded: Record) -> None:
    recorded(failed(MISSING))
    recorded(failed(MISSING, MISSING, organizationId=str(OTHER)))
    counted = CauseOrganization.objects.filter(batches__gt=0).values_list("organization_id", "rows")
    assert list(counted) == [(OTHER, 2)]
    assert CauseOrganization.objects.get(organization_id=ORGANISATION).batches == 0


def test_batches_of_no_organisation_are_none_more(recorded: Record) -> None:
    recorded(failed(MISSING))
    recorded(failed(MISSING, batch=SECOND, organizationId=None))
    assert sums() == (2, 2)
    assert Cause.objects.get().organization_count == 1


def test_first_and_last_seen_are_of_all_batches(recorded: Record) -> None:
    recorded(failed(MISSING, createdAt="2026-03-09T12:00:00Z"))
    recorded(failed(MISSING, batch=SECOND, createdAt="2026-02-01T12:00:00Z"))
    cause = Cause.objects.get()
    assert cause.first_seen_at == datetime(2026, 2, 1, 12, tzinfo=UTC)
    assert cause.last_seen_at == datetime(2026, 3, 9, 12, tzinfo=UTC)


# ------------------------------------------------------------------------------------------ coming back


def corrected(template: str = MISSING) -> Cause:
    Cause.objects.filter(template=template).update(triage_state=TriageState.CORRECTED, triaged_at=timezone.now())
    return Cause.objects.get(template=template)


def tomorrow() -> str:
    return (timezone.now() + timedelta(days=1)).isoformat()


def test_a_corrected_cause_comes_back_with_a_later_batch_and_says_so(client: Client, recorded: Record) -> None:
    recorded(failed(MISSING))
    cause = corrected()
    recorded(failed(MISSING, batch=SECOND, createdAt=tomorrow()))
    cause.refresh_from_db()
    assert cause.triage_state == TriageState.NEW
    entry = TriageEntry.objects.get(kind=TriageEntry.Kind.CAME_BACK)
    assert (entry.cause_id, entry.other_batch_id, entry.person) == (cause.pk, SECOND, None)
    assert "Came back" in seen(client.get(cause.get_absolute_url()))


def test_a_corrected_cause_stays_so_for_batches_of_before(recorded: Record) -> None:
    recorded(failed(MISSING))
    cause = corrected()
    recorded(failed(MISSING, batch=SECOND, createdAt="2026-03-09T12:00:00Z"))
    cause.refresh_from_db()
    assert cause.triage_state == TriageState.CORRECTED


def test_more_rows_of_a_batch_that_had_the_cause_do_not_bring_it_back(recorded: Record) -> None:
    recorded(failed(MISSING, createdAt=tomorrow()))
    cause = corrected()
    recorded(failed(MISSING, MISSING, createdAt=tomorrow()))
    cause.refresh_from_db()
    assert cause.triage_state == TriageState.CORRECTED


# ------------------------------------------------------------------------------------------ another version of the grouping


def former(cause: Cause, **said: object) -> Cause:
    """Make a cause one of a former grouping, as after an update, with what people said of it."""
    Cause.objects.filter(pk=cause.pk).update(grouping=0, template=f"Former: {cause.template}", **said)
    Batch.objects.update(grouping=0)
    return Cause.objects.get(pk=cause.pk)


def test_a_new_grouping_leaves_history_as_it_is_until_it_is_told_to(recorded: Record) -> None:
    recorded(failed(MISSING))
    old = former(Cause.objects.get())
    recorded(failed(MISSING, batch=SECOND))
    assert told() == {old.template: (1, 1, [[0, 0]])}
    assert told(SECOND) == {MISSING: (1, 1, [[0, 0]])}


def test_regrouping_moves_everything_and_hands_over_what_people_said(recorded: Record, person: Person) -> None:
    recorded(failed(MISSING, MISSING))
    said = {
        "advice": "Ask for it",
        "advised_by": person,
        "owner": person,
        "triage_state": "looking",
        "triage_revision": 3,
    }
    old = former(Cause.objects.get(), **said)
    call_command("regroup_causes")
    new = Cause.objects.get(template=MISSING)
    assert told() == {MISSING: (2, 2, [[0, 1]])}
    assert sums() == (1, 2)
    assert (new.advice, new.owner, new.triage_state) == ("Ask for it", person, "looking")
    old.refresh_from_db()
    assert old.replaced_by == new
    assert list(new.triage_history.values_list("kind", flat=True)) == ["regrouped"]


def test_regrouping_twice_does_nothing_more(recorded: Record) -> None:
    recorded(failed(MISSING))
    former(Cause.objects.get())
    call_command("regroup_causes")
    revision = Batch.objects.get().revision
    call_command("regroup_causes")
    assert Batch.objects.get().revision == revision


def test_regrouping_brings_no_cause_back(recorded: Record) -> None:
    recorded(failed(MISSING))
    corrected()
    former(Cause.objects.get(), triage_revision=1)
    call_command("regroup_causes")
    assert Cause.objects.get(template=MISSING).triage_state == TriageState.CORRECTED


def test_regrouping_tells_of_a_cause_that_came_back_under_the_new_rules(recorded: Record) -> None:
    recorded(failed(MISSING))
    former(corrected(), triage_revision=1)
    recorded(failed(MISSING, batch=SECOND, createdAt=tomorrow()))
    call_command("regroup_causes")
    new = Cause.objects.get(template=MISSING)
    assert (new.triage_state, new.came_back_in_id) == (TriageState.NEW, SECOND)


def test_what_somebody_said_of_the_new_cause_is_not_overwritten(recorded: Record) -> None:
    recorded(failed(MISSING))
    former(Cause.objects.get(), advice="Former advice", triage_revision=1)
    recorded(failed(MISSING, batch=SECOND))
    Cause.objects.filter(template=MISSING).update(advice="Newer advice", triage_revision=1)
    call_command("regroup_causes")
    assert Cause.objects.get(template=MISSING).advice == "Newer advice"


def test_what_is_done_while_causes_are_handed_over_goes_over_too(recorded: Record, person: Person) -> None:
    recorded(failed(MISSING))
    old = former(Cause.objects.get())
    triage.move(old, person, 0, TriageState.WAITING_FOR_AMILI, person)
    call_command("regroup_causes")
    assert Cause.objects.get(template=MISSING).owner == person


def test_a_cause_that_was_replaced_takes_no_more_work(client: Client, recorded: Record) -> None:
    recorded(failed(MISSING))
    old = former(Cause.objects.get())
    call_command("regroup_causes")
    for deed, data in {
        "triage": {"revision": 0, "state": "looking", "owner": ""},
        "notes": {"text": "Seen"},
        "advice": {"revision": 0, "text": "Ask"},
    }.items():
        answer = client.post(f"{old.get_absolute_url()}{deed}/", data)
        assert (answer.status_code, "grouped anew" in seen(answer)) == (409, True)
    assert not old.triage_history.exists()
    assert "Take it" not in seen(client.get(old.get_absolute_url()))


def test_errors_from_before_there_were_causes_are_grouped_from_the_answer_kept(
    client: Client, recorded: Record
) -> None:
    recorded(of_today("FAILED", failed=[{"message": MISSING, "objectIndex": 3}]))
    for table in (BatchCause, ErrorRow, CauseDay, CauseOrganization, Cause):
        table.objects.all().delete()
    Batch.objects.update(grouping=0, error_count=0)
    assert client.get(f"/batches/{BATCH}/").status_code == 200
    call_command("regroup_causes")
    assert told() == {MISSING: (1, 1, [[3, 3]])}
    assert Batch.objects.get().error_count == 1


# ------------------------------------------------------------------------------------------ pages


def test_a_failed_batch_opens_on_its_causes(client: Client, recorded: Record) -> None:
    recorded(failed(*[MISSING] * 3, EXISTS.format("2026-000123")))
    recorded(failed(MISSING, batch=SECOND, organizationId=str(OTHER), createdAt="2026-02-01T12:00:00Z"))
    text = seen(client.get(f"/batches/{BATCH}/"))
    assert "2 causes 4 error rows" in text
    assert "75 % Debtor is missing nationalId index 0–2 · in 1 other batch and 1 other organisation" in text
    assert "first seen 01.02.2026" in text
    assert "25 % Invoice number ‹number› already exists for creditor ‹number›" in text
    assert "Invoice number 2026-000123 already exists" in text
    assert "seen in no other batch" in text


def test_a_batch_without_errors_has_no_tab_of_causes(client: Client, recorded: Record) -> None:
    recorded(of_first_generation())
    assert f"/batches/{BATCH}/causes/" not in client.get(f"/batches/{BATCH}/").content.decode()
    assert client.get(f"/batches/{BATCH}/causes/").status_code == 200


def test_a_batch_of_a_thousand_causes_shows_them_page_by_page(client: Client, recorded: Record) -> None:
    words = [f"Field {first}{second} is odd" for first in "abcdefgh" for second in "abcdefgh"]
    recorded(failed(*words))
    first, last = (seen(client.get(f"/batches/{BATCH}/causes/?page={page}")) for page in ("1", "99"))
    assert "64 causes" in first
    assert "Rarer causes" in first
    assert "More frequent causes" in last
    assert "Rarer causes" not in last


def test_the_page_of_a_cause_tells_of_every_batch_with_it(client: Client, recorded: Record) -> None:
    recorded(failed(MISSING, MISSING))
    recorded(failed(MISSING, batch=SECOND, organizationId=str(OTHER), first=7))
    text = seen(client.get(Cause.objects.get().get_absolute_url()))
    assert "3 error rows 2 batches 2 organisations" in text
    assert str(BATCH) in text
    assert str(SECOND) in text


def test_organisations_beyond_those_shown_are_said_to_be_there(client: Client, recorded: Record) -> None:
    recorded(failed(MISSING))
    cause, now = Cause.objects.get(), timezone.now()
    about = {"cause": cause, "batches": 1, "rows": 1, "first_seen_at": now, "last_seen_at": now}
    sentence = "The export has all of them."
    assert sentence not in seen(client.get(cause.get_absolute_url()))
    CauseOrganization.objects.bulk_create([CauseOrganization(organization_id=uuid4(), **about) for _ in range(50)])
    assert sentence in seen(client.get(cause.get_absolute_url()))


def test_the_batches_of_a_cause_are_turned_page_by_page(client: Client, recorded: Record) -> None:
    for n in range(1, 53):
        at = datetime(2026, 3, 9, 12, n % 60, tzinfo=UTC).isoformat()
        recorded(failed(MISSING, batch=UUID(int=n, version=4), createdAt=at))
    address = Cause.objects.get().get_absolute_url()
    first = client.get(address)
    second = client.get(address, {"after": first.context["next"]})
    shown = [share.batch_id for page in (first, second) for share in page.context["shares"]]
    assert len(shown) == len(set(shown)) == 52
    assert second.context["next"] == ""


@pytest.mark.parametrize("after", ["x", "2026-03-09T12:00:00+00:00_", "9999-12-31T23:59:59-23:59_" + str(BATCH), "\0"])
def test_a_key_that_is_none_shows_the_first_page(client: Client, recorded: Record, after: str) -> None:
    recorded(failed(MISSING))
    assert str(BATCH) in seen(client.get(Cause.objects.get().get_absolute_url(), {"after": after}))


def test_the_list_of_causes_is_filtered_by_text_and_by_work(client: Client, recorded: Record, person: Person) -> None:
    recorded(failed(MISSING, "Unknown currency XXX", "Postal code 12 is not valid"))
    Cause.objects.filter(template=MISSING).update(owner=person, triage_state="waiting_creditor")
    Cause.objects.filter(template__startswith="Unknown").update(triage_state="ignored")

    def shown(**query: str) -> set[str]:
        return {cause.template for cause, _ in client.get("/causes/", query).context["lines"]}

    assert len(shown()) == 3
    assert shown(text="CURRENCY") == {"Unknown currency XXX"}
    assert len(shown(triage="unresolved")) == 2
    assert shown(triage="mine") == shown(triage="waiting") == {MISSING}
    assert len(shown(triage="nonsense")) == 3


def test_a_cause_that_no_batch_has_any_more_leaves_the_list_and_keeps_its_page(
    client: Client, recorded: Record
) -> None:
    recorded(failed(MISSING))
    recorded(of_first_generation())
    cause = Cause.objects.get()
    assert "there are no causes" in seen(client.get("/causes/"))
    assert "No batch has it at present" in seen(client.get(cause.get_absolute_url()))


def test_nobody_sees_causes_without_signing_in(visitor: Client, recorded: Record) -> None:
    recorded(failed(MISSING))
    for address in ("/causes/", Cause.objects.get().get_absolute_url()):
        assert visitor.get(address).status_code == 302


@pytest.mark.parametrize(
    ("address", "queries"), [("/batches/{batch}/causes/", 11), ("/causes/{cause}/", 10), ("/causes/", 4)]
)
def test_a_page_costs_no_more_queries_for_many_causes_and_batches(
    client: Client, recorded: Record, django_assert_num_queries: Callable, address: str, queries: int
) -> None:
    for batch in (BATCH, SECOND, THIRD):
        recorded(failed(MISSING, "Unknown currency XXX", MISSING, "Postal code 12 is not valid", batch=batch))
    path = address.format(batch=BATCH, cause=Cause.objects.get(template=MISSING).pk)
    client.get(path)
    with django_assert_num_queries(queries):
        client.get(path)


# ------------------------------------------------------------------------------------------ several at once


def test_one_item_that_lists_messages_without_end_makes_no_rows_without_end(recorded: Record) -> None:
    recorded(of_today("FAILED", failed=[{"objectIndex": 1, "errors": [f"Field {n}x is odd" for n in range(5_000)]}]))
    assert ErrorRow.objects.count() == 100


def test_a_batch_whose_organisation_is_found_in_a_list_counts_there(recorded: Record) -> None:
    recorded(failed(MISSING, organizationId=None))
    sync.place([BATCH], ORGANISATION)
    assert sums() == (1, 1)
    counted = CauseOrganization.objects.filter(batches__gt=0).values_list("organization_id", "rows")
    assert list(counted) == [(ORGANISATION, 1)]


@pytest.mark.django_db(transaction=True)
def test_a_page_of_a_list_does_not_wait_crosswise_with_a_batch_that_is_being_recorded() -> None:
    """The page knows of a batch that is held for its answer, and has a new one with the same cause."""
    now = timezone.now()
    known, new = failed(MISSING, batch=SECOND), failed(MISSING, batch=THIRD)
    Batch.objects.follow([SECOND], now)
    group(payload.read_batch(body(known), SECOND).faults)  # so that the cause is there
    place = Discovery.objects.create(
        organization_id=ORGANISATION, walk=Walk.NEWEST, next_at=now, claimed_until=now + LEASE, started_at=now
    )
    page = payload.read_list(json.dumps({"data": [known, new]}).encode())

    def take() -> bool:
        try:
            return discovery._take(place, page, discovery._known(page), is_last=True)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            held = Batch.objects.select_for_update(no_key=True).get(pk=SECOND)
            held.outcome = Outcome.FAILED
            taken = pool.submit(take)
            wait_for_somebody_who_waits_for_a_lock()
            set_causes([(held, group(payload.read_batch(body(known), SECOND).faults).shares)])
        assert taken.result(timeout=20)
    assert sums() == (2, 2)


@pytest.mark.django_db(transaction=True)
def test_a_batch_that_is_recorded_while_its_organisation_is_found_is_taken_from_the_right_one(
    recorded: Record,
) -> None:
    recorded(failed(MISSING, organizationId=None))

    def record() -> None:
        try:
            recorded(failed("Something else", organizationId=str(ORGANISATION)))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            sync.place([BATCH], ORGANISATION)
            recording = pool.submit(record)
            wait_for_somebody_who_waits_for_a_lock()
        recording.result(timeout=20)
    counted = CauseOrganization.objects.filter(cause__template=MISSING)
    assert set(counted.values_list("batches", "rows")) == {(0, 0)}
    assert sums("Something else") == (1, 1)


def wait_for_somebody_who_waits_for_a_lock() -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE NOT granted"
            )  # what tells of activity stands still in here
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    pytest.fail("Nobody waits.")
