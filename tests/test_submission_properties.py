"""Whatever a file holds, its correction file holds the same, and a reason."""

import csv
import io
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batches.submission.fault import named_fields, valued_fields, words_of
from batches.submission.reading import read
from batches.submission.submitted import Submitted, UnreadableError
from tests.submissions import as_xlsx

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
SHEET_CELLS = st.one_of(CELLS, st.booleans(), st.integers(-(10**9), 10**9), st.dates())


def written(submitted: Submitted, reason: str = "because") -> bytes:
    objects = [(record.body, reason) for record in submitted.records]
    return b"".join(submitted.frame.written(objects, with_reasons=True))


@given(
    objects=st.lists(st.dictionaries(TEXT, VALUES, max_size=5), min_size=1, max_size=5), wrapped=st.booleans(), why=TEXT
)
def test_json_objects_come_back_equal_but_for_their_reason(objects: list[Any], wrapped: bool, why: str) -> None:
    submitted = read(json.dumps({"a": 1, "invoices": objects} if wrapped else objects).encode())
    back = json.loads(written(submitted, why))
    if wrapped:
        assert back["a"] == 1
    for before, after in zip(objects, back["invoices"] if wrapped else back, strict=True):
        name = list(after)[-1]
        assert after.pop(name) == why
        assert name not in before
        assert after == before
        assert list(after) == list(before)


@given(
    rows=st.lists(st.lists(CELLS, min_size=1, max_size=4), min_size=1, max_size=5),
    delimiter=st.sampled_from(";,\t|"),
    newline=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_rows_of_a_csv_come_back_equal_but_for_their_reason(
    rows: list[list[str]], delimiter: str, newline: str, encoding: str
) -> None:
    text = io.StringIO()
    header = ["invoiceNumber", "due date", "currency"]
    csv.writer(text, delimiter=delimiter, lineterminator=newline, quoting=csv.QUOTE_ALL).writerows([header, *rows])
    wanted = [cells for cells in rows if any(cells)]
    if not wanted:
        return
    back = written(read(text.getvalue().encode(encoding))).decode(encoding)
    read_back = list(csv.reader(io.StringIO(back, newline=""), delimiter=delimiter))
    assert read_back[0][:3] == header
    assert [cells[: len(before)] for cells, before in zip(read_back[1:], wanted, strict=True)] == wanted
    place = read_back[0].index("reason")
    assert {cells[place] for cells in read_back[1:]} == {"because"}


@settings(max_examples=8, deadline=None)  # each takes a process of its own
@given(rows=st.lists(st.lists(SHEET_CELLS, min_size=3, max_size=3), min_size=1, max_size=40))
def test_rows_of_a_workbook_come_back_equal_but_for_their_reason(rows: list[list[Any]]) -> None:
    plain = [[cell.translate(UNWRITABLE) if isinstance(cell, str) else cell for cell in cells] for cells in rows]
    if all(cell == "" for cells in plain for cell in cells):
        return
    first = read(as_xlsx(plain, ["invoiceNumber", "due date", "currency"]))
    second = read(written(first))
    assert [record.line for record in second.records] == list(range(2, len(first.records) + 2))
    for before, after in zip(first.records, second.records, strict=True):
        assert second.frame.fields(after.body) == [*first.frame.fields(before.body), ("reason", "because")]


UNWRITABLE = dict.fromkeys([*range(32), *range(0x7F, 0xA0), 0xFFFE, 0xFFFF])  # no XML holds them


@given(
    st.binary(max_size=200) | st.text(max_size=200).map(lambda text: f"invoiceNumber;x\n{text}".encode(errors="ignore"))
)
def test_nothing_that_is_dropped_fails_in_any_other_way(body: bytes) -> None:
    with suppress(UnreadableError):
        submitted = read(body)
        assert written(submitted)
        assert all(submitted.frame.fields(record.body) is not None for record in submitted.records)


@given(st.lists(st.text(max_size=30), max_size=8), st.text(max_size=200))
def test_only_fields_that_there_are_are_at_fault(names: list[str], message: str) -> None:
    assert named_fields(names, [message])[0] <= set(names)
    assert valued_fields([("field", value) for value in names], [message]) <= set(range(len(names)))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("dueDate", "The due date lies in the past"),
        ("dueDate", "dueDate: in the past"),
        ("due_date", "DUE DATE in the past"),
        ("Due date", "dueDate is before invoiceDate"),
        ("nationalId", "Debtor is missing nationalId"),
        ("debtor.nationalId", "Debtor's national ID is missing"),
        ("debtor.address.postalCode", "Postal code 0000 is not valid"),
        ("debtor.address.postalCode", "invalid: debtor.address.postalCode"),
        ("email", "E-mail address is not valid"),
        ("organizationNumber", "Organisation number 123 must have nine digits"),
        ("Beløp", "beløp mangler"),
        ("KIDNumber", "kid number does not pass its check digit"),
    ],
)
def test_a_field_is_known_however_it_is_spelled(name: str, message: str) -> None:
    others = ["type", "invoice.id", "x"]
    assert named_fields([*others, name], [message]) == [{name}]


@pytest.mark.parametrize(
    ("names", "message", "wanted"),
    [
        (["date", "invoiceDate", "dueDate"], "Due date is before invoice date", {"invoiceDate", "dueDate"}),
        (["invoice", "invoiceNumber"], "Invoice number 17 is taken", {"invoiceNumber"}),
        (["debtor.name", "creditor.name"], "The name is missing", set()),
        (["debtor.name", "creditor.name"], "creditor.name is missing", {"creditor.name"}),
        (["date"], "update it", set()),
        (["", ".", "-"], "nothing . - is named", set()),
    ],
)
def test_the_longest_name_is_meant_and_never_one_of_several(names: list[str], message: str, wanted: set[str]) -> None:
    assert named_fields(names, [message]) == [wanted]


@pytest.mark.parametrize(
    ("values", "message", "wanted"),
    [
        (["2026-7", "Kari"], "No debtor for 2026-7.", {0}),
        (["-125", "125"], "It says -125.00, which is too little", {0}),
        (["4500,5", "4500"], "It says 4500.50", {0}),
        (["0150", "150"], "There is no place 0150 in Norway", {0}),
        (["150"], "There is no place 0150 in Norway", set()),
        (["Kari Nordmann", "Kari"], "“Kari Nordmann” is unknown", {0}),
        (["2026-02-01", "2026-02-01"], "Not after 2026-02-01", set()),  # which of them?
        (["2026-7", "Kari"], "2026-7 is not of Kari", set()),
        (["26"], "26 is not enough", set()),
        (["true"], "It must be true", set()),
        (["2026-7"], "2026-71 is unknown", set()),
        (["13:45", "99"], "at=13:45!", {0}),
    ],
)
def test_a_value_is_meant_if_it_alone_stands_in_a_message(values: list[str], message: str, wanted: set[int]) -> None:
    assert valued_fields([("field", value) for value in values], [message]) == wanted


def test_words_of_a_giant_message_are_read_once() -> None:
    assert words_of("aB" * 3)
    assert named_fields([f"field {n}" for n in range(2_000)], ["field " * 20_000]) == [set()]
    assert valued_fields([("n", f"field {n}") for n in range(2_000)], ["field 1." + "0" * 1_900 + "x"]) == set()
