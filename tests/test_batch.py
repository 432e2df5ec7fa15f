"""The page of one batch, in the browser of somebody signed in."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks, Settings

from batches import sync, tasks
from batches.amili.errors import AmiliError, Forbidden, KeysRefused, Later, NotThere, NotUnderstood, Refused
from batches.facts import Question
from batches.models import Batch, Connection
from batches.words import Source
from staff.models import Person
from tests.answers import (
    BATCH,
    ORGANISATION,
    documented,
    error,
    ledger_response,
    of_first_generation,
    of_today,
    succeeded,
)
from tests.conftest import Amili, Record
from tests.pages import GARBAGE, HOSTILE, HTMX, ids, links, seen

URL = f"/batches/{BATCH}/"
TABS = ["errors", "succeeded", "failed", "responses", "timeline", "answer"]
SECONDS = timedelta(seconds=1)


def anchors(response: HttpResponse) -> list[str]:
    """The rows of a table, by the end of the address that leads to each."""
    return [name for name in ids(response) if name.startswith("row-")]


def stamp(response: HttpResponse) -> str:
    """What a poll by this page sends along."""
    found = re.search(r"[?&;]stamp=(\w+)", response.content.decode())
    assert found
    return found[1]


def walk(client: Client, url: str, rel: str) -> tuple[list[list[str]], str]:
    """The rows of each page from this one to the last, by the links that turn it, and the last one's address."""
    pages = []
    while True:
        response = client.get(url)
        pages.append(re.findall(r"place-\d+", seen(response)))
        onward = links(response, rel)
        if not onward:
            return pages, url
        url = onward[0]
        assert len(pages) < 20


# What it shows


def test_the_documented_example_is_shown_whole(client: Client, recorded: Record) -> None:
    recorded(documented()["data"])
    page = client.get(URL)
    assert page.status_code == 200
    assert "Partly succeeded" in seen(page)
    assert anchors(client.get(f"{URL}errors/")) == ["row-0"]
    assert str(UUID("4f163819-178d-470c-a246-d6768476a6ec")) in seen(client.get(f"{URL}succeeded/"))
    assert "An empty entry (null)" in seen(client.get(f"{URL}failed/"))
    assert "Ledger reference" in seen(client.get(f"{URL}responses/"))


def test_an_answer_of_today_is_shown_whole(client: Client, recorded: Record, settings: Settings) -> None:
    settings.AMILI_ORGANIZATIONS = {ORGANISATION: "Nordlys Kraft AS"}
    recorded(of_today("PARTIAL", succeeded=[succeeded(n) for n in range(1, 4)], failed=[{"reason": "No due date"}]))
    text = seen(client.get(URL))
    for part in (
        str(BATCH),
        "Partly succeeded: 3 succeeded, 1 failed",
        "of 4 objects · 75 % succeeded",
        "09.03.2026 15.30.00",
        "5 s",
        "Invoice",
        "PARTIAL",
        "Nordlys Kraft AS",
        "8a1b2c3d-4e5f-6789-abcd-ef0123456789",
        "No due date",
        "finished, one last question at",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("data", "word", "colour"),
    [
        (of_today("QUEUED"), "Queued", "info"),
        (of_today("SUCCESS", succeeded=[succeeded()]), "Succeeded", "success"),
        (of_today("SUCCESS", failed=[{"reason": "no"}]), "Failed", "danger"),
        (of_today("SPLENDID", succeeded=[succeeded()]), "Unknown", "neutral"),
        (of_first_generation(errors=[error(1)]), "Failed", "danger"),
        (of_first_generation(finishedAt=None, succeeded=[succeeded()]), "In progress", "info"),
    ],
)
def test_the_page_has_one_honest_word_and_its_colour(
    client: Client, recorded: Record, data: dict[str, Any], word: str, colour: str
) -> None:
    recorded(data)
    page = client.get(URL).content.decode()
    assert re.findall(r'class="states">\s*<span class="ds-tag status" data-color="(\w+)".*?</svg>([^<]+)', page) == [
        (colour, word)
    ]
    assert re.search(rf"<title>\s*{word} · 5579…3189", page)


def test_parts_that_do_not_add_up_are_called_by_name(client: Client, recorded: Record) -> None:
    recorded(of_today("SUCCESS", failed=[{"reason": "no"}], createdBy=7))
    text = seen(client.get(URL))
    assert "Amili calls this batch a success, but lists objects that failed." in text
    assert "createdBy" in text


def test_the_first_question_is_announced(client: Client) -> None:
    tasks.follow([BATCH])
    page = client.get(URL)
    assert "We are asking Amili about this batch for the first time." in seen(page)
    assert "data-live" in page.content.decode()


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        (NotThere("Amili answered 404"), "It may be seconds old: we keep looking for an hour, until"),
        (Forbidden("Amili answered 403"), "Our credentials may not see this batch."),
        (
            KeysRefused("Amili answered 401"),
            "Amili did not accept the credentials of this dashboard when we asked about this batch.",
        ),
        (Refused("Amili answered 409"), "Amili turned the question down."),
        (Later("Amili answered 503"), "We keep trying."),
    ],
)
def test_each_trouble_says_what_it_means(client: Client, problem: AmiliError, sentence: str) -> None:
    tasks.follow([BATCH])
    sync.record_failure(BATCH, problem, Question(timezone.now()))
    text = seen(client.get(URL))
    assert sentence in text
    assert str(problem) in text
    assert "Nothing is known of this batch yet." in text
    assert "Succeeded:" not in text


def test_a_trouble_leaves_the_last_known_facts_on_the_page_with_their_age(client: Client, recorded: Record) -> None:
    recorded(of_today("QUEUED"))
    live = '<span class="when-live">live</span>'
    assert live in client.get(URL).content.decode()
    sync.record_failure(BATCH, Later("Amili answered 503"), Question(timezone.now()))
    page = client.get(URL)
    assert "Queued" in seen(page)
    assert "We have had no usable answer about this batch since" in seen(page)
    assert "may be out of date" in seen(page)
    assert live not in page.content.decode()


def test_a_batch_that_amili_knew_and_no_longer_finds_is_not_called_new(client: Client, recorded: Record) -> None:
    recorded(of_today("QUEUED"))
    sync.record_failure(BATCH, NotThere("Amili answered 404"), Question(timezone.now()))
    text = seen(client.get(URL))
    assert "Amili no longer finds this batch. We keep looking for an hour, until" in text
    assert "seconds old" not in text
    Batch.objects.update(next_check_at=None)
    assert "Amili no longer finds this batch. We looked for an hour and have stopped." in seen(client.get(URL))


def test_what_was_looked_for_in_vain_says_that_we_have_stopped(client: Client) -> None:
    tasks.follow([BATCH])
    sync.record_failure(BATCH, NotThere("Amili answered 404"), Question(timezone.now()))
    Batch.objects.update(next_check_at=None)
    page = client.get(URL)
    assert "We looked for an hour and have stopped." in seen(page)
    assert "batch-poll" not in page.content.decode()


def test_an_answer_that_is_not_understood_leads_to_itself(client: Client, recorded: Record) -> None:
    recorded(b"<!doctype html><p>Maintenance")
    text = seen(client.get(URL))
    assert "The answer is a web page, not JSON" in text
    assert "Its answer is kept. See it as received" in text
    assert "<p>Maintenance" in seen(client.get(f"{URL}answer/"))


@pytest.mark.parametrize("before", [of_today("QUEUED"), b"<!doctype html><p>Maintenance"])
def test_an_answer_that_is_not_kept_is_not_promised(client: Client, recorded: Record, before: dict[str, Any]) -> None:
    recorded(before, timezone.now() - 60 * SECONDS)
    sync.record_failure(BATCH, NotUnderstood("The answer is larger than we take"), Question(timezone.now()))
    text = seen(client.get(URL))
    assert "It was too large or packed in a way that we do not take, and is not kept." in text
    assert "See it as received" not in text


def test_only_where_an_answer_was_not_understood_it_takes_a_query_to_know_whether_it_is_kept(
    client: Client, recorded: Record, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    recorded(of_today("QUEUED"), timezone.now() - 60 * SECONDS)
    client.get(URL)
    for problem, queries in ((Later("Amili answered 503"), 8), (NotUnderstood("The answer is too large"), 9)):
        sync.record_failure(BATCH, problem, Question(timezone.now()))
        with django_assert_num_queries(queries):
            client.get(URL)


@pytest.mark.parametrize(
    ("source", "is_told"), [(Source.PERSON, True), (Source.COMMAND, True), (Source.WEBHOOK, False)]
)
def test_who_did_not_ask_is_not_told_that_the_question_is_noted(
    client: Client, recorded: Record, source: Source, is_told: bool
) -> None:
    recorded(of_today("QUEUED"))
    for n in range(3):
        since = timezone.now() - timedelta(minutes=5)
        Connection.objects.note_failure(f"batch {n}", since, is_probe=False, wait=timedelta(hours=1))
    Batch.objects.make_due([BATCH], timezone.now(), source)
    text = seen(client.get(URL))
    assert ("Your question is noted." in text) is is_told
    assert ("Ask Amili now" in text) is not is_told


def test_the_timeline_tells_every_change_with_who_made_us_ask(client: Client, recorded: Record) -> None:
    start = timezone.now() - 60 * SECONDS
    recorded(of_today("QUEUED"), start)
    recorded(of_today("PARTIAL", succeeded=[succeeded()], failed=[{"a": 1}]), start + SECONDS)
    text = seen(client.get(f"{URL}timeline/"))
    assert text.index("Amili says PARTIAL") < text.index("Amili says QUEUED") < text.index("First seen")
    assert "Asked by a person" in text
    assert "Scheduled check" in text


# Its rows


def test_rows_stand_in_the_order_of_their_index_and_those_without_one_last(client: Client, recorded: Record) -> None:
    indexes = [17, None, 3, 17, -2, 17, None, 2**60]
    recorded(of_first_generation(errors=[error(index) for index in indexes]))
    found = anchors(client.get(f"{URL}errors/"))
    assert [name for name in found if name.count("-") == 1] == ["row-3", "row-17", f"row-{2**60}"]
    assert found[:3] == ["row--2", "row-3", "row-17"]
    assert len(set(found)) == len(indexes)


@pytest.mark.parametrize("tab", ["errors", "responses"])
def test_all_ids_of_a_page_are_unique(client: Client, recorded: Record, tab: str) -> None:
    indexes = [17, 3, 17, None, 17, 3, None, -3]
    recorded(of_first_generation(errors=list(map(error, indexes)), responses=list(map(ledger_response, indexes))))
    found = ids(client.get(f"{URL}{tab}/"))
    assert {"row-3", "row-17"} < set(found)
    assert len(found) == len(set(found))


@pytest.mark.parametrize("tab", ["errors", "succeeded", "failed", "responses"])
def test_turning_pages_meets_every_row_once_forwards_and_backwards(client: Client, recorded: Record, tab: str) -> None:
    indexes = [(n * 7) % 120 if n % 11 else None for n in range(250)]
    recorded(
        of_first_generation(
            errors=[error(index, f"place-{n}") for n, index in enumerate(indexes)],
            responses=[ledger_response(index, ledgerref=f"place-{n}") for n, index in enumerate(indexes)],
            succeeded=[succeeded(n, invoiceNumber=f"place-{n}") for n in range(250)],
            failed=[f"place-{n}" for n in range(250)],
        )
    )
    forwards, last = walk(client, f"{URL}{tab}/", "next")
    assert len(forwards) > 2
    assert sorted(row for page in forwards for row in page) == sorted(f"place-{n}" for n in range(250))
    assert walk(client, last, "prev")[0] == forwards[::-1]


def test_pages_are_turned_within_the_filter(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(n, f"{'odd' if n % 2 else 'even'} place-{n}") for n in range(500)]))
    forwards, last = walk(client, f"{URL}errors/?text=odd+place", "next")
    assert [row for page in forwards for row in page] == [f"place-{n}" for n in range(1, 500, 2)]
    assert walk(client, last, "prev")[0] == forwards[::-1]


def test_the_address_of_a_row_opens_its_page(client: Client, recorded: Record) -> None:
    largest = 2**63 - 1
    recorded(of_first_generation(errors=[error(n // 2) for n in range(1000)] + [error(largest)]))
    assert anchors(client.get(f"{URL}errors/?row={largest}")) == [f"row-{largest}"]
    page = client.get(f"{URL}errors/?row=317")
    assert anchors(page)[0] == "row-317"
    assert f"{URL}errors/?from=634#row-317" in page.content.decode()
    assert anchors(client.get(f"{URL}errors/?from=634#row-317"))[0] == "row-317"
    assert links(page, "prev")
    assert anchors(client.get(f"{URL}errors/?row=99999")) == [f"row-{largest}"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("text=DUE", ["row-10", "row-11"]),
        ("text=ø", ["row-12"]),
        ("text=%25", []),
        ("index=11", ["row-11"]),
        ("index=10-11", ["row-10", "row-11"]),
        ("index=-4", ["row--4"]),
        ("index=11-12&text=due", ["row-11"]),
        ("index=soon", ["row--4", "row-10", "row-11", "row-12"]),
    ],
)
def test_errors_are_filtered_by_text_and_by_index(
    client: Client, recorded: Record, query: str, expected: list[str]
) -> None:
    messages = {10: "No due date", 11: "Due date is past", 12: "Beløpet mangler, SØK", -4: "Other"}
    recorded(of_first_generation(errors=[error(index, message) for index, message in messages.items()]))
    assert anchors(client.get(f"{URL}errors/?{query}")) == expected


def test_an_index_that_cannot_be_read_is_explained(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(1)]))
    page = client.get(f"{URL}errors/?index=soon")
    assert "“soon” cannot be read. Write indexes and ranges, such as 4, 7, 10-20." in seen(page)
    assert 'value="soon"' in page.content.decode()


@pytest.mark.parametrize("text", ["2026-2", str(UUID(int=2)), str(UUID(int=2 + 2**32))])
def test_succeeded_invoices_are_found_by_number_case_and_id(client: Client, recorded: Record, text: str) -> None:
    recorded(of_today(succeeded=[succeeded(n) for n in range(1, 4)]))
    page = client.get(f"{URL}succeeded/", {"text": text})
    assert anchors(page) == ["row-at-1"]
    assert f'href="{reverse("case", args=[str(UUID(int=2))])}"' in page.content.decode()


def test_other_kinds_than_invoices_show_the_fields_that_they_have(client: Client, recorded: Record) -> None:
    recorded(of_today(succeeded=[{"$type": "paymentSuccess", "paymentId": "P-1", "amount": 12.5, "deep": {"a": [1]}}]))
    text = seen(client.get(URL))
    for part in ("paymentSuccess", "paymentId", "P-1", "amount", "12.5", '{"a": [1]}'):
        assert part in text


# What others may have written


@pytest.mark.parametrize("tab", ["", *(f"{tab}/" for tab in TABS)])
def test_hostile_text_is_shown_and_never_run(client: Client, recorded: Record, tab: str) -> None:
    row = {"objectname": HOSTILE, "objectindex": 1, "message": HOSTILE, "ledgerref": HOSTILE, HOSTILE: HOSTILE}
    item = {"$type": HOSTILE, "invoiceNumber": HOSTILE, "invoiceId": HOSTILE, "caseId": HOSTILE, HOSTILE: [HOSTILE]}
    recorded(
        of_first_generation(
            errors=[row], responses=[row], succeeded=[item], failed=[HOSTILE, item], type=HOSTILE, createdBy=HOSTILE
        )
    )
    page = client.get(URL + tab, {"text": "script"})
    assert page.status_code == 200
    content = page.content.decode()
    assert "<script>alert" not in content
    assert "\0" not in content
    assert "alert('not run')" in seen(page)


@pytest.mark.parametrize("tab", TABS)
def test_nothing_in_the_address_breaks_the_page(client: Client, recorded: Record, tab: str) -> None:
    recorded(of_first_generation(errors=[error(1)], responses=[error(1)], succeeded=[succeeded()], failed=[1]))
    names = ("text", "index", "before", "from", "row", "stamp")
    singly = [{name: value} for name in names for value in GARBAGE if tab == "errors"]
    for query in [*singly, *(dict.fromkeys(names, value) for value in GARBAGE)]:
        page = client.get(f"{URL}{tab}/", query)
        assert page.status_code == 200
        assert "<script>alert" not in page.content.decode()


# A batch that we do not follow


def test_an_unknown_batch_is_not_found_and_can_be_asked_for(
    client: Client, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks, work: Callable[[], int]
) -> None:
    page = client.get(URL)
    assert page.status_code == 404
    assert "We do not follow this batch yet" in seen(page)
    assert f'action="{URL}ask/"' in page.content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(f"{URL}ask/").headers["Location"] == URL
    assert Batch.objects.get().asked_by == "person"
    assert client.get(URL).status_code == 200
    assert work() == 1


def test_a_tab_that_does_not_exist_is_not_found(client: Client, recorded: Record) -> None:
    recorded(of_today())
    assert client.get(f"{URL}nonsense/").status_code == 404


def test_to_look_at_a_batch_changes_nothing_at_amili_and_asks_nothing(client: Client) -> None:
    assert client.get(f"{URL}ask/").status_code == 405
    assert client.post(URL).status_code == 405
    assert not Batch.objects.exists()


# Live


def test_a_poll_gets_nothing_until_something_is_new_and_then_the_fragment_with_its_title(
    client: Client, recorded: Record, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    start = timezone.now() - 60 * SECONDS
    recorded(of_today("QUEUED"), start)
    shown = client.get(URL)
    with django_assert_num_queries(3):  # one of them, since it has been running for long
        assert client.get(URL, {"stamp": stamp(shown)}, headers=HTMX).status_code == 204
    recorded(of_today("PARTIAL", succeeded=[succeeded()], failed=[{"a": 1}]))
    fragment = client.get(URL, {"stamp": stamp(shown)}, headers=HTMX)
    assert fragment.status_code == 200
    assert re.search(r"<title>\s*Partly succeeded", fragment.content.decode())
    assert "<html" not in fragment.content.decode()
    assert "batch-poll" not in fragment.content.decode()


def test_an_open_page_makes_us_ask_sooner(client: Client, recorded: Record) -> None:
    recorded(of_today("QUEUED"))
    Batch.objects.update(next_check_at=timezone.now() + timedelta(minutes=5))
    client.get(URL)
    batch = Batch.objects.get()
    assert batch.next_check_at <= timezone.now()
    assert batch.watched_at is not None


def test_a_finished_batch_is_not_polled_and_not_watched(client: Client, recorded: Record) -> None:
    recorded(of_today(succeeded=[succeeded()]))
    assert "data-live " not in client.get(URL).content.decode()
    assert Batch.objects.get().watched_at is None


def test_who_comes_back_to_a_finished_batch_is_told_once_what_is_new(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(1)]))
    asks = re.findall(r'data-return\s+hx-get="([^"]*stamp=[^"]*)"', client.get(URL).content.decode())
    assert len(asks) == 1
    assert client.get(asks[0], headers=HTMX).status_code == 204
    client.post(f"{URL}triage/", {"revision": 0, "state": "looking", "owner": ""})
    assert "Looking" in seen(client.get(asks[0], headers=HTMX))


def test_a_batch_that_succeeded_opens_on_that_whatever_empty_entries_it_lists(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(succeeded=[succeeded(7)], failed=[None]))
    assert 'succeeded/"\n               aria-current="page"' in client.get(URL).content.decode()


def test_the_filter_of_the_rows_swaps_the_fragment_alone(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(1), error(2)]))
    fragment = client.get(f"{URL}errors/?index=2", headers=HTMX)
    assert anchors(fragment) == ["row-2"]
    assert "<html" not in fragment.content.decode()


def test_asking_again_queues_the_question_and_shows_it(
    client: Client,
    amili: Amili,
    work: Callable[[], int],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    batch_id = amili.start(fate="failed", objects=30, queued_seconds=0)
    url = reverse("batch", args=[batch_id])
    tasks.follow([batch_id])
    with django_capture_on_commit_callbacks(execute=True):
        page = client.post(f"{url}ask/", headers=HTMX, follow=True)
    assert "Asking" in seen(page)
    assert work() == 1
    assert "Failed: 0 succeeded, 30 failed" in seen(client.get(url))


# Speed


@pytest.mark.parametrize("tab", TABS)
def test_the_number_of_queries_does_not_grow_with_the_rows(
    client: Client, recorded: Record, django_assert_num_queries: DjangoAssertNumQueries, tab: str
) -> None:
    for rows in (100, 3_000):
        batch_id = uuid4()
        recorded(
            of_first_generation(
                batchId=str(batch_id),
                errors=[error(n) for n in range(rows)],
                responses=[error(n) for n in range(rows)],
                succeeded=[succeeded(n) for n in range(rows)],
                failed=list(range(rows)),
            )
        )
        with django_assert_num_queries({"timeline": 10, "answer": 9}.get(tab, 8)):
            client.get(reverse("batch-tab", args=[batch_id, tab]))


def test_whose_page_was_opened_is_remembered_once(client: Client, person: Person, recorded: Record) -> None:
    recorded(of_today())
    for _ in range(3):
        client.get(URL)
    assert person.looks.count() == 1
