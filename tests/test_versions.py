"""The versions of an answer: in the timeline, one by one, and any two compared."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from html import unescape
from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from batches import sync, tasks
from batches.amili.transport import Reply
from batches.facts import Question
from batches.models import Answer, Batch
from batches.words import Source
from tests.answers import BATCH, OTHER, Json, body, error, of_first_generation, of_today, succeeded
from tests.conftest import Record
from tests.pages import GARBAGE, HOSTILE, HTMX, links, seen

URL = f"/batches/{BATCH}/versions/"
TIMELINE, ANSWER = f"/batches/{BATCH}/timeline/", f"/batches/{BATCH}/answer/"
MAINTENANCE = b"<!doctype html>\n<p>Maintenance</p>"
START = timezone.now() - timedelta(minutes=30)

type Answered = Callable[..., Batch]


@pytest.fixture
def answered(db: None) -> Answered:
    """Record an answer as asked for `minute` minutes after the start, by somebody, with Amili's request id."""

    def answered(data: Json | bytes, minute: float, source: Source = Source.CHECK, request_id: str = "") -> Batch:
        Batch.objects.follow([BATCH], START)
        reply = Reply(200, data if isinstance(data, bytes) else body(data), request_id)
        return sync.record(BATCH, reply, Question(at(minute), source))

    return answered


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def lines(page: HttpResponse) -> list[str]:
    """The entries of the timeline, the latest first, without their times."""
    found = re.findall(r"<li>\s*<span class=\"when.*?<div>(.*?)</div>", page.content.decode(), re.DOTALL)
    return [" ".join(unescape(re.sub(r"<svg.*?</svg>|<[^>]+>", " ", line)).split()) for line in found]


def comparisons(page: HttpResponse) -> list[str]:
    return [unescape(query) for query in re.findall(rf'href="{URL}(\?[^"]*)"', page.content.decode())]


def chosen(page: HttpResponse) -> list[str]:
    """The numbers of the two versions that the form shows as compared."""
    return re.findall(r'<option value="(\d+)"\s+selected', page.content.decode())


# In the timeline


def test_each_entry_that_came_with_an_answer_leads_to_its_version_and_to_what_changed(
    client: Client, answered: Answered
) -> None:
    answered(of_today("QUEUED"), 0, Source.PERSON, "request-1")
    answered(MAINTENANCE, 1)
    answered(of_today(succeeded=[succeeded()]), 2, Source.WEBHOOK, "request-3")
    page = client.get(TIMELINE)
    assert lines(page) == [
        "Succeeded 1 succeeded, 0 failed · Amili says SUCCESS · Amili's webhook "
        "Version 3 What changed Amili’s request request-3",
        "Answered again · Amili's webhook",
        "Not answered The answer is a web page, not JSON · Scheduled check Version 2 What changed",
        "Queued 0 succeeded, 0 failed · Amili says QUEUED · Asked by a person Version 1 Amili’s request request-1",
        "First seen · Asked by a person",
    ]
    assert comparisons(page) == ["?from=1&to=3", "?from=1&to=2"]
    assert f'href="{ANSWER}?version=2"' in page.content.decode()


def test_a_version_that_changes_nothing_that_we_count_stands_in_the_timeline_too(
    client: Client, answered: Answered
) -> None:
    answered(of_today("QUEUED"), 0)
    answered(of_today("QUEUED", type="OTHER"), 1, request_id="request-2")
    answered(MAINTENANCE, 2)
    answered(MAINTENANCE + b"!", 3)
    page = client.get(TIMELINE)
    assert [line.partition("· Scheduled check ")[2] for line in lines(page)[:3]] == [
        "Version 4 What changed",
        "Version 3 What changed",
        "Version 2 What changed Amili’s request request-2",
    ]
    assert lines(page)[0].startswith("Another version of the answer The answer is a web page, not JSON")
    assert comparisons(page) == ["?from=3&to=4", "?from=2&to=3", "?from=1&to=2"]


def test_an_answer_that_comes_back_is_compared_with_the_one_before_it_in_time(
    client: Client, answered: Answered
) -> None:
    for minute, data in enumerate([of_today("QUEUED"), of_today(succeeded=[succeeded()]), of_today("QUEUED")]):
        answered(data, minute, request_id=f"request-{minute + 1}")
    page = client.get(TIMELINE)
    assert comparisons(page) == ["?from=2&to=1", "?from=1&to=2"]
    assert "request-1" not in lines(page)[0]  # another request brought it back


def test_what_was_understood_is_compared_with_the_last_that_was_understood_before_it(
    client: Client, answered: Answered
) -> None:
    bodies = [MAINTENANCE, of_today("QUEUED"), MAINTENANCE + b"!", MAINTENANCE + b"?", of_today(type="OTHER")]
    for minute, data in enumerate(bodies):
        answered(data, minute)
    assert comparisons(client.get(TIMELINE)) == ["?from=2&to=5", "?from=3&to=4", "?from=2&to=3", "?from=1&to=2"]
    for query, both in (({}, ["5", "2"]), ({"to": 4}, ["4", "3"]), ({"to": 3}, ["3", "2"]), ({"to": 2}, ["2", "1"])):
        assert chosen(client.get(URL, query)) == both[::-1]


def test_equal_answers_are_one_version_and_one_line(client: Client, answered: Answered) -> None:
    for second in range(30):
        answered(of_today("QUEUED"), second / 60)
    assert len(lines(client.get(TIMELINE))) == 2
    assert "Version 1 of 1" in seen(client.get(ANSWER))


def test_an_answer_that_came_late_is_a_version_at_its_own_time(client: Client, answered: Answered) -> None:
    answered(of_today("QUEUED"), 0)
    answered(of_today(succeeded=[succeeded()]), 2)
    answered(of_today("QUEUED", type="LATE"), 1)
    page = client.get(TIMELINE)
    assert [re.findall(r"Version (\d)", line) for line in lines(page)] == [["2"], ["3"], ["1"], []]
    assert comparisons(page) == ["?from=3&to=2", "?from=1&to=3"]


# One by one


def test_one_steps_from_version_to_version(client: Client, answered: Answered) -> None:
    for minute in range(3):
        answered(of_today("QUEUED", type=f"TYPE-{minute}"), minute)
    assert "Version 3 of 3 · the facts above are from it" in seen(client.get(ANSWER))
    page = client.get(ANSWER, {"version": 2})
    assert "TYPE-1" in seen(page)
    assert "facts above" not in seen(page)
    assert (links(page, "prev"), links(page, "next")) == ([f"{ANSWER}?version=1"], [f"{ANSWER}?version=3"])
    assert links(client.get(ANSWER, {"version": 1}), "prev") == []
    assert links(client.get(ANSWER, {"version": 3}), "next") == []
    assert comparisons(page) == ["?to=2"]


def test_a_version_says_when_it_came_from_where_how_large_it_is_and_what_is_wrong_with_it(
    client: Client, answered: Answered
) -> None:
    answered(MAINTENANCE, 0, Source.WEBHOOK, "request-1")
    text = seen(client.get(ANSWER)).replace("\xa0", " ")
    assert "Version 1 of 1 · The answer is a web page, not JSON." in text
    assert f"Amili's webhook · {len(MAINTENANCE)} bytes · Amili’s request request-1" in text
    assert "came back" not in text


def test_a_version_says_when_it_came_back_and_until_when_it_is_the_same(client: Client, answered: Answered) -> None:
    for minute, kind in enumerate(["FIRST", "SECOND", "FIRST", "FIRST"]):
        answered(of_today("QUEUED", type=kind), minute)
    text = seen(client.get(ANSWER))
    assert "Version 1 of 2 · the facts above are from it" in text
    assert re.search(r"First received \S+ \S+ · came back \S+ \S+ · still the same \S+ \S+ · ", text)


def test_a_poll_of_an_older_version_keeps_showing_it(client: Client, answered: Answered) -> None:
    answered(of_today("QUEUED", type="FIRST"), 0)
    answered(of_today("QUEUED", type="SECOND"), 1)
    fragment = client.get(ANSWER, {"version": 1, "stamp": 0}, headers=HTMX)
    assert "Version 1 of 2" in seen(fragment)
    poll = re.findall(r'hx-get="([^"]*)"', fragment.content.decode())[-1]
    assert "version=1" in poll


def test_each_version_can_be_downloaded_byte_for_byte(client: Client, answered: Answered) -> None:
    bodies = [body(of_today("QUEUED")), MAINTENANCE, b"\xff\0"]
    for minute, each in enumerate(bodies):
        answered(each, minute)
    for number, each in enumerate(bodies, 1):
        file = client.get(f"{URL}{number}.json")
        assert file.content == each
        assert file.headers["Content-Type"] == "application/json"
        assert f"amili-batch-{BATCH}-version-{number}.json" in file.headers["Content-Disposition"]
        assert f'href="{URL}{number}.json"' in client.get(ANSWER, {"version": number}).content.decode()


# Compared


def test_without_an_address_that_says_which_the_last_is_compared_with_the_one_before(
    client: Client, answered: Answered
) -> None:
    for minute in range(3):
        answered(of_today("QUEUED", type=f"TYPE-{minute}"), minute)
    assert "Type TYPE-1 TYPE-2" in seen(client.get(URL))
    assert "Type TYPE-0 TYPE-1" in seen(client.get(URL, {"to": 2}))


def test_any_two_are_compared_and_the_form_shows_which(client: Client, answered: Answered) -> None:
    answered(of_first_generation(errors=[error(1, "Old"), error(2)], finishedAt=None), 0)
    answered(MAINTENANCE, 1)
    answered(of_first_generation(errors=[error(1, "New"), error(3)], succeeded=[succeeded()]), 2)
    page = client.get(URL, {"from": 1, "to": 3})
    text = seen(page)
    assert "Outcome In progress Partly succeeded" in text
    assert "Errors ~ 1 changed + 1 added − 1 gone" in text
    assert "~ Changed 1 Invoice before: Old after: New" in text
    assert "Succeeded + 1 added" in text
    assert "0 the same" not in text
    assert chosen(page) == ["1", "3"]
    assert "Outcome Partly succeeded In progress" in seen(client.get(URL, {"from": 3, "to": 1}))


def test_versions_that_came_within_a_minute_are_told_apart_by_their_seconds(client: Client, answered: Answered) -> None:
    for second in range(3):
        answered(of_today("QUEUED", type=f"TYPE-{second}"), second / 60)
    assert len(set(re.findall(r"Version \d, (\S+ \d\d\.\d\d\.\d\d)", seen(client.get(URL))))) == 3


def test_what_was_not_understood_is_compared_line_by_line(client: Client, answered: Answered) -> None:
    answered(MAINTENANCE, 0)
    answered(MAINTENANCE.replace(b"Maintenance", b"Back soon"), 1)
    page = client.get(URL)
    assert "compared line by line" in seen(page)
    assert (
        "<del>− &lt;p&gt;Maintenance&lt;/p&gt;</del><ins>+ &lt;p&gt;Back soon&lt;/p&gt;</ins>" in page.content.decode()
    )


def test_the_same_version_twice_says_so(client: Client, answered: Answered) -> None:
    answered(of_today("QUEUED"), 0)
    assert "This is version 1 twice: nothing differs. No other version has come yet." in seen(client.get(URL))
    answered(MAINTENANCE, 1)
    assert "This is version 2 twice: nothing differs." in seen(client.get(URL, {"from": 2, "to": 2}))


def test_where_no_answer_has_come_there_is_nothing_to_compare(client: Client) -> None:
    tasks.follow([BATCH])
    assert "No answer has come yet." in seen(client.get(URL))


def test_what_amili_sends_never_becomes_markup(client: Client, answered: Answered) -> None:
    answered(of_first_generation(errors=[error(1, "a", extra=HOSTILE)]), 0)
    answered(
        of_first_generation(errors=[error(1, HOSTILE), error(HOSTILE, HOSTILE)], failed=[HOSTILE], type=HOSTILE), 1
    )
    answered(HOSTILE.encode("utf-8", "replace"), 2, request_id="<script>")
    for query in ({"from": 1, "to": 2}, {"from": 2, "to": 3}):
        assert "<script>" not in client.get(URL, query).content.decode().partition("<body")[2]
    assert "<script>" not in client.get(TIMELINE).content.decode().partition("<body")[2]


# What there is not


@pytest.mark.parametrize("number", [each for each in GARBAGE if each] + ["0", "3", "01"])
def test_a_version_that_there_is_not_is_not_found(client: Client, answered: Answered, number: str) -> None:
    answered(of_today("QUEUED"), 0)
    answered(MAINTENANCE, 1)
    assert client.get(URL, {"from": number, "to": "1"}).status_code == 404
    assert client.get(URL, {"from": "1", "to": number}).status_code == 404
    assert client.get(ANSWER, {"version": number}).status_code == 404


@pytest.mark.parametrize("number", ["0", "3", "9" * 19, "9" * 400])
def test_a_file_of_a_version_that_there_is_not_is_not_found(client: Client, answered: Answered, number: str) -> None:
    answered(of_today("QUEUED"), 0)
    assert client.get(f"{URL}{number}.json").status_code == 404


def test_a_batch_has_no_versions_but_its_own(client: Client, answered: Answered, recorded: Record) -> None:
    answered(of_today("QUEUED"), 0)
    answered(MAINTENANCE, 1)
    recorded(of_today("QUEUED", batchId=str(OTHER)))
    assert client.get(f"/batches/{OTHER}/versions/", {"from": 1, "to": 2}).status_code == 404
    assert client.get(f"/batches/{OTHER}/versions/2.json").status_code == 404
    assert client.get(f"/batches/{uuid4()}/versions/").status_code == 404


def test_nobody_reads_them_without_signing_in(visitor: Client, answered: Answered) -> None:
    answered(of_today("QUEUED"), 0)
    for url in (URL, f"{URL}1.json"):
        assert visitor.get(url).status_code == 302


# Speed


@pytest.mark.parametrize("rows", [100, 3_000])
def test_neither_queries_nor_page_grow_with_the_rows(
    client: Client, answered: Answered, django_assert_num_queries: DjangoAssertNumQueries, rows: int
) -> None:
    answered(of_first_generation(errors=[error(n) for n in range(rows)]), 0)
    answered(of_first_generation(errors=[error(n + rows, "x" * 500) for n in range(rows)], failed=[1] * rows), 1)
    with django_assert_num_queries(5):
        page = client.get(URL)
    assert len(page.content) < 200_000
    assert seen(page).count("+ Added") == 100


def test_neither_queries_nor_page_grow_with_the_versions(
    client: Client, recorded: Record, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    batch = recorded(of_today("QUEUED"))
    like, now = Answer.objects.get(), timezone.now()
    Answer.objects.bulk_create(
        Answer(
            batch=batch, digest=b"%d" % n, received_at=now, first_received_at=now, size=1, compressed=like.compressed
        )
        for n in range(1_000)
    )
    for url, queries in ((URL, 5), (TIMELINE, 10), (ANSWER, 9), (f"{URL}700.json", 4)):
        client.get(url)
        with django_assert_num_queries(queries):
            page = client.get(url)
        assert len(page.content) < 250_000
    old = client.get(URL, {"from": 1, "to": 2})
    assert chosen(old) == ["1", "2"]
