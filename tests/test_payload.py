"""Answers of every generation, as they should be and as they should not."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from batches.amili.errors import NotUnderstood
from batches.amili.payload import BatchSnapshot, ErrorRow, LedgerResponse, Succeeded, read_batch
from tests.answers import (
    BATCH,
    ORGANISATION,
    OTHER,
    body,
    documented,
    error,
    ledger_response,
    of_first_generation,
    of_today,
    succeeded,
)


def read(data: Any) -> BatchSnapshot:
    return read_batch(body(data), BATCH)


def _facts(snapshot: BatchSnapshot) -> dict[str, object]:
    return {name: getattr(snapshot, name) for name in snapshot.__struct_fields__ if name != "absent_lists"}


# As documented


def test_the_documented_example_is_read_whole() -> None:
    moment = datetime(2019, 8, 24, 14, 15, 22, tzinfo=UTC)
    assert read_batch(json.dumps(documented()).encode(), BATCH) == BatchSnapshot(
        batch_id=BATCH,
        type="NONE",
        status="",
        statuscode=0,
        created_at=moment,
        finished_at=moment,
        organization_id=ORGANISATION,
        created_by="25a02396-1048-48f9-bf93-102d2fb7895e",
        errors=[ErrorRow(objectname="string", objectindex=0, message="string")],
        responses=[
            LedgerResponse(objectname="string", objectindex=0, ledgerref="string", status_statuscode="string"),
        ],
        succeeded=[
            Succeeded(
                kind="invoiceSuccess",
                invoice_number="string",
                case_id="string",
                invoice_id="4f163819-178d-470c-a246-d6768476a6ec",
            ),
        ],
        failed=["null"],
        odd_fields=[],
    )


def test_the_status_of_today_is_a_word_and_items_need_no_type() -> None:
    item = {"invoiceId": "i-1", "invoiceNumber": "INV-2025-001", "caseId": "c-1"}
    snapshot = read(of_today("PARTIAL", succeeded=[item], failed=[{"invoiceNumber": "INV-2025-002"}]))
    assert (snapshot.status, snapshot.statuscode, snapshot.errors) == ("PARTIAL", None, [])
    assert snapshot.succeeded == [Succeeded(invoice_id="i-1", invoice_number="INV-2025-001", case_id="c-1")]
    assert [json.loads(source) for source in snapshot.failed] == [{"invoiceNumber": "INV-2025-002"}]
    assert snapshot.finished_at == datetime(2026, 3, 9, 14, 30, 5, tzinfo=UTC)


def test_the_order_of_the_envelope_and_what_else_is_in_it_do_not_matter() -> None:
    answer = {"data": of_today(), "summary": None, "traceId": [1]}
    assert read_batch(json.dumps(answer).encode(), BATCH) == read(of_today())


def test_rows_keep_their_order_and_their_repetitions() -> None:
    indexes = [3, 1, 3, None, -1]
    snapshot = read(of_first_generation(errors=[error(index) for index in indexes]))
    assert [row.objectindex for row in snapshot.errors] == indexes


# Fields that are not as documented


@pytest.mark.parametrize(
    "name", ["type", "createdAt", "finishedAt", "organizationId", "createdBy", "succeeded", "failed"]
)
@pytest.mark.parametrize("value", [..., None], ids=["missing", "null"])
def test_a_field_that_says_nothing_is_no_oddity_and_costs_no_other(name: str, value: Any) -> None:
    data = of_first_generation(errors=[error(4)], succeeded=[succeeded()], failed=[{"a": 1}])
    whole = read(data)
    snapshot = read({key: part for key, part in {**data, name: value}.items() if part is not ...})
    assert snapshot.odd_fields == []
    assert snapshot.errors == whole.errors
    assert sum(_facts(snapshot)[key] != value for key, value in _facts(whole).items()) == 1


@pytest.mark.parametrize("value", [17, 1.5, True, [1], {"a": 1}, "nonsense"])
@pytest.mark.parametrize("name", ["createdAt", "finishedAt", "organizationId", "batchId"])
def test_a_mistyped_field_is_named_as_odd_and_costs_no_other(name: str, value: Any) -> None:
    snapshot = read(of_today("FAILED", failed=[1], **{name: value}))
    assert snapshot.odd_fields == [name]
    assert (snapshot.batch_id, snapshot.status, snapshot.failed) == (BATCH, "FAILED", ["1"])


@pytest.mark.parametrize(("value", "text"), [(17, "17"), (["a"], '["a"]'), (False, "false")])
@pytest.mark.parametrize("name", ["type", "status", "created_by"])
def test_a_word_that_is_none_is_shown_as_it_came(name: str, value: Any, text: str) -> None:
    field = {"created_by": "createdBy"}.get(name, name)
    snapshot = read({**of_today(), field: value})
    assert getattr(snapshot, name) == text
    assert snapshot.odd_fields == [field]


@pytest.mark.parametrize("value", [None, {}, ...], ids=["null", "empty", "missing"])
def test_an_answer_without_a_status_still_tells_of_its_items(value: Any) -> None:
    snapshot = read(of_today(value, succeeded=[succeeded(8)]))
    assert (snapshot.status, snapshot.statuscode, snapshot.odd_fields) == ("", None, [])
    assert snapshot.succeeded[0].invoice_number == "2026-8"


@pytest.mark.parametrize("statuscode", ["0", 2**70, 0.5, [0]])
def test_an_odd_statuscode_costs_no_error_row(statuscode: Any) -> None:
    snapshot = read(of_first_generation(statuscode=statuscode, errors=[error(2)]))
    assert (snapshot.statuscode, snapshot.odd_fields) == (None, ["status.statuscode"])
    assert snapshot.errors == [ErrorRow(objectname="Invoice", objectindex=2, message="Beløpet mangler")]


def test_one_thing_in_place_of_a_list_counts_as_a_list_of_it() -> None:
    snapshot = read(of_first_generation(errors=error(5), responses="none", succeeded=succeeded(3), failed={"a": 1}))
    assert [row.objectindex for row in snapshot.errors] == [5]
    assert snapshot.responses == [LedgerResponse(extra='"none"')]
    assert [row.invoice_number for row in snapshot.succeeded] == ["2026-3"]
    assert len(snapshot.failed) == 1
    assert snapshot.odd_fields == ["succeeded", "failed", "status.errors", "status.responses"]


# Rows that are not as documented

ODD_ROWS = [
    (None, ErrorRow(extra="null")),
    ("a text", ErrorRow(extra='"a text"')),
    ([1], ErrorRow(extra="[1]")),
    ({}, ErrorRow()),
    ({"message": "m"}, ErrorRow(message="m")),
    ({"objectindex": -4}, ErrorRow(objectindex=-4)),
    ({"objectindex": -(2**63)}, ErrorRow(objectindex=-(2**63))),
    ({"objectindex": 2**63 - 1}, ErrorRow(objectindex=2**63 - 1)),
    ({"objectindex": 2**63}, ErrorRow(extra='{"objectindex":9223372036854775808}')),
    ({"objectindex": "17"}, ErrorRow(objectindex=17)),
    ({"objectindex": 17.0}, ErrorRow(objectindex=17)),
    ({"objectindex": 3.5, "message": "m"}, ErrorRow(message="m", extra='{"objectindex":3.5}')),
    ({"objectindex": True}, ErrorRow(extra='{"objectindex":true}')),
    ({"message": 5, "objectname": False}, ErrorRow(message="5", objectname="false")),
    ({"message": ["m"], "objectindex": 1}, ErrorRow(objectindex=1, extra='{"message":["m"]}')),
    ({"message": "null", "severity": 2}, ErrorRow(message="null", extra='{"severity":2}')),
    ({"message": "m", "extra": "forged"}, ErrorRow(message="m", extra='{"extra":"forged"}')),
    ({"message": 5, "extra": ""}, ErrorRow(message="5", extra='{"extra":""}')),
]


@pytest.mark.parametrize(("source", "row"), ODD_ROWS, ids=lambda value: str(value)[:40])
def test_an_odd_row_keeps_what_can_be_read_and_its_neighbours_keep_all(source: Any, row: ErrorRow) -> None:
    whole = ErrorRow(objectname="Invoice", objectindex=9, message="Beløpet mangler")
    assert read(of_first_generation(errors=[error(9), source, error(9)])).errors == [whole, row, whole]


def test_a_whole_number_of_thousands_of_digits_is_kept_as_it_came() -> None:
    digits = "9" * 5000
    answer = body(of_first_generation(errors=[error("N")])).replace(b'"N"', digits.encode())
    row = read_batch(answer, BATCH).errors[0]
    assert (row.objectindex, row.message, row.extra) == (None, "Beløpet mangler", f'{{"objectindex":{digits}}}')


def test_other_kinds_and_unknown_fields_of_items_are_kept() -> None:
    payment = {"$type": "paymentSuccess", "paymentId": "p-1", "amount": 12.50}
    snapshot = read(of_today(succeeded=[payment, succeeded(1, caseId=None, note={"a": [1]})]))
    assert snapshot.succeeded[0] == Succeeded(kind="paymentSuccess", extra='{"paymentId":"p-1","amount":12.5}')
    assert (snapshot.succeeded[1].case_id, snapshot.succeeded[1].extra) == (None, '{"note":{"a": [1]}}')


def test_ledger_responses_keep_what_can_be_read() -> None:
    rows = read(of_first_generation(responses=[ledger_response(1, ledgerref=12), ledger_response([])])).responses
    assert [(row.objectindex, row.ledgerref, row.extra) for row in rows] == [
        (1, "12", ""),
        (None, "L-1", '{"objectindex":[]}'),
    ]


# Texts that not everybody can carry


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (r'"a\u0000b"', "a\ufffdb"),
        (r'"a\ud800b"', "a\ufffdb"),
        (r'"\\u0000"', r"\u0000"),
        (r'"\\\u0000"', "\\\ufffd"),
        (r'"\ud83d\ude00 \u0000"', "😀 \ufffd"),
    ],
)
def test_characters_that_no_database_carries_are_replaced_and_no_others(sent: str, shown: str) -> None:
    answer = body(of_first_generation(errors=[error(1, "M")])).replace(b'"M"', sent.encode())
    assert [row.message for row in read_batch(answer, BATCH).errors] == [shown]


def test_bytes_that_are_not_utf8_cost_one_character_each() -> None:
    answer = body(of_first_generation(errors=[error(1, "M")], type="T")).replace(b'"M"', b'"bel\xf8p"')
    snapshot = read_batch(answer.replace(b'"T"', b'"\xd8"'), BATCH)
    assert (snapshot.errors[0].message, snapshot.type) == ("bel\ufffdp", "\ufffd")


def test_a_byte_order_mark_before_the_answer_does_no_harm() -> None:
    assert read_batch(b"\xef\xbb\xbf" + body(of_today()), BATCH) == read(of_today())


def test_numbers_that_are_not_json_cost_no_row() -> None:
    numbers = ["NaN", "-Infinity", "1e999", "9" * 5000]
    answer = body(of_first_generation(errors=[error("NaN"), error(2)], failed=numbers))
    for number in numbers:
        answer = answer.replace(f'"{number}"'.encode(), number.encode())
    snapshot = read_batch(answer, BATCH)
    assert [row.objectindex for row in snapshot.errors] == [None, 2]
    assert snapshot.failed == ["null", "null", '"1e999"', f'"{"9" * 5000}"']


# Times


@pytest.mark.parametrize(
    ("sent", "moment"),
    [
        ("2026-02-06T10:11:12Z", datetime(2026, 2, 6, 10, 11, 12, tzinfo=UTC)),
        ("2026-02-06T10:11:12.123Z", datetime(2026, 2, 6, 10, 11, 12, 123000, tzinfo=UTC)),
        ("2026-02-06T10:11:12.1234567Z", datetime(2026, 2, 6, 10, 11, 12, 123457, tzinfo=UTC)),
        ("2025-12-31T23:59:59.9999999Z", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-02-06T10:11:12+01:00", datetime(2026, 2, 6, 9, 11, 12, tzinfo=UTC)),
        ("2026-02-06T10:11:12", datetime(2026, 2, 6, 10, 11, 12, tzinfo=UTC)),
    ],
)
def test_times_are_aware_whatever_their_precision_and_zone(sent: str, moment: datetime) -> None:
    created_at = read(of_today(createdAt=sent)).created_at
    assert created_at == moment
    assert created_at
    assert created_at.utcoffset() in (timedelta(0), timedelta(hours=1))


@pytest.mark.parametrize("sent", ["0001-01-01T00:00:00", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00"])
def test_the_year_one_stands_for_no_date(sent: str) -> None:
    snapshot = read(of_today(createdAt=sent, finishedAt=sent))
    assert (snapshot.created_at, snapshot.finished_at, snapshot.odd_fields) == (None, None, [])


@pytest.mark.parametrize(
    "sent",
    [
        "9999-12-31T23:59:59.9999999Z",
        "9999-12-31T23:59:59-14:00",
        "1899-12-30T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-02-06",
        "/Date(1566656122000)/",
        "",
        1566656122,
    ],
)
def test_a_time_that_no_batch_can_have_is_odd_and_not_believed(sent: Any) -> None:
    snapshot = read(of_today(finishedAt=sent))
    assert (snapshot.finished_at, snapshot.odd_fields) == (None, ["finishedAt"])


# Answers that are none


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"", "The answer is empty"),
        (b" \r\n", "The answer is empty"),
        (b"<!doctype html><title>Maintenance</title>", "The answer is a web page, not JSON"),
        (body(of_today())[:60], "The answer is not whole JSON: it goes wrong at character"),
        (b"OK", "The answer is not whole JSON: it goes wrong at character 0"),
        (body(of_today()).decode().encode("utf-16"), "The answer is not whole JSON"),
        (b"null", "holds no batch under “data”"),
        (b"[]", "holds no batch under “data”"),
        (b'{"summary": {"status": "SUCCESS"}}', "holds no batch under “data”"),
        (body(None), "holds no batch under “data”"),
        (body([of_today()]), "holds no batch under “data”"),
        (body({}), "names neither a batch nor a status"),
        (body({"succeeded": []}), "names neither a batch nor a status"),
        (body(of_today(batchId=str(OTHER))), "about another batch"),
        (body(of_today(failed=["N"])).replace(b'"N"', b"[" * 100_000 + b"]" * 100_000), "nested too deeply"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_is_no_answer_about_the_batch_says_why(answer: bytes, why: str) -> None:
    with pytest.raises(NotUnderstood, match=why):
        read_batch(answer, BATCH)


def test_another_way_to_write_the_same_id_is_no_other_batch() -> None:
    assert read(of_today(batchId=str(BATCH).upper())).batch_id == BATCH
    assert read(of_today(batchId=BATCH.hex)).odd_fields == []


def test_an_unnamed_batch_is_the_one_that_was_asked_for() -> None:
    asked = UUID(int=7)
    assert read_batch(body(of_today(batchId=...)), asked).batch_id == asked


# Counts


@pytest.mark.parametrize(
    ("errors", "failed", "objects"),
    [
        ([], [], 0),
        ([], [None], 0),
        ([], [None, {}], 0),
        ([], ["INV-1", None, {"a": 1}], 2),
        ([error(1), error(1), error(2)], [None], 2),
        ([error(1), error(None), error(None)], [], 3),
        ([error(1), error(1)], [1, 2, 3], 3),
        ([error(1), error(2)], [7], 2),
    ],
)
def test_failed_objects_are_counted_by_whichever_list_knows_of_more(errors: Any, failed: Any, objects: int) -> None:
    assert read(of_first_generation(errors=errors, failed=failed)).failed_objects == objects


@pytest.mark.parametrize("name", ["succeeded", "failed"])
def test_a_list_that_no_batch_can_have_is_not_worked_through(name: str) -> None:
    answer = body(of_today(**{name: "ITEMS"})).replace(b'"ITEMS"', b"[" + b"0," * 500_000 + b"0]")
    with pytest.raises(NotUnderstood, match="more than we take"):
        read_batch(answer, BATCH)
