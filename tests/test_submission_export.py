"""The list of failed objects as a file: each error row beside the object that caused it."""

import csv
import io
import json
import random
from typing import Any

import openpyxl
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings
from redis import Redis

from batches.models import Cause
from batches.submission.files import ChangedError
from batches.submission.keep import GoneError
from tests.answers import BATCH, error, of_first_generation, of_today, succeeded
from tests.conftest import Record
from tests.pages import HOSTILE, seen
from tests.submissions import ADDRESS, BASE, FORGET, HEADER, as_csv, as_json, as_xlsx, drop, invoice, row

MISSING = "Debtor is missing nationalId"
SENT = [invoice(n) for n in range(6)]
EXPORT = f"{ADDRESS}export"
FORMATS = ["csv", "excel.csv", "xlsx", "json"]
TOLD = ["Index", "Message", "Cause", "Advice", "Fields at fault"]


@pytest.fixture
def answered(recorded: Record) -> None:
    errors = [error(1, MISSING), error(3, "Due date 2026-02-01 is odd"), error(3, MISSING), error(4, "?")]
    recorded(of_first_generation(errors=errors, succeeded=[succeeded(n) for n in (0, 2)]))


def content(client: Client, file_format: str, **query: str) -> bytes:
    response: Any = client.get(f"{EXPORT}.{file_format}", query)
    assert response.status_code == 200
    return b"".join(response.streaming_content)


def table(client: Client, **query: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content(client, "csv", **query).decode(), newline="")))


# ------------------------------------------------------------------------------------------ what is in it


@pytest.mark.usefixtures("answered")
def test_each_error_row_stands_beside_its_object_with_the_field_at_fault(client: Client) -> None:
    Cause.objects.filter(template__contains="nationalId").update(advice="Ask the creditor.")
    drop(client, as_json(SENT))
    rows = table(client)
    assert list(rows[0]) == ["Object of the file", *TOLD, *HEADER, "Other fields"]
    assert [(each["Object of the file"], each["Index"], each["Fields at fault"]) for each in rows] == [
        ("2", "1", "debtor.nationalId"),
        ("4", "3", "dueDate"),
        ("4", "3", "debtor.nationalId"),
        ("5", "4", ""),
    ]
    assert [each["invoiceNumber"] for each in rows] == ["2026-1", "2026-3", "2026-3", "2026-4"]
    assert (rows[0]["Message"], rows[0]["Cause"], rows[0]["Advice"]) == (MISSING, MISSING, "Ask the creditor.")
    assert rows[0]["debtor.nationalId"] == "01018012345"


@pytest.mark.parametrize("kind", ["json", "csv", "xlsx"])
@pytest.mark.usefixtures("answered")
def test_it_comes_in_every_format_whatever_was_sent(client: Client, kind: str) -> None:
    rows = [row(n) for n in range(6)]
    drop(client, {"json": as_json(SENT), "csv": as_csv(rows), "xlsx": as_xlsx(rows)}[kind])
    plain = list(csv.reader(io.StringIO(content(client, "csv").decode(), newline="")))
    norwegian = content(client, "excel.csv").decode()
    assert list(csv.reader(io.StringIO(norwegian[1:], newline=""), delimiter=";")) == plain
    sheet = openpyxl.load_workbook(io.BytesIO(content(client, "xlsx"))).worksheets[0]
    found = list(sheet.iter_rows(values_only=True))
    told = json.loads(content(client, "json"))
    assert plain[0] == list(found[0]) == list(told["columns"].values())
    assert len(plain) == len(found) == len(told["rows"]) + 1 == 5
    places = {
        "json": ("Object of the file", [2, 4, 4, 5]),
        "csv": ("Line", [3, 5, 5, 6]),
        "xlsx": ("Row", [3, 5, 5, 6]),
    }
    assert (found[0][0], [each[0] for each in found[1:]]) == places[kind]


@pytest.mark.usefixtures("answered")
def test_the_filter_and_the_base_of_the_page_hold_for_it(client: Client) -> None:
    drop(client, as_json(SENT))
    cause = str(Cause.objects.get(template__contains="nationalId").pk)
    # As on the page: the objects that have it, each with all its error rows.
    assert [each["invoiceNumber"] for each in table(client, cause=cause)] == ["2026-1", "2026-3", "2026-3"]
    client.post(BASE, {"base": "1"})  # by which two of them are objects that succeeded
    assert [each["invoiceNumber"] for each in table(client)] == ["2026-3"]


def test_fields_that_few_objects_have_stand_together(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(1, MISSING), error(110, MISSING)], succeeded=[]))
    drop(client, as_json([*(invoice(n) for n in range(110)), {"vat": {"rate": 25}, "invoiceNumber": "2026-110"}]))
    first, last = json.loads(content(client, "json"))["rows"]
    assert (first["dueDate"], first["others"]) == ("2026-02-01", None)
    assert (last["invoiceNumber"], last["dueDate"], last["others"]) == ("2026-110", "", {"vat.rate": "25"})
    assert last["at_fault"] == "debtor.nationalId"


def test_a_field_that_is_called_as_another_column_keeps_its_place(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(1, MISSING)], succeeded=[]))
    header = ["invoiceNumber", "message", "amount", "amount", ""]
    drop(client, as_csv([[f"2026-{n}", "theirs", "1", "2", "beside"] for n in range(6)], header=header))
    told = json.loads(content(client, "json"))
    (only,) = told["rows"]
    assert (only["message"], only["message_2"]) == (MISSING, "theirs")
    assert (only["amount"], only["amount_2"], only["others"]) == ("1", "2", {"": "beside"})
    assert told["columns"]["message_2"] == "message"


def test_an_error_row_that_names_its_invoice_and_no_index_has_none(client: Client, recorded: Record) -> None:
    recorded(of_today("PARTIAL", succeeded=[succeeded(0)], failed=[{"invoiceNumber": "2026-3", "message": MISSING}]))
    drop(client, as_json(SENT))
    (only,) = table(client)
    assert (only["Index"], only["invoiceNumber"]) == ("", "2026-3")


@pytest.mark.parametrize("file_format", FORMATS)
def test_hostile_text_is_text_in_it(client: Client, recorded: Record, file_format: str) -> None:
    errors = [error(n, text) for n, text in enumerate([HOSTILE, "=1+1", "x" * 100_000, '\r\n"=2;3,4'])]
    recorded(of_first_generation(errors=errors, succeeded=[]))
    hostile = {"=1+1": "@SUM(1)", "\u202e<b>\0": "\0\r\n;,", "a" * 5_000: "b" * 100_000}
    drop(client, as_json([invoice(n, **hostile) for n in range(6)]))
    found = content(client, file_format)
    if file_format == "csv":
        assert b",'@SUM(1)" in found
        assert b",'=1+1" in found
    if file_format == "xlsx":
        assert openpyxl.load_workbook(io.BytesIO(found))


# ------------------------------------------------------------------------------------------ manners


@pytest.mark.usefixtures("answered")
def test_its_name_says_what_is_in_it_and_no_cache_keeps_it(client: Client) -> None:
    drop(client, as_json(SENT))
    day = timezone.localdate().isoformat()
    cause = str(Cause.objects.get(template__contains="nationalId").pk)
    response = client.get(f"{EXPORT}.excel.csv")
    assert response["Content-Disposition"] == (
        f'attachment; filename="amili-batch-{BATCH}-failed-objects-{day}-excel.csv"'
    )
    assert "no-store" in response["Cache-Control"]
    named = client.get(f"{EXPORT}.json", {"cause": cause, "from": "3"})["Content-Disposition"]
    assert f"-failed-objects-cause-{cause}-{day}.json" in named


@pytest.mark.usefixtures("answered")
def test_the_page_offers_it_with_its_filter(client: Client) -> None:
    cause = str(Cause.objects.get(template__contains="nationalId").pk)
    assert EXPORT not in client.get(ADDRESS).content.decode()
    drop(client, as_json(SENT))
    page = client.get(ADDRESS, {"cause": cause, "from": "3"}).content.decode()
    for file_format in FORMATS:
        assert f'href="{EXPORT}.{file_format}?cause={cause}"' in page
    assert EXPORT not in client.get(ADDRESS, {"cause": "999"}).content.decode()
    assert client.get(f"{EXPORT}.csv", {"cause": "999"}).status_code == 404


def test_of_what_is_no_file_of_this_batch_there_is_none(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(1), error(2), error(900)], succeeded=[succeeded(0), succeeded(1)]))
    assert EXPORT not in drop(client, as_json(SENT)).content.decode()
    assert client.get(f"{EXPORT}.csv").status_code == 404


@pytest.mark.usefixtures("answered")
def test_once_the_file_is_gone_it_answers_as_the_other_downloads(client: Client, settings: Settings) -> None:
    assert client.get(f"{EXPORT}.csv").status_code == 410
    drop(client, as_json(SENT))
    valkey = Redis.from_url(settings.REDIS_URL)
    (safe,) = [key for key in valkey.scan_iter("amili:submission:*") if valkey.type(key) == b"hash"]
    client.get(ADDRESS)
    valkey.hdel(safe, "piece 0/0")  # at the last moment
    for file_format in FORMATS:
        page = client.get(f"{EXPORT}.{file_format}")
        assert page.status_code == 410
        assert "The file is no longer kept. Drop it again to go on." in seen(page)
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    assert client.get(f"{EXPORT}.csv").status_code == 503


@pytest.mark.usefixtures("answered")
def test_nothing_of_it_is_stored(client: Client) -> None:
    drop(client, as_json(SENT))
    with CaptureQueriesContext(connection) as captured:
        content(client, "xlsx")
    said = [query["sql"] for query in captured]
    assert not [sql for sql in said if "2026-1" in sql or sql.startswith(("INSERT", "UPDATE"))]
    assert client.post(f"{EXPORT}.csv").status_code == 405


# ------------------------------------------------------------------------------------------ many


@pytest.fixture
def many(recorded: Record, client: Client) -> None:
    recorded(of_first_generation(errors=[error(n, MISSING) for n in range(2_300)], succeeded=[]))
    notes = (random.Random(n).randbytes(400).hex() for n in range(2_300))
    drop(client, as_json(invoice(n, note=note) for n, note in enumerate(notes)))


@pytest.mark.usefixtures("many")
def test_all_objects_are_in_it_and_not_one_page(client: Client) -> None:
    assert [each["invoiceNumber"] for each in table(client)] == [f"2026-{n}" for n in range(2_300)]


@pytest.mark.parametrize("event", ["forgotten", "a new answer"])
@pytest.mark.usefixtures("many")
def test_one_that_breaks_off_says_so_at_its_end(client: Client, recorded: Record, event: str) -> None:
    response: Any = client.get(f"{EXPORT}.csv")
    parts = iter(response.streaming_content)
    received = [next(parts), next(parts)]
    if event == "forgotten":
        client.post(FORGET)
    else:
        recorded(of_first_generation(errors=[error(1, "Another")]))
    with pytest.raises((GoneError, ChangedError)):
        received.extend(parts)
    *rows, last = list(csv.reader(io.StringIO(b"".join(received).decode())))
    assert last == ["This file breaks off here: it is not complete."]
    assert 1 < len(rows) < 2_300
