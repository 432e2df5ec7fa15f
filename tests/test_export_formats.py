"""The formats of exports: what other programs read from them, and what it takes to write them."""

import csv
import json
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any
from uuid import UUID
from zipfile import BadZipFile, ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.workbook import Workbook

from batches.exports import FORMATS, Column, Table, csv_file, excel_csv_file, json_file, neutral, xlsx_file
from tests.pages import HOSTILE

ODD = [
    "",
    " ",
    "a,b;c",
    'in "quotes"',
    "two\nlines",
    "two\r\nlines",
    HOSTILE,
    "\ud800",
    "\0",
    "x\0y",
    "\x1b[31m",
    "x" * 100_000,
]
FORMULAS = [
    "=1+1",
    "+47 22 22 22 22",
    "-125,00",
    "@SUM(A1)",
    "\t=1",
    "\rx",
    "\nx",
    "\tx",
    "\0x",
    "\0=1",
    "  =1",
    "\u00a0=1",
    "\u200b=1",
    "\ufeff=cmd|' /C calc'!A0",
    "\u202e\u2066=1",
    "\x01=1",
    "\U000e0041=1",
    "＝1+1",
    "＋1",
    "－1",
    "＠x",
    "\u3000＝1",
]
HARMLESS = ["", " ", "x=1", "17", "2026-000123", "(=1)", "'=1", '"=1"', "–", "a\t=", "Ugyldig beløp: -125"]


def table(*rows: Any, headers: str = "One Two", name: str = "errors", **more: Any) -> Table:
    columns = [Column(header.lower(), header) for header in headers.split()]
    return Table(name, "Errors", columns, rows, **more)


def plain(content: Iterator[bytes]) -> list[list[str]]:
    return list(csv.reader(StringIO(b"".join(content).decode(), newline="")))


def excel(content: Iterator[bytes]) -> list[list[str]]:
    text = b"".join(content).decode()
    assert text.startswith("\ufeff")
    return list(csv.reader(StringIO(text[1:], newline=""), delimiter=";"))


def workbook(content: Iterator[bytes]) -> Workbook:
    return load_workbook(BytesIO(b"".join(content)))


def receive(content: Iterator[bytes], received: bytearray) -> None:
    for piece in content:
        received += piece


def cells(content: Iterator[bytes]) -> list[list[Any]]:
    return [list(row) for row in workbook(content).worksheets[0].iter_rows(values_only=True)]


# ------------------------------------------------------------------------------------------ formulas


@pytest.mark.parametrize("text", FORMULAS)
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert neutral(text) == f"'{text}"
    for rows in (plain(csv_file(table([text, 1]))), excel(excel_csv_file(table([text, 1])))):
        assert rows[1] == [f"'{text}".replace("\0", "\ufffd"), "1"]
    assert str(cells(xlsx_file([table([text, 1])]))[1][0]).startswith("'")


@pytest.mark.parametrize("text", HARMLESS)
def test_other_text_is_left_as_it_is(text: str) -> None:
    assert neutral(text) == text
    assert plain(csv_file(table([text, 1])))[1][0] == text


def test_numbers_stay_numbers_below_zero_too() -> None:
    assert plain(csv_file(table([-3, -1.5])))[1] == ["-3", "-1.5"]
    assert excel(excel_csv_file(table([-3, -1.5])))[1] == ["-3", "-1,5"]
    assert cells(xlsx_file([table([-3, -1.5])]))[1] == [-3, -1.5]


def test_a_header_is_neutral_too() -> None:
    assert plain(csv_file(table(headers="=A -B"))) == [["'=A", "'-B"]]
    assert cells(xlsx_file([table(headers="=A -B")])) == [["'=A", "'-B"]]


def test_json_tells_text_as_it_is() -> None:
    document = json.loads(b"".join(json_file({}, {"rows": table(*([text, 1] for text in FORMULAS))})))
    assert [row["one"] for row in document["rows"]] == FORMULAS


# ------------------------------------------------------------------------------------------ odd text


@pytest.mark.parametrize("write", [csv_file, excel_csv_file], ids=["plain", "excel"])
@pytest.mark.parametrize("text", ODD)
def test_any_text_is_read_from_csv_as_it_was(write: Callable[[Table], Iterator[bytes]], text: str) -> None:
    read = {csv_file: plain, excel_csv_file: excel}[write]
    csv.field_size_limit(200_000)
    whole = text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
    found = read(write(table([text, "after"])))[1]
    assert [found[0].removeprefix("'"), found[1]] == [whole, "after"]


@pytest.mark.parametrize("text", ODD)
def test_any_text_has_its_place_in_a_workbook(text: str) -> None:
    found = cells(xlsx_file([table([text, "after"])]))[1]
    assert found[1] == "after"
    assert len(str(found[0] or "")) <= 32_767


def test_of_a_text_that_is_too_long_for_a_cell_the_beginning_is_kept() -> None:
    ordinary, wide = cells(xlsx_file([table(["x" * 40_000, "😀" * 20_000])]))[1]
    assert ordinary == "x" * 32_766 + "…"
    assert wide == "😀" * 16_383 + "…"
    assert cells(xlsx_file([table(["x" * 32_767, ""])]))[1][0] == "x" * 32_767


def test_markup_and_escapes_of_excel_are_text() -> None:
    texts = ["<b>&amp;</b>", "]]>", "_x003D_1+1", "two\nlines", "  spaces  "]
    rows = b"".join(xlsx_file([table(*([text, 1] for text in texts))]))
    sheet = ZipFile(BytesIO(rows)).read("xl/worksheets/sheet1.xml").decode()
    assert "<b>" not in sheet
    assert "_x005F_x003D_1+1" in sheet
    found = [row[0] for row in cells(iter([rows]))[1:]]
    assert found[0] == "<b>&amp;</b>"
    assert found[3:] == ["two\nlines", "  spaces  "]


@given(st.lists(st.tuples(st.text(st.characters(codec=None)), st.integers()), max_size=5))
def test_no_text_and_no_number_breaks_a_file(rows: list[tuple[str, int]]) -> None:
    for file_format in FORMATS.values():
        assert b"".join(file_format.write({}, [table(*rows)]))
    assert len(cells(xlsx_file([table(*rows)]))) == len(rows) + 1
    assert len(json.loads(b"".join(json_file({}, {"rows": table(*rows)})))["rows"]) == len(rows)


# ------------------------------------------------------------------------------------------ types

AT = datetime(2026, 3, 9, 14, 30, 5, 999_999, tzinfo=UTC)  # on the clock of Oslo an hour later
SUMMER = datetime(2026, 7, 9, 22, 30, tzinfo=UTC)

LOCAL = datetime(2026, 3, 9)  # noqa: DTZ001 - a workbook's times have no zone


def test_csv_is_of_rfc_4180() -> None:
    values = [AT, SUMMER, date(2026, 3, 9), Decimal("1234.50"), 0.5, 17, None, UUID(int=5), "æøå, ✓"]
    content = b"".join(csv_file(table(values, headers="A B C D E F G H I")))
    assert content.decode() == (
        "A,B,C,D,E,F,G,H,I\r\n"
        "2026-03-09T15:30:05+01:00,2026-07-10T00:30:00+02:00,2026-03-09,1234.50,0.5,17,,"
        '00000000-0000-0000-0000-000000000005,"æøå, ✓"\r\n'
    )


def test_csv_for_a_norwegian_excel_has_its_days_and_commas() -> None:
    values = [AT, SUMMER, date(2026, 3, 9), Decimal("1234.50"), 0.5, 17, None, "a;b", "æøå, ✓"]
    content = b"".join(excel_csv_file(table(values, headers="A B C D E F G H I")))
    assert content.decode() == (
        '\ufeffA;B;C;D;E;F;G;H;I\r\n09.03.2026 15:30:05;10.07.2026 00:30:00;09.03.2026;1234,50;0,5;17;;"a;b";æøå, ✓\r\n'
    )


def test_a_workbook_has_numbers_and_dates_as_such() -> None:
    values = [AT, SUMMER, date(2026, 3, 9), Decimal("1234.50"), 0.5, 17, None, UUID(int=5)]
    row = cells(xlsx_file([table(values, headers="A B C D E F G H")]))[1]
    assert row == [
        LOCAL.replace(hour=15, minute=30, second=5),
        LOCAL.replace(month=7, day=10, minute=30),
        LOCAL,
        1234.5,
        0.5,
        17,
        None,
        str(UUID(int=5)),
    ]


def test_what_excel_would_change_is_a_text_there() -> None:
    early, large = date(1899, 12, 31), 2**62
    row = cells(xlsx_file([table([early, large, datetime(1900, 1, 1, tzinfo=UTC)], headers="A B C")]))[1]
    assert row[:2] == ["1899-12-31", str(large)]
    assert str(row[2]).startswith("1900-01-01T")


def test_json_says_first_what_it_is_about() -> None:
    document = json.loads(b"".join(json_file({"list": "errors", "made_at": AT}, {"rows": table([AT, None], [1, "x"])})))
    assert list(document) == ["list", "made_at", "rows"]
    assert document["rows"] == [{"one": "2026-03-09T14:30:05.999999Z", "two": None}, {"one": 1, "two": "x"}]


@pytest.mark.parametrize(
    ("came", "given"),
    [
        ('{"a": [1, null]}', {"a": [1, None]}),
        ("null", None),
        ("", None),
        ("{broken", "{broken"),
        ("[" * 5_000, "[" * 5_000),
    ],
)
def test_json_that_came_is_json_again(came: str, given: Any) -> None:
    foreign = Table("failed", "Failed", [Column("extra", "As received", is_json=True)], [[came]])
    assert json.loads(b"".join(json_file({}, {"rows": foreign})))["rows"] == [{"extra": given}]


# ------------------------------------------------------------------------------------------ workbooks


def test_a_sheet_has_a_bold_header_that_stays_and_filters() -> None:
    sheet = workbook(xlsx_file([table([1, 2], [3, 4])])).worksheets[0]
    assert sheet.title == "Errors"
    assert [cell.font.b for cell in sheet[1]] == [True, True]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:B3"
    assert sheet.column_dimensions["A"].width == 16


def test_rows_that_a_sheet_cannot_hold_go_on_in_another() -> None:
    rows = [[n, "x"] for n in range(7)]
    book = workbook(xlsx_file([table(*rows), table([9, "y"])], sheet_rows=4))
    assert book.sheetnames == ["Errors", "Errors 2", "Errors 3", "Errors 4"]
    found = [[row[0] for row in sheet.iter_rows(min_row=2, values_only=True)] for sheet in book]
    assert found == [[0, 1, 2], [3, 4, 5], [6], [9]]


def test_a_sheet_that_is_just_full_has_none_after_it() -> None:
    assert workbook(xlsx_file([table([1, 2], [3, 4])], sheet_rows=3)).sheetnames == ["Errors"]


@pytest.mark.parametrize("title", ["[a]:b*c?d/e\\f", "", "'quoted'", "x" * 60, "\0\ud800", '<&">'])
def test_any_title_becomes_one_that_excel_takes(title: str) -> None:
    odd = Table("odd", title, [Column("a", "A")], [])
    names = workbook(xlsx_file([odd, odd])).sheetnames
    assert len({name.casefold() for name in names}) == 2
    for name in names:
        assert 0 < len(name) <= 31
        assert not set("[]:*?/\\") & set(name)


def test_facts_are_pairs_in_a_workbook_and_an_object_in_json() -> None:
    facts = table([17, "x"], is_record=True)
    assert cells(xlsx_file([facts])) == [["Fact", "Value"], ["One", 17], ["Two", "x"]]
    document = json.loads(b"".join(json_file({}, {"facts": table([17, "x"], is_record=True), "rows": table()})))
    assert document == {"facts": {"one": 17, "two": "x"}, "rows": []}


def test_a_workbook_has_no_part_of_the_kind_of_zip_that_excel_does_not_open() -> None:
    archive = ZipFile(BytesIO(b"".join(xlsx_file([table([1, 2])]))))
    assert archive.testzip() is None
    assert all(part.extra[:2] != b"\x01\x00" for part in archive.infolist())
    assert all(part.extract_version < 45 for part in archive.infolist())


# ------------------------------------------------------------------------------------------ streams


@pytest.mark.parametrize("name", FORMATS)
def test_the_first_bytes_come_before_most_rows_are_read(name: str) -> None:
    read = 0

    def rows() -> Iterator[list[Any]]:
        nonlocal read
        for read in range(1, 100_001):
            yield [read, f"{hash(str(read))} {hash(str(-read))}"]

    endless = Table("errors", "Errors", [Column("a", "A"), Column("b", "B")], rows())
    content = FORMATS[name].write({}, [endless])
    assert next(content)
    assert read < 10_000
    content.close()  # type: ignore[attr-defined]
    assert read < 10_000


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_of_any_length_takes_the_same_memory(name: str) -> None:
    def peak(count: int) -> int:
        long = Table(
            "errors", "Errors", [Column("a", "A"), Column("b", "B")], ([n, f"Beløp {n}"] for n in range(count))
        )
        tracemalloc.start()
        for _ in FORMATS[name].write({}, [long]):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(100)  # what is made once
    assert peak(20_000) < peak(2_000) + 400_000


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_comes_in_few_pieces(name: str) -> None:
    long = table(*([n, f"Beløp {n}"] for n in range(20_000)))
    pieces = list(FORMATS[name].write({}, [long]))
    assert len(pieces) < 110
    assert max(map(len, pieces)) < 1_000_000


@pytest.mark.parametrize(
    ("name", "complaint"),
    [("csv", None), ("excel.csv", None), ("xlsx", BadZipFile), ("json", json.JSONDecodeError)],
)
def test_a_file_that_breaks_off_does_not_look_whole(name: str, complaint: type[Exception] | None) -> None:
    def rows() -> Iterator[list[Any]]:
        yield from ([n, "x"] for n in range(5_000))
        raise ConnectionError("the database is away")

    broken = Table("errors", "Errors", [Column("a", "A"), Column("b", "B")], rows())
    sent = bytearray()
    with pytest.raises(ConnectionError):  # for the web server to log, and to break the connection off
        receive(FORMATS[name].write({}, [broken]), sent)
    if complaint is None:
        assert sent.decode().endswith("This file breaks off here: it is not complete.\r\n")
    else:
        with pytest.raises(complaint):
            load_workbook(BytesIO(sent)) if name == "xlsx" else json.loads(sent)
