"""The page of one case."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from tests.answers import BATCH, OTHER, of_today, succeeded
from tests.conftest import Record
from tests.pages import GARBAGE, HOSTILE, links, seen

ODD_IDS = ["2026/100", "../<i>", "a b", "ÆØÅ-1", "50%", "?x=1#y", "line\nbreak", "/", "case/", ".", "..", "a" * 5_000]


def case(case_id: str) -> str:
    return reverse("case", args=[case_id])


def test_every_invoice_and_batch_of_the_case_is_there(client: Client, recorded: Record) -> None:
    recorded(of_today(succeeded=[succeeded(1, caseId="C-1"), succeeded(2, caseId="C-2")]))
    recorded(of_today(batchId=str(OTHER), createdAt="2026-04-01T10:00:00Z", succeeded=[succeeded(3, caseId="C-1")]))
    page = client.get(case("C-1"))
    text = seen(page)
    assert page.status_code == 200
    assert "2 invoices that we know of are in this case." in text
    assert text.index("2026-3") < text.index("2026-1")
    assert "2026-2" not in text
    for batch_id in (BATCH, OTHER):
        assert f'href="/batches/{batch_id}/"' in page.content.decode()
    assert 'data-copy="C-1"' in page.content.decode()


@pytest.mark.parametrize("case_id", ODD_IDS)
def test_an_odd_id_has_its_page_and_its_link(client: Client, recorded: Record, case_id: str) -> None:
    recorded(of_today(succeeded=[succeeded(1, caseId=case_id)]))
    assert f'href="{case(case_id)}"' in client.get(f"/batches/{BATCH}/succeeded/").content.decode()
    page = client.get(case(case_id))
    assert page.status_code == 200
    assert "One invoice that we know of is in this case." in seen(page)


def test_hostile_text_is_shown_and_never_run(client: Client, recorded: Record) -> None:
    kept = "<script>alert(1)</script>"
    recorded(of_today(succeeded=[succeeded(1, caseId=kept, invoiceNumber=HOSTILE, extra_field=HOSTILE)]))
    page = client.get(case(kept))
    assert page.status_code == 200
    assert "<script>alert" not in page.content.decode()
    assert "\0" not in page.content.decode()


@pytest.mark.parametrize("case_id", ["C-404", "<script>alert(1)", "%00"])
def test_a_case_that_no_answer_named_is_not_found_and_says_so(client: Client, case_id: str) -> None:
    page = client.get(case(case_id))
    assert page.status_code == 404
    assert "No batch that we know of names this case." in seen(page)
    assert "<script>alert" not in page.content.decode()


def test_an_id_that_no_database_can_hold_is_not_found(client: Client) -> None:
    assert client.get("/cases/x%00y/").status_code == 404


def test_the_portal_has_a_link_only_where_its_address_is_set(
    client: Client, recorded: Record, settings: Settings
) -> None:
    recorded(of_today(succeeded=[succeeded(1, caseId="C/1 &")]))
    assert "Open in the portal" not in seen(client.get(case("C/1 &")))
    settings.AMILI_CASE_URL = "https://portal.example/cases/{case_id}?from=batches"
    page = client.get(case("C/1 &")).content.decode()
    assert 'href="https://portal.example/cases/C%2F1%20%26?from=batches"' in page


def test_many_invoices_come_in_pages_with_a_steady_number_of_queries(
    client: Client, recorded: Record, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    recorded(of_today(succeeded=[succeeded(n, caseId="C-1") for n in range(250)]))
    url, pages = case("C-1"), 0
    while url:
        with django_assert_num_queries(4):
            page = client.get(url)
        pages += 1
        url = next((case("C-1") + link.removeprefix(case("C-1")) for link in links(page, "next")), "")
    assert pages == 3


def test_nothing_in_the_address_breaks_the_page(client: Client, recorded: Record) -> None:
    recorded(of_today(succeeded=[succeeded(1, caseId="C-1")]))
    for value in GARBAGE:
        assert client.get(case("C-1"), {"page": value}).status_code == 200
