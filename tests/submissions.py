"""Files as people drop them, made for the tests."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

import openpyxl
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from tests.answers import BATCH, Json

ADDRESS = reverse("submission", args=[BATCH])
CORRECTION = reverse("submission-correction", args=[BATCH])
REST = reverse("submission-rest", args=[BATCH])
FORGET = reverse("submission-forget", args=[BATCH])
BASE = reverse("submission-base", args=[BATCH])

HEADER = ["invoiceNumber", "originalInvoiceAmount", "dueDate", "debtor.nationalId"]


def invoice(number: int, **more: Any) -> Json:
    """Amili's `2026-<number>`, as `tests.answers.succeeded` calls it when it went through."""
    return {
        "invoiceNumber": f"2026-{number}",
        "originalInvoiceAmount": 4500.5,
        "dueDate": "2026-02-01",
        "debtor": {"nationalId": "01018012345"},
        **more,
    }


def as_json(invoices: Iterable[Json]) -> bytes:
    return json.dumps({"invoices": list(invoices)}).encode()


def row(number: int, **more: str) -> list[str]:
    """The same as a row under HEADER."""
    cells = {"invoiceNumber": f"2026-{number}", "originalInvoiceAmount": "4500,5", "dueDate": "2026-02-01", **more}
    return [cells.get(name, "01018012345") for name in HEADER]


def as_csv(rows: Iterable[Sequence[str]], delimiter: str = ";", header: Sequence[str] = HEADER) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([header, *rows])
    return text.getvalue()


def as_xlsx(rows: Iterable[Sequence[object]], header: Sequence[str] = HEADER, **sheets: list[list[object]]) -> bytes:
    """A workbook whose last sheet has these rows, with other sheets before it."""
    workbook = openpyxl.Workbook(write_only=True)
    for title, cells in {**sheets, "Invoices": [list(header), *map(list, rows)]}.items():
        sheet = workbook.create_sheet(title)
        for line in cells:
            sheet.append(line)
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


def drop(client: Client, body: bytes | str, name: str = "sent.json") -> HttpResponse:
    """Drop a file, and see the page that comes of it."""
    content = body.encode() if isinstance(body, str) else body
    return client.post(ADDRESS, {"file": SimpleUploadedFile(name, content)}, follow=True)  # type: ignore[return-value]


def downloaded(client: Client, address: str = CORRECTION, **query: str) -> bytes:
    response = client.get(address, query)
    assert response.status_code == 200
    return b"".join(response.streaming_content)  # type: ignore[attr-defined]


def table(body: bytes) -> list[list[object]]:
    """A workbook's first sheet."""
    sheet = openpyxl.load_workbook(io.BytesIO(body)).worksheets[0]
    return [list(cells) for cells in sheet.iter_rows(values_only=True)]
