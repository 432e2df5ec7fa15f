"""What is read of a dropped file, and the sentence that answers one that cannot be."""

import io
import json
import struct
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import cache
from uuid import UUID

import openpyxl
import pytest
from django.test import Client

from batches.submission import submitted, upload, workbook
from batches.submission.archive import MOST_PARTS, MOST_UNPACKED
from tests.answers import error, of_first_generation, of_today, succeeded
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

pytestmark = pytest.mark.usefixtures("answered")


@pytest.fixture
def answered(recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(1)], succeeded=[succeeded(0), succeeded(2)]))


def packed(**parts: bytes) -> bytes:
    """A ZIP; an underscore in a name stands for a slash."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/"), content)
    return file.getvalue()


@cache
def swelling() -> bytes:
    """A workbook with a part of zeros that unpacks to more than is taken."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w") as part:
            for _ in range(MOST_UNPACKED // 2**24 + 2):
                part.write(bytes(2**24))
    return file.getvalue()


def lying(body: bytes) -> bytes:
    """The same, whose directory says of every part that it unpacks to ten bytes."""
    changed, at = bytearray(body), body.find(b"PK\x01\x02")
    while at >= 0:
        changed[at + 24 : at + 28] = struct.pack("<I", 10)
        at = body.find(b"PK\x01\x02", at + 4)
    return bytes(changed)


def with_sheet(xml: str) -> bytes:
    """A workbook whose sheet is this XML."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(as_xlsx([row(0)]))) as before,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        for name in before.namelist():
            after.writestr(name, xml if name.startswith("xl/worksheets/") else before.read(name))
    return file.getvalue()


def unusual() -> bytes:
    """A workbook that is packed as no spreadsheet packs it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("xl/workbook.xml", b"<workbook/>")
    return file.getvalue()


def scrambled() -> bytes:
    """A workbook in the midst of which something was overwritten."""
    body = bytearray(as_xlsx([row(n) for n in range(200)]))
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        start = archive.getinfo("xl/worksheets/sheet1.xml").header_offset + 100
    body[start : start + 100] = b"\xff" * 100
    return bytes(body)


def far_corners() -> bytes:
    """Two cells, which a full rectangle around them would make seventeen thousand million."""
    cell = '<c r="{}" t="inlineStr"><is><t>invoiceNumber</t></is></c>'
    rows = f'<row r="1">{cell.format("A1")}</row><row r="1048576">{cell.format("XFD1048576")}</row>'
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return with_sheet(f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>')


def encrypted() -> bytes:
    """As some tools write it: each part encrypted, and flagged so."""
    body = bytearray(as_xlsx([row(0)]))
    at = body.find(b"PK\x01\x02")
    while at >= 0:
        body[at + 8] |= 1
        at = body.find(b"PK\x01\x02", at + 4)
    return bytes(body)


WIDE_HEADER = ";".join(["invoiceNumber", *(f"c{n}" for n in range(5_000))]).encode() + b"\n1;2\n"
JSON_START = b'{"invoices": [{"invoiceNumber": "2026-0"},\n {"invoiceNumber": '
REFUSED: dict[str, tuple[bytes | Callable[[], bytes], str]] = {
    "nothing": (b"", "This file is empty."),
    "white space": (b" \r\n\t ", "This file is empty."),
    "a mark alone": (b"\xef\xbb\xbf", "This file is empty."),
    "an old workbook": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
        "old or encrypted workbook. Save it as .xlsx",
    ),
    "a PDF": (b"%PDF-1.7 ...", "This is a PDF."),
    "an image": (b"\x89PNG\r\n\x1a\n" + bytes(100), "This is an image."),
    "gzip": (b"\x1f\x8b\x08\x00" + bytes(100), "This file is packed. Unpack it"),
    "a web page": (b"\n<!doctype html><p>Hei", "looks like XML or a web page"),
    "something binary": (bytes(range(256)) * 4, "This is not a text file."),
    "a ZIP": (lambda: packed(letter=b"hello"), "This is a ZIP that is no workbook."),
    "a ZIP in a ZIP": (lambda: packed(inner=packed(inner=b"x")), "This is a ZIP that is no workbook."),
    "OpenDocument": (lambda: packed(**{"content.xml": b"<x/>"}), "OpenDocument spreadsheet. Save it as .xlsx"),
    "Numbers": (lambda: packed(**{"Index__Document.iwa": b"x"}), "Numbers document. Export it as .xlsx"),
    "a binary workbook": (lambda: packed(**{"xl__workbook.bin": b"x"}), "binary workbook (.xlsb)"),
    "half a workbook": (lambda: as_xlsx([row(0)])[:-300], "This workbook is broken"),
    "a damaged workbook": (lambda: packed(**{"xl__workbook.xml": b"<broken"}), "This workbook cannot be read."),
    "an encrypted workbook": (encrypted, "This workbook is encrypted. Save it as .xlsx without a password."),
    "an unusual workbook": (unusual, "packed in an unusual way"),
    "a scrambled workbook": (scrambled, "This workbook is broken"),
    "a bomb": (swelling, "unpacks to more than can be read"),
    "a bomb that lies": (lambda: lying(swelling()), "unpacks to more than can be read"),
    "many parts": (
        lambda: packed(xl__workbook=b"", **{"xl__workbook.xml": b""}, **{f"p{n}": b"" for n in range(MOST_PARTS)}),
        "unpacks to more than can be read",
    ),
    "far corners": (far_corners, "unpacks to more than can be read"),
    "an empty sheet": (lambda: as_xlsx([], []), "No header was found"),
    "a sheet without a header": (lambda: as_xlsx([["Kari", 1]], ["Name", "Number"]), "No header was found"),
    "a header alone": (lambda: as_xlsx([]), "There is a header in this file, and no row under it."),
    "JSON that breaks off": (JSON_START, "This JSON breaks off: it ends at line 2, column 20."),
    "JSON with a slip": (JSON_START + b'"x",, }]}', "not valid JSON: it cannot be read on at line 2, column 24."),
    "JSON with NaN": (JSON_START + b"NaN}]}", "not valid JSON: it cannot be read on at line 2, column 20."),
    "half a character": (JSON_START + b'"\\ud83d"}]}', "holds half a character (\\ud83d) at line 2, column 21."),
    "the other half": (JSON_START + b'"\\ude00"}]}', "holds half a character (\\ude00) at line 2, column 21."),
    "nested JSON": (b'{"invoices": ' + b"[" * 100_000, "nests objects and lists too deeply"),
    "a nested object": (b'[{"a":' * 100_000, "nests objects and lists too deeply"),
    "a nested list": (b"[" * 100_000, "Entry 1 of the list is not an object."),
    "numbers": (b"[" + b"1," * 5_000_000 + b"1]", "Entry 1 of the list is not an object."),
    "members": (b"{" + b",".join(b'"%d":1' % n for n in range(200_000)) + b"}", "This file holds too much beside it."),
    "a number in the list": (b'{"invoices": [{}, 7]}', "Entry 2 of the list is not an object."),
    "no list": (b'{"invoices": {"a": 1}}', "should hold a list of objects, it holds something else"),
    "an empty list": (b'{"payments": []}', "The list in this file is empty"),
    "an empty object": (b"{}", "This file has nothing in it."),
    "two lists": (b'{"invoices": [{}], "payments": [{}]}', 'This file has: "invoices", "payments".'),
    "another shape": (
        json.dumps({"customer": 1, "<b>": 2, "k" * 99: 3, "d": 4, "e": 5, "f": 6}).encode(),
        f'This file has: "customer", "<b>", "{"k" * 29}…", "d", "e" …',
    ),
    "a CSV without a header": (b"Kari;Nordmann\n1;2\n", "No header was found in the first rows"),
    "prose": (b"Dear all, please find attached what we sent.", "No header was found in the first rows"),
    "a CSV header alone": (as_csv([]).encode(), "There is a header in this file, and no row under it."),
    "open quotes": (
        b'invoiceNumber;dueDate\n1;2\n2;"2026\n3;4\n',
        "From line 3 on a cell is quoted, and the quotes are never",
    ),
    "text after quotes": (b'invoiceNumber;dueDate\n"1"x;2\n', "The row at line 2 has text after a closing quote."),
    "an endless cell": (b"invoiceNumber;dueDate\n1;2\n" + b"x" * 200_000, "The row at line 3 has a cell of more than"),
    "no encoding": (b"invoiceNumber;dueDate\n\x81\x8d;2", "At line 2 this file is not in the encoding"),
    "a wide header": (lambda: WIDE_HEADER, "This file has more than 2000 columns at line 1."),
    "a wider header": (b"invoiceNumber;" + b"x;" * 400_000 + b"\n1;2", "This file has more than 2000 columns."),
    "a wide row": (lambda: as_csv([row(0), ["x"] * 3_000]).encode(), "more than 2000 columns at line 3."),
    "a row of delimiters": (as_csv([row(0)]).encode() + b"x" + b";" * 500_000, "more than 2000 columns."),
    "a row of many lines": (as_csv([row(0)]).encode() + (b";" * 20_000 + b'"\n"') * 100, "more than 2000 columns."),
    "line ends": (as_csv([row(0)]).encode() + b"\n" * 3_000_000, "more than 500000 objects."),
    "a wide sheet": (lambda: as_xlsx([["x"] * 2_001]), "This file has more than 2000 columns."),
    "half of UTF-16": ("invoiceNumber;dueDate\n1;2".encode("utf-16") + b"x", "this file is not in the encoding"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_used_gets_a_sentence_that_helps(client: Client, what: str) -> None:
    body, sentence = REFUSED[what]
    page = drop(client, body if isinstance(body, bytes) else body())
    assert page.status_code == 422
    assert "This file could not be used." in seen(page)
    assert sentence in seen(page)
    assert "Drop the file that was sent" in seen(page)
    assert "Drop the file" in seen(client.get(ADDRESS))  # nothing of it was kept


def test_no_file_at_all_gets_a_sentence_too(client: Client) -> None:
    for form in ({}, {"file": "a text"}):
        page = client.post(ADDRESS, form)
        assert page.status_code == 422
        assert "Choose a file first" in seen(page)  # type: ignore[arg-type]


def test_a_file_that_is_too_large_is_dropped_on_the_way(client: Client) -> None:
    page = drop(client, bytes(submitted.MOST_BYTES + 1))
    assert page.status_code == 422
    assert "This file is larger than 100 MiB" in seen(page)
    assert upload.MOST_BYTES == submitted.MOST_BYTES


@pytest.mark.parametrize("kind", ["json", "csv", "xlsx"])
def test_too_many_objects_are_refused(client: Client, kind: str) -> None:
    if kind == "json":
        body = b"[" + b"{}," * submitted.MOST_OBJECTS + b"{}]"
    elif kind == "csv":
        body = b"invoiceNumber\n" + b"1\n" * (submitted.MOST_OBJECTS + 1)
    else:
        cells = "<row><c><v>1</v></c></row>" * (submitted.MOST_OBJECTS + 1)
        head = '<row><c t="inlineStr"><is><t>invoiceNumber</t></is></c></row>'
        main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        body = with_sheet(f'<worksheet xmlns="{main}"><sheetData>{head}{cells}</sheetData></worksheet>')
    assert "This file holds more than 500000 objects." in seen(drop(client, body))


BODIES: dict[str, Callable[[bytes], bytes]] = {
    "invoices": lambda objects: b'{"invoices": ' + objects + b"}",
    "corrections": lambda objects: b'{"corrections": ' + objects + b"}",
    "payments": lambda objects: b'\xef\xbb\xbf\n{"payments": ' + objects + b"}",
    "documents": lambda objects: b'{"metadata": {"userId": 7}, "documents": ' + objects + b"}",
    "a bare list": lambda objects: b" " + objects,
}


@pytest.mark.parametrize("kind", BODIES)
def test_every_documented_body_comes_back_in_its_shape(client: Client, kind: str) -> None:
    body = BODIES[kind](json.dumps([invoice(n) for n in range(3)]).encode())
    assert f"JSON, {kind}" in seen(drop(client, body))
    failed = [{**invoice(1), "reason": "Beløpet mangler"}]
    wanted = {"metadata": {"userId": 7}, kind: failed} if kind == "documents" else {kind: failed}
    assert json.loads(downloaded(client)) == (failed if kind == "a bare list" else wanted)


def test_json_in_another_encoding_comes_back_as_utf_8_and_says_so(client: Client) -> None:
    body = as_json([invoice(n, city="Tromsø") for n in range(3)]).decode().encode("utf-16")
    assert "read as UTF-16; JSON has to be UTF-8" in seen(drop(client, body))
    assert json.loads(downloaded(client))["invoices"][0]["city"] == "Tromsø"


def test_odd_json_is_read_all_the_same(client: Client) -> None:
    huge = "9" * 5_000
    objects = [
        '{"invoiceNumber": "2026-0", "invoiceNumber": "2026-0"}',
        f'{{"invoiceNumber": 20261, "n": {huge}, "deep": {"[" * 200}{"]" * 200}, "x": {{"y": [{{"z": 1e999}}]}}}}',
        '{"invoiceNumber": null, "": 1}',
    ]
    page = drop(client, f'{{"invoices": [{",".join(objects)}]}}')
    assert page.status_code == 200
    assert "invoiceNumber 20261" in seen(page)
    assert "x.y[0].z 1e999" in seen(page)
    assert objects[1][:-1].encode() in downloaded(client)


def test_an_object_without_anything_gets_its_reason_too(client: Client) -> None:
    drop(client, "[{}, { }, {}]")
    assert json.loads(downloaded(client)) == [{"reason": "Beløpet mangler"}]


def test_the_header_is_found_below_other_lines_which_come_back(client: Client) -> None:
    above = "Fakturaer mai;;;\r\n;;;\r\nSendt av: Kari;;;\r\n"
    page = drop(client, above + as_csv([row(n) for n in range(3)]))
    assert "Index 1 line 6" in seen(page)
    assert downloaded(client).decode().startswith(above + ";".join(HEADER) + ';"reason"\r\n')
    drop(client, as_xlsx([HEADER, *(row(n) for n in range(3))], ["Fakturaer mai"]))
    assert [cells[0] for cells in table(downloaded(client))] == ["Fakturaer mai", "invoiceNumber", "2026-1"]


def test_two_columns_of_one_name_and_rows_of_any_width_stay_as_they_are(client: Client) -> None:
    text = "invoiceNumber;note;note\n2026-0\n2026-1;a;b;c;d\n2026-2;x\n"
    assert "note a note b – c" in seen(drop(client, text))
    assert downloaded(client).decode() == 'invoiceNumber;note;note;;;"reason"\n2026-1;a;b;c;d;"Beløpet mangler"\n'


def test_a_reason_has_the_letters_that_the_files_encoding_has(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(0, "Beløp → 0")], succeeded=[]))
    drop(client, as_csv([row(0, dueDate="Tromsø")]).encode("cp1252"))
    assert "Beløp ? 0" in downloaded(client).decode("cp1252")


def test_numbers_of_a_spreadsheet_are_the_numbers_of_invoices(client: Client, recorded: Record) -> None:
    done = [succeeded(0, invoiceNumber="30001")]
    recorded(of_today("PARTIAL", succeeded=done, failed=[{"invoiceNumber": "30002", "message": "No"}]))
    drop(client, as_xlsx([[30001.0], [30002]], ["Fakturanr."]))
    assert [cells[0] for cells in table(downloaded(client))] == ["Fakturanr.", 30002]


def test_objects_are_told_apart_by_invoice_id_where_they_have_no_number(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[error(1)], succeeded=[succeeded(0)]))
    ids = [str(UUID(int=n + 2**32)) for n in range(3)]
    text = seen(drop(client, json.dumps({"payments": [{"invoiceId": each, "amount": 1} for each in ids]})))
    assert "Failed 1 Never mentioned 1 Succeeded 1" in text


def test_a_file_without_anything_that_failed_has_no_correction(client: Client, recorded: Record) -> None:
    recorded(of_first_generation(errors=[], succeeded=[succeeded(0)]))
    assert "No error row is about an object of this file." in seen(drop(client, as_json([invoice(0)])))
    assert client.get(CORRECTION).status_code == 404


def test_dates_times_and_truth_values_of_a_workbook_stay_what_they_are(client: Client) -> None:
    cells = [
        date(2026, 2, 1),
        datetime.fromisoformat("2026-02-01T13:45"),
        timedelta(hours=30),
        time(8, 30),
        False,
        1e300,
        -0.5,
        None,
    ]
    header = ["invoiceNumber", *(f"c{n}" for n in range(len(cells)))]
    page = drop(client, as_xlsx([[f"2026-{n}", *cells] for n in range(3)], header))
    assert "c0 2026-02-01 c1 2026-02-01 13:45:00" in seen(page)
    assert "c4 FALSE" in seen(page)
    back = table(downloaded(client))[1]
    assert [str(cell) for cell in back[1:3]] == ["2026-02-01 00:00:00", "2026-02-01 13:45:00"]
    assert back[5:8] == [False, 1e300, -0.5]


def test_a_workbook_that_was_stored_without_packing_is_read(client: Client) -> None:
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(as_xlsx([row(n) for n in range(3)]))) as before,
        zipfile.ZipFile(file, "w") as after,
    ):
        for name in before.namelist():
            after.writestr(name, before.read(name))
    assert "3 objects · XLSX" in seen(drop(client, file.getvalue()))


def test_rows_below_empty_ones_have_the_numbers_that_stand_beside_them(client: Client) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for n, text in enumerate(["invoiceNumber", "2026-0", "2026-1", "2026-2"]):
        sheet.cell(4 + n, 2, text)
    file = io.BytesIO()
    book.save(file)
    assert "Index 1 row 6" in seen(drop(client, file.getvalue()))
    assert [cells[0] for cells in table(downloaded(client))][3:] == ["invoiceNumber", "2026-1"]


def test_numbers_that_are_none_come_back_as_texts(client: Client) -> None:
    text = '<row><c t="inlineStr"><is><t>{}</t></is></c>'
    head = text.format("invoiceNumber") + "</row>"
    cells = "".join(text.format(f"2026-{n}") + "<c><v>NaN</v></c><c><v>inf</v></c></row>" for n in range(3))
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    drop(client, with_sheet(f'<worksheet xmlns="{main}"><sheetData>{head}{cells}</sheetData></worksheet>'))
    assert table(downloaded(client))[1][:3] == ["2026-1", "nan", "inf"]


def test_the_first_number_that_is_free_makes_the_name_of_the_reasons(client: Client) -> None:
    taken = {"reason": 1} | {f"reason_{n}": n for n in range(2, 2_000) if n != 1_500} | {"reason_" + "9" * 9: 0}
    drop(client, as_json([invoice(0), invoice(1, **taken), invoice(2)]))
    assert json.loads(downloaded(client))["invoices"] == [{**invoice(1), **taken, "reason_1500": "Beløpet mangler"}]


def test_an_object_of_very_many_parts_is_shown_as_it_is_written(client: Client) -> None:
    page = drop(client, as_json([invoice(0), invoice(1, parts=[{}] * 60_000), invoice(2)]))
    assert '{"invoiceNumber": "2026-1", "originalInvoiceAmount"' in seen(page)


def test_workbooks_are_read_a_few_at_a_time(client: Client) -> None:
    drop(client, as_json(invoice(n) for n in range(3)))
    with workbook.AT_ONCE, workbook.AT_ONCE:
        page = drop(client, as_xlsx([row(n) for n in range(3)]))
    assert page.status_code == 503
    assert "Somebody else's file is being read; try again in a moment." in seen(page)
    assert "3 objects · JSON" in seen(client.get(ADDRESS))
    assert "3 objects · XLSX" in seen(drop(client, as_xlsx([row(n) for n in range(3)])))
