"""Exports of every list, through their addresses."""

import csv
import json
import re
from datetime import date, timedelta
from html import unescape
from io import BytesIO, StringIO
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook
from openpyxl.workbook import Workbook
from pytest_django import Settings

from batches import tasks, triage
from batches.models import Batch, BatchCause, Cause, CauseDay
from batches.views.downloads import MOST_AT_ONCE, RETRY_AFTER
from batches.words import TriageState
from sandbox.up import WEB
from staff.models import Person
from tests.answers import (
    BATCH,
    ORGANISATION,
    OTHER,
    error,
    ledger_response,
    of_first_generation,
    of_today,
    succeeded,
)
from tests.conftest import Browser, Record
from tests.pages import GARBAGE, HOSTILE, seen

FORMATS = ["csv", "excel.csv", "xlsx", "json"]
URL = f"/batches/{BATCH}/"


def content(response: Any) -> bytes:
    assert response.status_code == 200
    return b"".join(response.streaming_content)


def table(response: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(content(response).decode(), newline="")))


def document(response: Any) -> Any:
    return json.loads(content(response))


def book(response: Any) -> Workbook:
    return load_workbook(BytesIO(content(response)))


@pytest.fixture
def failed(recorded: Record) -> Batch:
    """Two causes, one of them twice, and everything else that a batch of the first generation can have."""
    return recorded(
        of_first_generation(
            errors=[error(7, "Beløpet mangler"), error(1), error(3, "Ukjent valuta “XYZ”", field="currency")],
            responses=[ledger_response(4)],
            succeeded=[succeeded(1), succeeded(2)],
        )
    )


ADDRESSES = [
    "/batches/export",
    f"{URL}errors/export",
    f"{URL}causes/export",
    f"{URL}succeeded/export",
    f"{URL}failed/export",
    f"{URL}responses/export",
    f"{URL}timeline/export",
    "/causes/export",
    f"/cases/{UUID(int=1)}/export",
]


# ------------------------------------------------------------------------------------------ all of them


def comes_in_every_format(client: Client, address: str) -> bool:
    """Whether it does with the same rows, and has some."""
    plain = list(csv.reader(StringIO(content(client.get(f"{address}.csv")).decode(), newline="")))
    norwegian = content(client.get(f"{address}.excel.csv")).decode()
    sheet = list(book(client.get(f"{address}.xlsx")).worksheets[0].iter_rows(values_only=True))
    told = document(client.get(f"{address}.json"))
    assert norwegian.startswith("\ufeff")
    other = list(csv.reader(StringIO(norwegian[1:], newline=""), delimiter=";"))
    assert plain[0] == other[0] == list(sheet[0]) == list(told["columns"].values())
    assert len(plain) == len(other) == len(sheet) == len(told["rows"]) + 1
    for row in told["rows"]:
        assert list(row) == list(told["columns"])
    return len(plain) > 1


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_list_comes_in_every_format_with_the_same_rows(client: Client, failed: Batch, address: str) -> None:
    assert comes_in_every_format(client, address) is not address.startswith(f"{URL}failed")


@pytest.mark.parametrize("part", ["batches", "organisations", "days", "history"])
def test_every_list_of_a_cause_comes_in_every_format(client: Client, failed: Batch, person: Person, part: str) -> None:
    cause = failed.causes.all()[0].cause
    triage.note(cause, person, "=1+1")
    assert comes_in_every_format(client, f"{cause.get_absolute_url()}{part}/export")


def test_nobody_gets_a_file_without_a_sign_in(visitor: Client, failed: Batch) -> None:
    cause = Cause.objects.all()[0].get_absolute_url()
    for address in (*ADDRESSES, f"{URL}export", f"{cause}export", f"{cause}days/export", f"{URL}submission/export"):
        for file_format in FORMATS:
            response = visitor.get(f"{address}.{file_format}")
            assert response.status_code == 302
            assert response.headers["Location"].startswith(reverse("account_login"))


def test_a_format_that_there_is_not_is_not_found(client: Client, failed: Batch) -> None:
    for address in (*ADDRESSES, f"{URL}export"):
        for ending in (".pdf", "", ".XLSX", ".csv/x", ".xlsx.csv"):
            assert client.get(f"{address}{ending}", follow=True).status_code == 404


def test_files_are_kept_by_no_cache_and_shown_by_no_browser(client: Client, failed: Batch) -> None:
    response = client.get(f"{URL}errors/export.csv")
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in response.headers["Cache-Control"]
    assert response.headers["Content-Disposition"].startswith("attachment; ")


def test_what_there_is_not_has_no_file(client: Client, failed: Batch) -> None:
    for address in (
        f"/batches/{OTHER}/export.xlsx",
        f"/batches/{OTHER}/errors/export.csv",
        f"{URL}answer/export.csv",
        f"{URL}nothing/export.csv",
        "/causes/987654/export.json",
        "/causes/987654/days/export.csv",
        f"{Cause.objects.all()[0].get_absolute_url()}nothing/export.csv",
        "/cases/nobody/export.csv",
    ):
        assert client.get(address).status_code == 404


# ------------------------------------------------------------------------------------------ names


@pytest.mark.parametrize(
    ("address", "start", "end"),
    [
        ("/batches/export.csv?status=failed", "amili-batches-failed-", ".csv"),
        ("/batches/export.excel.csv", "amili-batches-", "-excel.csv"),
        ("/batches/export.json?type=%C3%85rs%2FINVOICE&day=", "amili-batches-arsinvoice-", ".json"),
        (f"{URL}errors/export.xlsx", f"amili-batch-{BATCH}-errors-", ".xlsx"),
        (f"{URL}errors/export.xlsx?text=%22%0d%0a%E2%80%AEx", f"amili-batch-{BATCH}-errors-filtered-", ".xlsx"),
        (f"{URL}errors/export.xlsx?cause=2", f"amili-batch-{BATCH}-errors-cause-2-", ".xlsx"),
        (f"{URL}errors/export.csv?index=2-9,%2012", f"amili-batch-{BATCH}-errors-index-2-9-12-", ".csv"),
        ("/batches/export.csv?triage=waiting&owner=kari", "amili-batches-waiting-owner-kari-", ".csv"),
        (f"{URL}export.xlsx", f"amili-batch-{BATCH}-", ".xlsx"),
        ("/causes/export.csv", "amili-causes-", ".csv"),
        (f"/cases/{UUID(int=1)}/export.csv", f"amili-case-{UUID(int=1)}-", ".csv"),
    ],
)
def test_a_files_name_says_what_is_in_it(client: Client, failed: Batch, address: str, start: str, end: str) -> None:
    name = f"{start}{timezone.localdate().isoformat()}{end}"
    assert client.get(address).headers["Content-Disposition"] == f'attachment; filename="{name}"'


def test_no_filter_breaks_a_name_or_a_file(client: Client, failed: Batch) -> None:
    for address, name in (
        *((f"{URL}errors/export.json", name) for name in ("text", "index", "object", "cause", "hide")),
        *(("/batches/export.json", name) for name in ("status", "type", "day", "state", "owner", "triage", "id")),
        ("/causes/export.json", "text"),
    ):
        for text in (*GARBAGE, HOSTILE[:-1], "x" * 100, '"; evil="', "…/../..", "日本"):
            response = client.get(address, {name: text})
            if response.status_code == 422:
                continue
            header = response.headers["Content-Disposition"]
            assert header.isascii()
            assert header.count('"') == 2
            assert len(header) < 260
            assert isinstance(document(response)["rows"], list)


# ------------------------------------------------------------------------------------------ what has no file


@pytest.mark.parametrize(
    ("page", "asked", "said"),
    [
        (f"{URL}errors/", "index=abc", "Index: “abc” cannot be read."),
        (f"{URL}errors/", "cause=abc", "Cause: "),
        (f"{URL}responses/", "index=4&index=7-x", "Index: "),
        ("/batches/", "organisation=nobody", "Organisation: No organisation has this name."),
        ("/batches/", "status=failed&day=yesterday", "Created on: "),
        ("/causes/", "triage=nobody", "Triage: "),
    ],
)
def test_of_a_filter_that_cannot_be_read_there_is_no_file(
    client: Client, failed: Batch, page: str, asked: str, said: str
) -> None:
    for file_format in FORMATS:
        answer = client.get(f"{page}export.{file_format}?{asked}")
        assert answer.status_code == 422
        assert "Content-Disposition" not in answer.headers
        assert said in seen(answer)
        (back,) = re.findall(r'href="([^"]*)">Back to the list', answer.content.decode())
        assert client.get(unescape(back)).status_code == 200
        assert unescape(back).startswith(f"{page}?")
    assert 'id="export-list"' not in client.get(f"{page}?{asked}").content.decode()
    assert 'id="export-list"' in client.get(page).content.decode()


def test_the_whole_batch_can_be_had_whatever_is_asked_of_its_rows(client: Client, failed: Batch) -> None:
    assert "Export batch" in seen(client.get(f"{URL}errors/?index=abc"))


def test_ids_that_name_no_batch_choose_none_and_are_in_no_name(client: Client, failed: Batch) -> None:
    response = client.get("/batches/export.csv?id=nonsense")
    assert "nonsense" not in response.headers["Content-Disposition"]
    assert len(table(response)) == 1


def test_files_that_nobody_takes_leave_threads_to_the_pages(client: Browser, failed: Batch) -> None:
    files = [client.get(f"{URL}errors/export.csv") for _ in range(MOST_AT_ONCE)]
    for file in ("errors/export.csv", "export.xlsx", "evidence.txt", "evidence.zip", "submission/correction/"):
        refused = client.get(f"{URL}{file}")
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, RETRY_AFTER)
        assert "Many files are being downloaded at the moment" in seen(refused)
        assert "Content-Disposition" not in refused.headers
    assert client.get(f"{URL}errors/").status_code == client.get(f"{URL}evidence/").status_code == 200
    client.break_off(files[0])
    assert content(client.get(f"{URL}errors/export.csv")) == content(files[1])
    assert content(client.get(f"{URL}evidence.zip"))


def test_what_is_refused_or_was_never_begun_takes_no_ones_place(client: Browser, failed: Batch) -> None:
    for _ in range(MOST_AT_ONCE + 1):
        assert client.get(f"{URL}nothing/export.csv").status_code == 404
        assert client.get(f"{URL}errors/export.csv?index=abc").status_code == 422
        assert client.post(f"{URL}errors/export.csv").status_code == 405
        client.break_off(client.get(f"{URL}errors/export.csv"))
    assert content(client.get(f"{URL}errors/export.csv"))


def test_half_of_the_threads_of_a_web_process_are_never_for_files() -> None:
    assert int(WEB[WEB.index("--blocking-threads") + 1]) == 2 * MOST_AT_ONCE


# ------------------------------------------------------------------------------------------ batches


def test_the_batches_have_their_facts_their_top_cause_and_who_is_on_it(
    client: Client, failed: Batch, person: Person, settings: Settings
) -> None:
    settings.AMILI_ORGANIZATIONS = {ORGANISATION: "Nordlys Kraft AS"}
    Batch.objects.filter(pk=BATCH).update(triage_state=TriageState.LOOKING, owner=person)
    (row,) = table(client.get("/batches/export.csv"))
    assert row["Batch"] == str(BATCH)
    assert row["Organisation"] == "Nordlys Kraft AS"
    assert row["Organisation ID"] == str(ORGANISATION)
    assert row["Status"] == "Partly succeeded"
    assert row["Created"] == "2026-03-09T15:30:00+01:00"
    assert (row["Succeeded"], row["Failed"], row["Error rows"]) == ("2", "3", "3")
    assert row["Top cause"] == "Beløpet mangler"
    assert (row["Triage"], row["Owner"]) == ("Looking", "Kari Nordmann")


def test_where_nothing_failed_nobody_is_on_it(client: Client, recorded: Record, person: Person) -> None:
    recorded(of_today("IN_PROGRESS"))
    recorded(of_today("QUEUED", batchId=str(OTHER)))
    Batch.objects.update(owner=person, triage_state=TriageState.LOOKING, triaged_at=timezone.now())
    for row in table(client.get("/batches/export.csv")):
        assert (row["Triage"], row["Triage changed"], row["Owner"]) == ("", "", "")
    facts = document(client.get(f"{URL}export.json"))["facts"]
    assert not (facts["triage"])
    assert not (facts["owner"])


def test_a_batch_that_amili_has_told_nothing_of_has_no_counts(client: Client) -> None:
    tasks.follow([BATCH])
    (row,) = table(client.get("/batches/export.csv"))
    assert (row["Status"], row["Succeeded"], row["Failed"], row["Top cause"]) == ("", "", "", "")


def test_all_batches_that_fit_are_there_newest_first_and_not_one_page(client: Client) -> None:
    now = timezone.now()
    Batch.objects.bulk_create(
        Batch(
            pk=UUID(int=n),
            first_seen_at=now,
            created_at=now.replace(year=2000 + n),
            outcome="failed" if n % 2 else "queued",
        )
        for n in range(1, 25)
    )
    Batch.objects.bulk_create(Batch(pk=UUID(int=n), first_seen_at=now, outcome="queued") for n in range(100, 200))
    found = [UUID(row["Batch"]).int for row in table(client.get("/batches/export.csv?status=failed&after=x&page=2"))]
    assert found == list(range(23, 0, -2))
    assert len(table(client.get("/batches/export.csv"))) == 124


def test_the_batches_that_were_pasted_are_those_in_the_file(client: Client, recorded: Record) -> None:
    for batch_id in (BATCH, OTHER):
        recorded(of_today(batchId=str(batch_id)))
    assert [row["Batch"] for row in table(client.get(f"/batches/export.csv?id={OTHER}"))] == [str(OTHER)]


# ------------------------------------------------------------------------------------------ rows


def test_error_rows_stand_in_their_order_with_their_causes(client: Client, failed: Batch) -> None:
    Cause.objects.filter(template="Beløpet mangler").update(advice="Ask the creditor.")
    rows = document(client.get(f"{URL}errors/export.json"))["rows"]
    assert [row["object_index"] for row in rows] == [1, 3, 7]
    assert [row["advice"] for row in rows] == ["Ask the creditor.", "", "Ask the creditor."]
    assert rows[0]["cause"] == "Beløpet mangler"
    assert rows[1]["extra"] == {"field": "currency"}


def test_the_filters_of_the_tab_hold_for_its_file(client: Client, failed: Batch) -> None:
    assert [row["Index"] for row in table(client.get(f"{URL}errors/export.csv?text=valuta"))] == ["3"]
    assert [row["Index"] for row in table(client.get(f"{URL}errors/export.csv?index=2-9"))] == ["3", "7"]
    told = document(client.get(f"{URL}errors/export.json?index=2-9&text="))
    assert told["filters"] == {"index": "2-9"}
    cause = Cause.objects.get(template="Beløpet mangler")
    assert [row["Index"] for row in table(client.get(f"{URL}errors/export.csv?cause={cause.pk}"))] == ["1", "7"]


def test_columns_that_are_hidden_are_not_in_the_file(client: Client, failed: Batch) -> None:
    (row, *_) = table(client.get(f"{URL}succeeded/export.csv?hide=case_id&hide=kind"))
    assert list(row) == ["Invoice number", "Invoice ID", "Other fields"]


def test_a_file_goes_on_where_a_page_ends(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(n) for n in range(5_000)]))
    rows = table(client.get(f"{URL}errors/export.csv?from=100&row=7"))
    assert [int(row["Index"]) for row in rows] == list(range(5_000))


def test_failed_items_and_responses_are_told_as_they_came(client: Client, recorded: Record) -> None:
    recorded(of_today("FAILED", failed=[{"invoiceNumber": "2026-7", "odd": ["=1+1"]}, None]))
    assert [row["extra"] for row in document(client.get(f"{URL}failed/export.json"))["rows"]] == [
        {"invoiceNumber": "2026-7", "odd": ["=1+1"]},
        None,
    ]
    assert [row["Place"] for row in table(client.get(f"{URL}failed/export.csv"))] == ["1", "2"]
    recorded(of_first_generation(responses=[ledger_response(4, ledgerref="=L-1")]))
    (row,) = table(client.get(f"{URL}responses/export.csv"))
    assert (row["Index"], row["Ledger reference"]) == ("4", "'=L-1")


@pytest.mark.parametrize("file_format", FORMATS)
def test_hostile_text_is_text_in_every_file(client: Client, recorded: Record, file_format: str) -> None:
    hostile = [error(n, text) for n, text in enumerate([HOSTILE, "=1+1", "x" * 100_000, '\r\n"=2;3,4'])]
    recorded(of_first_generation(errors=hostile, type=HOSTILE, createdBy="@me"))
    for address in (f"{URL}errors/export", f"{URL}causes/export", "/batches/export", "/causes/export"):
        found = content(client.get(f"{address}.{file_format}"))
        assert found
        if file_format == "xlsx":
            assert load_workbook(BytesIO(found))


# ------------------------------------------------------------------------------------------ causes, cases, history


def test_the_causes_of_a_batch_tell_where_they_are(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(n) for n in (0, 1, 2, 7)] + [error(9, "Ukjent valuta")]))
    rows = table(client.get(f"{URL}causes/export.csv"))
    assert [(row["Cause"], row["Error rows"], row["Indices"]) for row in rows] == [
        ("Beløpet mangler", "4", "0–2, 7"),
        ("Ukjent valuta", "1", "9"),
    ]


def test_of_very_many_ranges_the_rest_is_counted(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(n) for n in range(0, 400, 2)]))
    (row,) = table(client.get(f"{URL}causes/export.csv"))
    assert row["Indices"].startswith("0, 2, 4, ")
    assert row["Indices"].endswith(" and 160 more objects")


@pytest.fixture
def cause(recorded: Record) -> Cause:
    """Of two batches: one of an organisation, and a later one that names none."""
    recorded(of_first_generation(errors=[error(5)]))
    more = [error(1), error(2)]
    recorded(
        of_first_generation(
            batchId=str(OTHER),
            organizationId=None,
            createdAt="2026-05-01T10:00:00Z",
            finishedAt="2026-05-01T10:01:00Z",
            errors=more,
            succeeded=[],
        )
    )
    return Cause.objects.get()


def test_a_cause_has_a_file_of_each_list_of_its_page(
    client: Client, cause: Cause, person: Person, settings: Settings
) -> None:
    settings.AMILI_ORGANIZATIONS = {ORGANISATION: "Nordlys Kraft AS"}
    triage.note(cause, person, "Asked them.")
    triage.move(cause, person, cause.triage_revision, TriageState.LOOKING, person)
    url = f"{cause.get_absolute_url()}"
    rows = table(client.get(f"{url}organisations/export.csv"))
    assert [(row["Organisation"], row["Organisation ID"], row["Error rows"], row["Batches"]) for row in rows] == [
        ("", "", "2", "1"),
        ("Nordlys Kraft AS", str(ORGANISATION), "1", "1"),
    ]
    rows = table(client.get(f"{url}days/export.csv"))
    assert [(row["Day"], row["Error rows"], row["Batches"]) for row in rows] == [
        ("2026-05-01", "2", "1"),
        ("2026-03-09", "1", "1"),
    ]
    rows = table(client.get(f"{url}history/export.csv"))
    assert [(row["What happened"], row["Triage"], row["Owner"], row["Text"], row["By"]) for row in rows] == [
        ("State or owner", "Looking", "Kari Nordmann", "", "Kari Nordmann"),
        ("Note", "", "", "Asked them.", "Kari Nordmann"),
    ]
    assert (
        client.get(f"{url}days/export.json")
        .headers["Content-Disposition"]
        .startswith(f'attachment; filename="amili-cause-{cause.pk}-days-')
    )


def test_all_days_of_a_cause_are_in_its_file_not_only_those_of_the_chart(client: Client, cause: Cause) -> None:
    CauseDay.objects.bulk_create(
        CauseDay(cause=cause, day=date(2020, 1, 1) + timedelta(days=n), rows=n, batches=n) for n in range(1_000)
    )
    days = [row["day"] for row in document(client.get(f"{cause.get_absolute_url()}days/export.json"))["rows"]]
    assert days == sorted(days, reverse=True)
    assert len(days) == 1_001  # on the first day of them nothing was left
    assert days[-1] == "2020-01-02"


def test_a_whole_cause_is_a_workbook_with_a_sheet_for_each_list_and_one_json_document(
    client: Client, cause: Cause
) -> None:
    found = book(client.get(f"{cause.get_absolute_url()}export.xlsx"))
    assert found.sheetnames == ["Facts", "Batches", "Organisations", "Days", "History"]
    facts = dict(found["Facts"].iter_rows(min_row=2, values_only=True))
    assert (facts["Cause"], facts["Batches"], facts["Error rows"]) == ("Beløpet mangler", 2, 3)
    told = document(client.get(f"{cause.get_absolute_url()}export.json"))
    assert told["facts"]["cause_id"] == cause.pk
    assert [len(told[name]) for name in ("batches", "organisations", "days", "history")] == [2, 2, 2, 0]


def test_the_page_of_a_cause_offers_its_files_where_the_lists_are(client: Client, cause: Cause) -> None:
    url = cause.get_absolute_url()
    page = client.get(f"{url}?after=x").content.decode()
    for part in ("batches", "organisations", "days", "history"):
        section = page.partition(f'id="export-{part}"')[2].partition("</details>")[0]
        assert section.count(f'href="{url}{part}/export.') == 4
    assert page.count(f'href="{url}export.') == 2
    assert "Export cause" in page
    BatchCause.objects.all().delete()
    assert f"{url}batches/export" not in client.get(url).content.decode()


def test_a_cause_has_a_file_of_its_batches_and_the_list_one_of_causes(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(5)]))
    recorded(
        of_first_generation(
            batchId=str(OTHER),
            createdAt="2026-05-01T10:00:00Z",
            finishedAt="2026-05-01T10:01:00Z",
            errors=[error(1), error(2)],
        )
    )
    cause = Cause.objects.get()
    rows = table(client.get(f"/causes/{cause.pk}/batches/export.csv"))
    assert [(row["Batch"], row["Error rows"]) for row in rows] == [(str(OTHER), "2"), (str(BATCH), "1")]
    (row,) = table(client.get("/causes/export.csv"))
    assert (row["Cause"], row["Batches"], row["Error rows"]) == ("Beløpet mangler", "2", "3")
    assert table(client.get("/causes/export.csv?text=valuta")) == []


@pytest.mark.parametrize("case_id", ["C-1", "2026/100", "a b?x#y", "export.csv", "..", "x/export.csv"])
def test_a_case_has_a_file_of_its_invoices_whatever_its_id(client: Client, recorded: Record, case_id: str) -> None:
    recorded(of_today(succeeded=[succeeded(1, caseId=case_id), succeeded(2, caseId="other")]))
    page = client.get(reverse("case", args=[case_id])).content.decode()
    address = f"{reverse('case', args=[case_id])}export.csv"
    assert f'href="{address}' in page
    assert [row["Invoice number"] for row in table(client.get(address))] == ["2026-1"]


def test_the_history_has_what_came_from_amili_and_what_people_did(client: Client, recorded: Record) -> None:
    recorded(of_today("QUEUED"))
    recorded(of_first_generation(errors=[error()]))
    rows = table(client.get(f"{URL}timeline/export.csv"))
    assert [row["What happened"] for row in rows][-1] == "First seen"
    assert rows[0]["What happened"] == "Answer changed"
    assert (rows[0]["Status"], rows[0]["Failed"], rows[0]["Version of the answer"]) == ("Failed", "1", "2")
    assert [row["Time"] for row in rows] == sorted((row["Time"] for row in rows), reverse=True)


def test_the_causes_of_a_batch_are_offered_as_files_where_they_are_listed(client: Client, failed: Batch) -> None:
    section = client.get(f"{URL}causes/?page=1").content.decode().partition('id="export-list"')[2]
    assert re.findall(r'href="([^"?]*)', section.partition("</details>")[0]) == [
        f"{URL}causes/export.{file_format}" for file_format in ("xlsx", "csv", "excel.csv", "json")
    ]


# ------------------------------------------------------------------------------------------ a whole batch


def test_a_whole_batch_is_a_workbook_with_a_sheet_for_each_list(client: Client, failed: Batch) -> None:
    found = book(client.get(f"{URL}export.xlsx"))
    assert found.sheetnames == ["Facts", "Causes", "Errors", "Succeeded", "Ledger responses", "History"]
    facts = dict(found["Facts"].iter_rows(min_row=2, values_only=True))
    assert facts["Batch"] == str(BATCH)
    assert facts["Failed"] == 3
    assert [row[0].value for row in found["Errors"]][1:] == [1, 3, 7]


def test_a_whole_batch_is_one_json_document(client: Client, failed: Batch) -> None:
    told = document(client.get(f"{URL}export.json"))
    assert told["facts"]["batch_id"] == str(BATCH)
    assert [len(told[name]) for name in ("causes", "errors", "succeeded", "responses")] == [2, 3, 2, 1]
    assert told["timeline"][-1]["kind"] == "First seen"


@pytest.mark.parametrize("file_format", ["csv", "excel.csv"])
def test_a_whole_batch_or_cause_does_not_fit_into_csv(client: Client, failed: Batch, file_format: str) -> None:
    for address in (URL, *(cause.get_absolute_url() for cause in Cause.objects.all())):
        assert client.get(f"{address}export.{file_format}").status_code == 404


# ------------------------------------------------------------------------------------------ cost


@pytest.mark.parametrize("address", ["/batches/export", "/causes/export", f"{URL}errors/export", f"{URL}export"])
def test_the_number_of_queries_is_the_same_for_any_number_of_rows(
    client: Client, recorded: Record, address: str
) -> None:
    def queries(rows: int) -> int:
        recorded(of_first_generation(errors=[error(n, f"E{n} mangler") for n in range(rows)], succeeded=[succeeded(1)]))
        with CaptureQueriesContext(connection) as captured:
            content(client.get(f"{address}.json"))
        return len(captured)

    few = queries(3)
    assert queries(2_500) == few < 16


@pytest.mark.parametrize("part", ["", "batches/", "organisations/", "days/", "history/"])
def test_the_files_of_a_cause_cost_the_same_for_any_number_of_batches(
    client: Client, recorded: Record, person: Person, part: str
) -> None:
    def queries(first: int, batches: int) -> int:
        for n in range(first, first + batches):
            day = timezone.now() - timedelta(days=n)
            ids = {"batchId": str(UUID(int=n)), "organizationId": str(UUID(int=n)), "createdAt": day.isoformat()}
            recorded(of_first_generation(errors=[error(n)], succeeded=[], **ids))
            triage.note(Cause.objects.get(), person, "Again.")
        with CaptureQueriesContext(connection) as captured:
            content(client.get(f"{Cause.objects.get().get_absolute_url()}{part}export.json"))
        return len(captured)

    few = queries(1, 1)
    assert queries(2, 20) == few < 12


# ------------------------------------------------------------------------------------------ pages


def test_the_pages_offer_the_files_with_their_filters(client: Client, failed: Batch) -> None:
    page = client.get(f"{URL}errors/?text=valuta&from=0").content.decode()
    assert f'href="{URL}errors/export.xlsx?text=valuta"' in page
    assert f'href="{URL}export.xlsx"' in page
    page = client.get("/batches/?status=partial").content.decode()
    assert 'href="/batches/export.excel.csv?status=partial"' in page
    assert f'href="{URL}timeline/export.json?"' in client.get(f"{URL}timeline/").content.decode()


def test_what_somebody_looked_for_is_not_in_the_name_of_the_file(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(0)]))
    response = client.get(f"/batches/{BATCH}/errors/export.csv", {"text": "13057500020", "object": "ola@example.no"})
    b"".join(response.streaming_content)
    assert "filtered" in response.headers["Content-Disposition"]
    assert "1305" not in response.headers["Content-Disposition"]
    assert "ola" not in response.headers["Content-Disposition"]
