"""What can be downloaded of a submitted file: to mend it by, to send it, as a workbook, and of one cause."""

import csv
import io
import json
from datetime import date

import openpyxl
import pytest
from django.test import Client

from batches.models import Cause
from tests.answers import BATCH, error, of_first_generation, succeeded
from tests.conftest import Record
from tests.pages import seen
from tests.submissions import (
    ADDRESS,
    CORRECTION,
    HEADER,
    as_csv,
    as_json,
    as_xlsx,
    downloaded,
    drop,
    invoice,
    row,
    table,
)

MISSING = "Debtor is missing nationalId"
DELICATE = ["04829145095", "0150", "+4790000000", "=1+1", "", "1E5"]


@pytest.fixture(autouse=True)
def answered(recorded: Record) -> None:
    errors = [error(1, MISSING), error(3, "Amount 1 is odd"), error(3, MISSING), error(4, "Amount 2 is odd")]
    recorded(of_first_generation(errors=errors, succeeded=[succeeded(n) for n in (0, 2)]))


def sheet(body: bytes) -> openpyxl.worksheet.worksheet.Worksheet:
    return openpyxl.load_workbook(io.BytesIO(body)).worksheets[0]


# ------------------------------------------------------------------------------------------ without reasons


def test_json_without_reasons_has_the_very_objects_that_were_sent(client: Client) -> None:
    sent = [invoice(n, reason="ours") if n == 3 else invoice(n) for n in range(6)]
    assert "Without reasons, in the submitted shape" in seen(drop(client, as_json(sent)))
    back = json.loads(downloaded(client, reasons="no"))
    assert back == {"invoices": [sent[1], sent[3], sent[4]]}
    assert [list(each) for each in back["invoices"]] == [list(sent[n]) for n in (1, 3, 4)]
    name = client.get(CORRECTION, {"reasons": "no"})["Content-Disposition"]
    assert name == f'attachment; filename="amili-batch-{BATCH}-without-reasons.json"'


def test_a_csv_without_reasons_has_the_very_lines_that_were_sent(client: Client) -> None:
    text = as_csv([row(n) for n in range(6)])
    assert "Without reasons, in the submitted shape" in seen(drop(client, text))
    lines = text.splitlines(keepends=True)
    assert downloaded(client, reasons="no").decode() == "".join([lines[0], lines[2], lines[4], lines[5]])


def test_a_workbook_without_reasons_has_the_very_rows_that_were_sent(client: Client) -> None:
    rows = [[f"2026-{n}", 4500.5, date(2026, 2, 1), "01018012345"] for n in range(6)]
    body = as_xlsx(rows)
    assert "Without reasons, in the submitted shape" in seen(drop(client, body))
    before = table(body)
    assert table(downloaded(client, reasons="no")) == [before[0], before[2], before[4], before[5]]


@pytest.mark.parametrize(("kind", "where"), [("json", "property"), ("csv", "column"), ("xlsx", "column")])
def test_it_is_said_that_nothing_is_mended_yet_and_what_has_to_go_before_it_is_sent(
    client: Client, kind: str, where: str
) -> None:
    rows = [row(n) for n in range(6)]
    body = {"json": as_json(invoice(n) for n in range(6)), "csv": as_csv(rows), "xlsx": as_xlsx(rows)}[kind]
    text = seen(drop(client, body))
    assert "nothing in them is mended yet" in text
    assert f"delete that {where} before you send it" in text


# ------------------------------------------------------------------------------------------ a CSV as a workbook


def test_a_csv_is_offered_as_a_workbook_whose_cells_are_texts_and_stay_so(client: Client) -> None:
    header = ["invoiceNumber", "nationalId", "postalCode", "phone", "note", "empty", "code"]
    text = "Fakturaer mai\r\n\r\n" + as_csv([[f"2026-{n}", *DELICATE] for n in range(6)], header=header)
    page = seen(drop(client, text))
    assert "Opened in Excel, a CSV loses leading zeros: mend the workbook instead." in page
    response = client.get(CORRECTION, {"as": "xlsx"})
    assert response["Content-Disposition"] == f'attachment; filename="amili-batch-{BATCH}-correction.xlsx"'
    found = sheet(downloaded(client, **{"as": "xlsx"}))
    rows = list(found.iter_rows(values_only=True))
    assert rows[0][0] == "Fakturaer mai"
    assert rows[2] == (*header, "reason")
    assert rows[3] == ("2026-1", *[value or None for value in DELICATE], MISSING)
    assert {cell.number_format for line in found.iter_rows(min_row=4) for cell in line} == {"@"}
    assert {cell.data_type for line in found.iter_rows(min_row=4) for cell in line if cell.value} == {"s"}
    assert found.freeze_panes == "A4"


def test_a_csv_in_a_workbook_can_have_rows_of_any_width_and_no_reasons(client: Client) -> None:
    drop(client, "invoiceNumber;note\n2026-0\n2026-1;a;b\n2026-2\n2026-3\n2026-4;=x\n2026-5\n")
    assert table(downloaded(client, **{"as": "xlsx"}))[1] == ["2026-1", "a", "b", MISSING]
    assert table(downloaded(client, **{"as": "xlsx", "reasons": "no"})) == [
        ["invoiceNumber", "note", None],
        ["2026-1", "a", "b"],
        ["2026-3", None, None],
        ["2026-4", "=x", None],
    ]


def test_only_a_csv_is_offered_as_something_else(client: Client) -> None:
    for body in (as_json(invoice(n) for n in range(6)), as_xlsx([row(n) for n in range(6)])):
        assert "As a workbook" not in seen(drop(client, body))
        assert downloaded(client, **{"as": "xlsx"})[:1] == body[:1]


# ------------------------------------------------------------------------------------------ a workbook that can be read


def test_the_columns_of_a_workbook_are_as_wide_as_what_is_in_them(client: Client) -> None:
    header = ["invoiceNumber", "amount", "dueDate", "description"]
    drop(client, as_xlsx([[f"2026-{n}", 4500.5, date(2026, 2, 1), "x" * 99] for n in range(6)], header))
    found = sheet(downloaded(client))
    assert [found.column_dimensions[letter].width for letter in "ABCDE"] == [15, 10, 12, 40, 60]
    assert found.freeze_panes == "A2"


def test_amounts_with_decimals_are_shown_with_two(client: Client) -> None:
    header = ["invoiceNumber", "amount", "whole", "rate"]
    drop(client, as_xlsx([[f"2026-{n}", 4500.5, 4500, 0.125] for n in range(6)], header))
    cells = next(sheet(downloaded(client)).iter_rows(min_row=2))
    assert [cell.value for cell in cells[1:4]] == [4500.5, 4500, 0.125]
    assert [cell.number_format for cell in cells[1:4]] == ["0.00", "General", "General"]


# ------------------------------------------------------------------------------------------ of one cause


def test_the_chosen_cause_reaches_the_downloads_with_all_reasons(client: Client) -> None:
    assert "Download the correction file (3)" in seen(drop(client, as_csv([row(n) for n in range(6)])))
    cause = str(Cause.objects.get(template__contains="nationalId").pk)
    page = client.get(ADDRESS, {"cause": cause, "from": "3"})
    assert "Download the correction file (2)" in seen(page)
    assert "only the objects that have the chosen cause" in seen(page)
    assert f'href="{CORRECTION}?cause={cause}"' in page.content.decode()
    read = list(csv.reader(io.StringIO(downloaded(client, cause=cause).decode()), delimiter=";"))
    assert read == [[*HEADER, "reason"], [*row(1), MISSING], [*row(3), f"Amount 1 is odd; {MISSING}"]]
    assert [cells[0] for cells in table(downloaded(client, cause=cause, reasons="no", **{"as": "xlsx"}))[1:]] == [
        "2026-1",
        "2026-3",
    ]


def test_a_cause_that_no_object_has_has_no_file(client: Client) -> None:
    assert "Download the correction file" not in seen(client.get(ADDRESS, {"cause": "999"}))
    drop(client, as_json(invoice(n) for n in range(6)))
    assert "Download the correction file" not in seen(client.get(ADDRESS, {"cause": "999"}))
    assert client.get(CORRECTION, {"cause": "999"}).status_code == 404
