"""The files that were submitted for the sandbox's batches, over real HTTP."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
import requests
from openpyxl import load_workbook
from stdnum.no import fodselsnummer

from sandbox.rows import CREDITORS
from sandbox.server import running_server
from tests.sandboxed import NOON, NORDLYS, SORVEST, Amili, Clock, demo

FJELL = CREDITORS[2].id

type Json = dict[str, Any]


@pytest.fixture(scope="module")
def amili() -> Iterator[Amili]:
    with running_server(clock=Clock(NOON), token_lifetime=10**6) as url, Amili(url) as session:
        yield session


def started(amili: Amili, organisation: UUID, objects: int, fate: str = "partial") -> str:
    generation = next(creditor.generation for creditor in CREDITORS if creditor.id == organisation)
    order = {"generation": generation, "organizationId": str(organisation), "objects": objects, "fate": fate}
    return amili.start(**order, queued_seconds=0)["batchId"]


def submission(amili: Amili, batch: UUID | str, ending: str = "json") -> requests.Response:
    return requests.get(f"{amili.url}/sandbox/batches/{batch}/submission.{ending}", timeout=20)


def invoices(amili: Amili, batch: UUID | str) -> list[Json]:
    return list(submission(amili, batch).json()["invoices"])


def test_the_invoices_have_the_documented_fields_and_a_debtor(amili: Amili) -> None:
    first, *_ = invoices(amili, started(amili, NORDLYS, 10, "success"))
    assert list(first)[:7] == [
        "type",
        "invoiceNumber",
        "vat",
        "fees",
        "originalInvoiceAmount",
        "currency",
        "invoiceDate",
    ]
    assert list(first)[7:] == ["dueDate", "collectionNoticeDate", "uniqueSourceInvoiceId", "description", "debtor"]
    assert set(first["debtor"]) == {"type", "firstName", "lastName", "nationalId", "email", "phone", "address"}
    assert set(first["debtor"]["address"]) == {"street", "postalCode", "city", "countryCode"}


def test_the_debtors_are_nobody(amili: Amili) -> None:
    for invoice in invoices(amili, started(amili, NORDLYS, 50, "success")):
        number = invoice["debtor"]["nationalId"]
        assert 81 <= int(number[2:4]) <= 92
        assert number[-2:] == fodselsnummer.calc_check_digit1(number[:9]) + fodselsnummer.calc_check_digit2(number[:10])


@pytest.mark.parametrize(("organisation", "first_index"), [(NORDLYS, 0), (FJELL, 1)])
def test_an_index_of_the_answer_finds_its_object_in_the_file(
    amili: Amili, organisation: UUID, first_index: int
) -> None:
    batch = started(amili, organisation, 90)
    sent, answer = invoices(amili, batch), amili.batch(batch)
    numbers = [invoice["invoiceNumber"] for invoice in sent]
    failed = {error["objectindex"] - first_index for error in answer["status"]["errors"]}
    assert [numbers[index] for index in range(90) if index not in failed] == [
        row["invoiceNumber"] for row in answer["succeeded"]
    ]
    assert [row["objectindex"] - first_index for row in answer["status"]["responses"]] == [
        index for index in range(90) if index not in failed
    ]
    assert len(numbers) == 90


def test_the_new_generation_names_the_same_objects(amili: Amili) -> None:
    batch = started(amili, SORVEST, 200)
    numbers = [invoice["invoiceNumber"] for invoice in invoices(amili, batch)]
    answer = amili.batch(batch)
    assert all(numbers[row["objectIndex"]] == row["invoiceNumber"] for row in answer["failed"])
    assert len(numbers) == 200 == len(answer["succeeded"]) + len(answer["failed"])


def test_the_last_three_of_many_objects_are_never_mentioned(amili: Amili) -> None:
    batch = started(amili, NORDLYS, 100)
    answer, sent = amili.batch(batch), invoices(amili, batch)
    indices = [row["objectindex"] for row in (*answer["status"]["errors"], *answer["status"]["responses"])]
    assert set(indices) == set(range(100))
    assert len(sent) == 103
    assert len({invoice["invoiceNumber"] for invoice in sent}) == 103


def test_what_a_message_complains_of_is_what_was_sent(amili: Amili) -> None:
    """Over several batches, so that every kind of fault is met."""
    met = set()
    for _ in range(30):
        batch = started(amili, NORDLYS, 60, "failed")
        sent = invoices(amili, batch)
        errors = amili.batch(batch)["status"]["errors"]
        indices = [error["objectindex"] for error in errors]
        for error in errors:
            if indices.count(error["objectindex"]) == 1:
                met.add(complaint(error["message"], sent[error["objectindex"]]))
        if len(met) == 13:
            break
    assert len(met) == 13


def complaint(message: str, invoice: Json) -> str:
    """The words that the message begins with; it must be right about the invoice."""
    debtor, address = invoice["debtor"], invoice["debtor"]["address"]
    said = {
        "Debtor is missing nationalId": debtor["nationalId"] is None,
        "Invoice number": invoice["invoiceNumber"] in message,
        "Due date": f"Due date {invoice['dueDate']} is before invoice date {invoice['invoiceDate']}" == message,
        "Unknown currency": message.endswith(f" {invoice['currency']}"),
        "Postal code": f"Postal code {address['postalCode']} is not valid" == message,
        "Amount": f"Amount {invoice['originalInvoiceAmount']:.2f} must" in message,
        "Country code": f"Country code {address['countryCode']} is" in message,
        "Organisation number": f"Organisation number {debtor['nationalId']} must" in message,
        "KID": invoice["description"] in message,
        "Collection notice date": invoice["collectionNoticeDate"] is None,
        "E-mail address": "@" not in debtor["email"],
        "Creditor": message.endswith(invoice["type"]),
        "Field description": f"({len(invoice['description'])})" in message,
    }
    (words,) = (words for words in said if message.startswith(words))
    assert said[words], message
    return words


def test_the_csv_file_is_as_a_norwegian_excel_writes_it(amili: Amili) -> None:
    batch = started(amili, NORDLYS, 40)
    response = submission(amili, batch, "csv")
    assert response.content.startswith(b"\xef\xbb\xbftype;invoiceNumber;")
    assert b"\r\n" in response.content
    rows = list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig")), delimiter=";"))
    sent = invoices(amili, batch)
    assert [row["invoiceNumber"] for row in rows] == [invoice["invoiceNumber"] for invoice in sent]
    assert [row["debtor.address.city"] for row in rows] == [invoice["debtor"]["address"]["city"] for invoice in sent]
    assert {row["vat"] for row in rows} == {"SANN", "USANN"}
    for row, invoice in zip(rows, sent, strict=True):
        assert re.fullmatch(r"-?\d+,\d\d", row["originalInvoiceAmount"])
        assert float(row["originalInvoiceAmount"].replace(",", ".")) == invoice["originalInvoiceAmount"]
        assert row["dueDate"].split(".")[::-1] == invoice["dueDate"].split("-")


def test_the_workbook_holds_the_same_with_real_dates_and_numbers(amili: Amili) -> None:
    batch = started(amili, NORDLYS, 40)
    sheet = load_workbook(io.BytesIO(submission(amili, batch, "xlsx").content)).active
    assert sheet is not None
    head, *rows = sheet.iter_rows(values_only=True)
    sent = invoices(amili, batch)
    assert len(rows) == len(sent)
    for values, invoice in zip(rows, sent, strict=True):
        row: dict[Any, Any] = dict(zip(head, values, strict=True))
        assert row["dueDate"] == datetime.fromisoformat(invoice["dueDate"])
        assert row["debtor.address.postalCode"] == invoice["debtor"]["address"]["postalCode"]
        for name in ("invoiceNumber", "vat", "originalInvoiceAmount", "description"):
            assert row[name] == invoice[name]


def test_a_file_is_the_same_whenever_it_is_fetched(amili: Amili) -> None:
    batch = demo("5 000 objects")
    assert submission(amili, batch).content == submission(amili, batch).content


def test_a_file_is_named_for_its_batch(amili: Amili) -> None:
    batch = demo("count from one")
    response = submission(amili, batch, "csv")
    assert response.headers["Content-Disposition"] == f'attachment; filename="submission-{batch}.csv"'
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"


@pytest.mark.parametrize("words", ["example of the documentation", "payments", "Odd data"])
def test_a_batch_that_no_invoices_were_sent_for_has_no_file(amili: Amili, words: str) -> None:
    assert submission(amili, demo(words)).status_code == 404


@pytest.mark.parametrize("ending", ["txt", "xls", ""])
def test_there_are_no_other_formats(amili: Amili, ending: str) -> None:
    assert submission(amili, demo("5 000 objects"), ending).status_code == 404


def test_the_page_links_to_the_files_of_each_batch_that_has_them(amili: Amili) -> None:
    page = requests.get(f"{amili.url}/", timeout=5).text
    links = re.findall(r'href="(/sandbox/batches/([0-9a-f-]{36})/submission\.\w+)"', page)
    batches = [batch for _, batch in links]
    assert batches.count(str(demo("5 000 objects"))) == 3
    assert str(demo("payments")) not in batches
    assert all(requests.get(f"{amili.url}{link}", timeout=5).status_code == 200 for link, _ in links[:3])
