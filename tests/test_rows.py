"""The rows of a batch as a place to work: what they are filtered by, what stays together, and which columns are shown."""

import itertools
import re
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape
from pytest_django import DjangoAssertNumQueries

from batches.models import BatchCause, Cause
from tests.answers import BATCH, error, ledger_response, of_first_generation, of_today, succeeded
from tests.conftest import Record
from tests.pages import GARBAGE, HOSTILE, HTMX, ids, links, seen

URL = f"/batches/{BATCH}/"


def shown(response: HttpResponse) -> list[str]:
    """The places of the rows that a page shows."""
    return re.findall(r"place-\d+", seen(response))


def indexes(response: HttpResponse) -> list[int]:
    """The object indexes of the rows that a page shows, one for each."""
    return [int(found) for found in re.findall(r'aria-label="Select index (-?\d+)"', response.content.decode())]


def columns(response: HttpResponse) -> list[str]:
    return re.findall(r'<th scope="col"[^>]*>([^<]+)</th>', response.content.decode())


def errors_at(*found: int | None) -> dict[str, Any]:
    """An answer with errors under these indexes, each message with the place of its row in the order of the indexes."""
    ranked = sorted(found, key=lambda index: (index is None, index or 0))
    return of_first_generation(errors=[error(index, f"place-{n}") for n, index in enumerate(ranked)])


# Ranges of indexes


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("4, 7, 10-12", [4, 7, 10, 11, 12]),
        ("4 7 10 - 12", [4, 7, 10, 11, 12]),
        ("4;7;;10–12;", [4, 7, 10, 11, 12]),
        (" 4,7 and 10 to 12 ", [4, 7, 10, 11, 12]),
        ("10..12\n4", [4, 10, 11, 12]),
        ("10…12", [10, 11, 12]),
        ("10−12", [10, 11, 12]),
        ("12-10", [10, 11, 12]),
        ("10-11, 11-12, 10", [10, 11, 12]),
        ("18-", [18, 19]),
        ("18 to, 4", [4, 18, 19]),
        ("..1", [-4, -3, 0, 1]),
        ("to 1", [-4, -3, 0, 1]),
        ("-4", [-4]),
        ("-4 - -3", [-4, -3]),
        ("4, -3", [-3, 4]),
        ("-3-1", [-3, 0, 1]),
        ("99", []),
        (", 4 ;", [4]),
        ("١٧", [17]),
        ("", [-4, -3, *range(20)]),
    ],
)
@pytest.mark.parametrize("tab", ["errors", "responses"])
def test_indexes_are_asked_for_as_people_write_them(
    client: Client, recorded: Record, tab: str, asked: str, expected: list[int]
) -> None:
    found = [-4, -3, *range(20)]
    recorded(of_first_generation(errors=list(map(error, found)), responses=list(map(ledger_response, found))))
    assert indexes(client.get(f"{URL}{tab}/", {"index": asked})) == expected


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("soon", "soon"),
        ("4, soon, 7", "soon"),
        ("4, 7 tokens", "tokens"),
        ("4-7-9, 11", "4-7-9"),
        ("1" * 19, "1" * 19),
        ("4, <b>", "<b>"),
        ("-", "-"),
        ("7, to", "to"),
        ("x" * 900, "x" * 40),
    ],
)
@pytest.mark.parametrize("tab", ["errors", "responses"])
def test_indexes_that_cannot_be_read_are_named_and_filter_nothing(
    client: Client, recorded: Record, tab: str, asked: str, part: str
) -> None:
    recorded(of_first_generation(errors=[error(1), error(9)], responses=[ledger_response(1), ledger_response(9)]))
    page = client.get(f"{URL}{tab}/", {"index": asked})
    assert f"“{part}” cannot be read. Write indexes and ranges, such as 4, 7, 10-20." in seen(page)
    assert f'value="{escape(asked)}"' in page.content.decode()
    assert indexes(page) == [1, 9]


def test_a_few_hundred_ranges_are_too_many_unless_they_touch(client: Client, recorded: Record) -> None:
    recorded(errors_at(*range(600)))
    assert indexes(client.get(f"{URL}errors/", {"index": ",".join(map(str, range(500, 520)))})) == [*range(500, 520)]
    assert len(indexes(client.get(f"{URL}errors/", {"index": " ".join(map(str, range(0, 400, 2)))}))) == 50
    assert len(indexes(client.get(f"{URL}errors/", {"index": " ".join(map(str, range(402)))}))) == 50
    page = client.get(f"{URL}errors/", {"index": " ".join(map(str, range(0, 402, 2)))})
    assert "These are 201 separate ranges. Please ask for at most 200 at a time." in seen(page)
    assert indexes(page) == [*range(50)]


# Other filters


def test_text_and_object_are_asked_for_apart(client: Client, recorded: Record) -> None:
    rows = [
        error(1, "Due date is past", objectname="Invoice"),
        error(2, "Invoice is due", objectname="Debtor", hint="x7"),
    ]
    recorded(of_first_generation(errors=rows))
    for query, expected in (
        ("text=invoice", [2]),
        ("object=invoice", [1]),
        ("text=due&object=DEBT", [2]),
        ("text=X7", [2]),
    ):
        assert indexes(client.get(f"{URL}errors/?{query}")) == expected


@pytest.fixture
def cause(recorded: Record) -> Cause:
    """Of two rows in three of a batch; the causes that its answer was recorded with are as they may be."""
    batch = recorded(errors_at(*range(6)))
    BatchCause.objects.all().delete()
    cause = Cause.objects.create(
        grouping=0, key=b"7", template="No ‹text› of ‹number›", advice="Ask the creditor.\nThen wait."
    )
    at = batch.created_at
    BatchCause.objects.create(batch=batch, cause=cause, rows=4, objects_hit=4, submitted_at=at or batch.first_seen_at)
    batch.errors.update(cause=None)
    batch.errors.exclude(rank__in=[2, 5]).update(cause=cause)
    return cause


def test_the_rows_of_one_cause_stand_below_its_name_and_what_to_do_about_it(
    client: Client, cause: Cause, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client.get(f"{URL}errors/")
    with CaptureQueriesContext(connection) as without:
        client.get(f"{URL}errors/", {"index": "1-"})
    with django_assert_num_queries(len(without) + 1):
        page = client.get(f"{URL}errors/", {"cause": cause.pk, "index": "1-", "hide": "object_name"})
    assert indexes(page) == [1, 3, 4]
    text = seen(page)
    assert "No ‹text› of ‹number›" in text
    assert "Ask the creditor. Then wait." in text
    assert f'href="{cause.get_absolute_url()}"' in page.content.decode()
    assert f'<input type="hidden" name="cause" value="{cause.pk}">' in page.content.decode()
    assert f'href="{URL}errors/?index=1-&amp;hide=object_name"' in page.content.decode(), "without the cause"
    assert f'href="{URL}errors/?hide=object_name"' in page.content.decode(), "show all"


def test_a_cause_of_other_batches_has_no_rows_and_says_so(client: Client, cause: Cause) -> None:
    page = client.get(f"{URL}errors/", {"cause": cause.pk + 1})
    assert indexes(page) == []
    assert "A cause that this batch does not have" in seen(page)
    assert "No row fits this filter." in seen(page)


@pytest.mark.parametrize("name", ["cause", "object", "hide", "less"])
def test_nothing_in_the_address_breaks_the_rows(client: Client, recorded: Record, name: str) -> None:
    recorded(errors_at(*range(60)))
    for value, more in itertools.product(GARBAGE, ({"from": "50"}, {"before": "50"})):
        page = client.get(f"{URL}errors/", {name: value, **more})
        assert page.status_code == 200
        assert "<script>alert" not in page.content.decode()


# Rows of one object


def test_a_page_of_rows_parts_no_object_and_all_are_met_once_both_ways(client: Client, recorded: Record) -> None:
    sizes = [1, 3, 60, 2, 7, 48, 1, 101, 5, 51, 100, 49, 2, 3]
    recorded(errors_at(*[index for index, size in enumerate(sizes) for _ in range(size)], *[None] * 60))
    for query in ("", "?text=place"):
        forwards, last = walk(client, f"{URL}errors/{query}", "next")
        backwards, _ = walk(client, last, "prev")
        for pages in (forwards, backwards[::-1]):
            assert [place for page in pages for place, _ in page] == [f"place-{n}" for n in range(sum(sizes) + 60)]
            for page, following in itertools.pairwise(pages):
                assert page[-1][1] is None or page[-1][1] != following[0][1], "an object is parted"
                assert len(page) <= 150


def test_an_object_with_more_rows_than_a_page_can_hold_goes_on_overleaf(client: Client, recorded: Record) -> None:
    recorded(errors_at(*[7] * 400, 8))
    forwards, last = walk(client, f"{URL}errors/", "next")
    assert [len(page) for page in forwards] == [150, 150, 100, 1]
    assert sum(len(page) for page in walk(client, last, "prev")[0]) == 401


def walk(client: Client, url: str, rel: str) -> tuple[list[list[tuple[str, int | None]]], str]:
    """The place and the index of each row of each page from this one to the last, and the last one's address."""
    pages: list[list[tuple[str, int | None]]] = []
    while True:
        page = client.get(url)
        found = re.findall(
            r'aria-label="Select (?:index (\d+)|row \d+)".*?(place-\d+)', page.content.decode(), re.DOTALL
        )
        pages.append([(place, int(index) if index else None) for index, place in found])
        if not links(page, rel):
            return pages, url
        url = links(page, rel)[0]
        assert len(pages) < 40


def test_the_index_of_several_rows_is_seen_once_and_can_be_read_aloud_at_each(client: Client, recorded: Record) -> None:
    recorded(errors_at(3, 17, 17, 17, None, None))
    content = client.get(f"{URL}errors/").content.decode()
    assert re.findall(r'<tr id="([^"]*)"( class="further")?>', content) == [
        ("row-3", ""),
        ("row-17", ""),
        ("row-17-2", ' class="further"'),
        ("row-17-3", ' class="further"'),
        ("row-at-4", ""),
        ("row-at-5", ""),
    ]
    assert re.findall(r"<span( class=\"unseen\")?>17</span>", content) == ["", ' class="unseen"', ' class="unseen"']
    assert content.count('aria-label="Link to a further row of index 17"') == 2


def test_a_link_to_a_further_row_opens_a_page_that_begins_with_its_object(client: Client, recorded: Record) -> None:
    recorded(errors_at(*range(60), 60, 60, 60))
    page = client.get(f"{URL}errors/?row=60")
    assert f"{URL}errors/?from=60#row-60-62" in page.content.decode()
    assert indexes(page) == [60, 60, 60]


@pytest.mark.parametrize("tab", ["errors", "responses"])
def test_a_link_to_an_index_without_a_row_says_so(client: Client, recorded: Record, tab: str) -> None:
    recorded(of_first_generation(errors=[error(1), error(9)], responses=[ledger_response(1), ledger_response(9)]))
    assert "No row has index" not in seen(client.get(f"{URL}{tab}/?row=1"))
    page = client.get(f"{URL}{tab}/?row=5")
    assert "No row has index 5. These are the rows after it." in seen(page)
    assert indexes(page) == [9]
    page = client.get(f"{URL}{tab}/?row=10")
    assert "No row has index 10. No rows here. To the first page" in seen(page)


# Columns


@pytest.mark.parametrize(
    ("tab", "query", "expected"),
    [
        ("errors", "", ["Index", "Object", "Message"]),
        ("errors", "hide=object_name", ["Index", "Message"]),
        ("errors", "hide=object_index&hide=object_name", ["Message"]),
        ("errors", "hide=object_index&hide=object_name&hide=message", ["Index"]),
        ("errors", "hide=nonsense", ["Index", "Object", "Message"]),
        ("succeeded", "hide=case_id&hide=kind", ["Invoice number", "Invoice ID"]),
        ("failed", "hide=position", ["As Amili sent it"]),
        ("failed", "hide=position&hide=extra", ["Place"]),
        ("responses", "hide=status_statuscode", ["Index", "Object", "Ledger reference"]),
    ],
)
def test_columns_are_hidden_but_never_all_of_them(
    client: Client, recorded: Record, tab: str, query: str, expected: list[str]
) -> None:
    recorded(of_first_generation(errors=[error(1)], responses=[error(1)], succeeded=[succeeded()], failed=[7]))
    page = client.get(f"{URL}{tab}/?{query}")
    assert columns(page) == expected
    assert page.content.decode().count('class="ds-input pick"') == 1
    assert "Show all" not in seen(page), "hiding is no filter"


def test_the_only_column_left_cannot_be_hidden(client: Client, recorded: Record) -> None:
    recorded(errors_at(1))
    content = client.get(f"{URL}errors/?hide=object_index&hide=object_name").content.decode()
    boxes = re.findall(r'name="hide"\s+value="(\w+)"\s+(checked)?\s*(disabled)?', content)
    assert boxes == [
        ("object_index", "checked", ""),
        ("object_name", "checked", ""),
        ("invoice_number", "", ""),
        ("message", "", "disabled"),
    ]


def test_hidden_columns_stay_hidden_when_pages_are_turned(client: Client, recorded: Record) -> None:
    recorded(errors_at(*range(120)))
    page = client.get(f"{URL}errors/?hide=object_name")
    onward = client.get(links(page, "next")[0])
    assert columns(onward) == ["Index", "Message"]
    assert indexes(onward) == [*range(50, 100)]


def test_error_rows_that_name_an_invoice_have_a_column_for_it_and_are_found_by_it(
    client: Client, recorded: Record
) -> None:
    batch = recorded(errors_at(1, 2))
    assert "Invoice number" not in columns(client.get(f"{URL}errors/"))
    batch.errors.filter(rank=1).update(invoice_number="2026-100017")
    page = client.get(f"{URL}errors/")
    assert columns(page) == ["Index", "Object", "Invoice number", "Message"]
    assert indexes(client.get(f"{URL}errors/?text=100017")) == [2]
    assert "Invoice number" not in columns(client.get(f"{URL}errors/?hide=invoice_number"))


# What the script works with


@pytest.mark.parametrize("tab", ["errors", "succeeded", "failed", "responses"])
def test_each_row_can_be_selected_under_a_name_of_its_own_tab(client: Client, recorded: Record, tab: str) -> None:
    rows = [error(index, HOSTILE, objectname=HOSTILE) for index in (1, 1, None)]
    items = [succeeded(n, invoiceNumber=HOSTILE) for n in range(3)]
    recorded(of_first_generation(errors=rows, responses=rows, succeeded=items, failed=items))
    page = client.get(f"{URL}{tab}/", headers=HTMX)
    assert {f"pick-{tab}-{n}" for n in range(3)} < set(ids(page))
    assert page.content.decode().count(f'form="selection-{tab}"') == 3
    assert f"selection-{tab}" in ids(page)
    assert len(ids(page)) == len(set(ids(page)))


def test_evidence_is_offered_of_the_rows_that_fit_the_filter(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(1, "One"), error(2, "Two")], succeeded=[succeeded()]))
    page = client.get(f"{URL}errors/?text=Two&index=1-9&hide=object_name&row=2").content.decode()
    found = re.findall(r'href="([^"]*/evidence/\?[^"]*)"', page)
    assert [unescape(link) for link in found] == [f"{URL}evidence/?text=Two&index=1-9"]
    report = seen(client.get(unescape(found[0])))
    assert "With 1 of 2 error rows, as chosen." in report
    assert "evidence/?" not in client.get(f"{URL}succeeded/?text=2026").content.decode()


def test_a_list_without_rows_has_no_tools(client: Client, recorded: Record) -> None:
    recorded(of_today(succeeded=[succeeded()]))
    page = client.get(f"{URL}succeeded/?text=nothing")
    assert not {"pick-all", "selection-succeeded"} & set(ids(page))
