"""Pages of lists: which batches stand in them, what else there is, and what can stand for a batch's own answer."""

import hashlib
import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batches.amili.errors import NotUnderstood
from batches.amili.payload import Listed, identity, read_batch, read_list
from tests.answers import BATCH, OTHER, Json, body, documented, error, of_first_generation, of_today, succeeded


def a_list(*items: Any, **envelope: Any) -> bytes:
    return json.dumps({"summary": {"status": "SUCCESS"}, "data": items, **envelope}).encode()


# Items


def test_an_item_is_what_an_answer_about_its_batch_would_be_byte_for_byte() -> None:
    source = (
        b'{ "batchId":"%s",\n\t"createdAt": "2026-03-09T14:30:00Z", "succeeded":[1.50, "\\u00e6"] }'
        % str(BATCH).encode()
    )
    page = read_list(b'{"data":[' + source + b"]}")
    assert page == ([Listed(BATCH, b'{"data":' + source + b"}", datetime(2026, 3, 9, 14, 30, tzinfo=UTC))], "", 0)


@pytest.mark.parametrize(
    "data", [documented()["data"], of_today("PARTIAL", succeeded=[succeeded()], failed=[{"a": 1}])]
)
def test_an_item_reads_like_the_answer_about_its_batch(data: Json) -> None:
    [item] = read_list(a_list(data)).items
    assert read_batch(item.body, item.batch_id) == read_batch(body(data), BATCH)
    assert identity(item.body) == identity(body(data))


def test_items_keep_their_order_and_their_repetitions() -> None:
    ids = [UUID(int=number) for number in (3, 1, 2, 3)]
    assert [item.batch_id for item in read_list(a_list(*(of_today(batchId=str(each)) for each in ids))).items] == ids


def test_an_empty_page_holds_nothing() -> None:
    assert read_list(a_list()) == ([], "", 0)


@pytest.mark.parametrize(
    "item",
    [
        None,
        5,
        "text",
        [],
        {},
        of_today(batchId=...),
        of_today(batchId=None),
        of_today(batchId="7"),
        of_today(batchId=7),
    ],
    ids=str,
)
def test_what_names_no_batch_is_counted_and_costs_no_other(item: Any) -> None:
    page = read_list(a_list(of_today(), item, of_today(batchId=str(OTHER))))
    assert ([item.batch_id for item in page.items], page.unreadable) == ([BATCH, OTHER], 1)


@pytest.mark.parametrize(
    "created_at", [..., None, "", "soon", 5, "0001-01-01T00:00:00Z", "9999-01-01T00:00:00Z"], ids=str
)
def test_a_batch_without_a_time_is_a_batch(created_at: Any) -> None:
    [item] = read_list(a_list(of_today(createdAt=created_at))).items
    assert (item.batch_id, item.created_at) == (BATCH, None)


@pytest.mark.parametrize("text", [r'"\u0000"', r'"\ud800"', '"\xff"', "NaN", "1e999", "-Infinity"])
def test_what_is_not_quite_json_costs_no_item(text: str) -> None:
    answer = a_list(of_today(type="ODD"), of_today(batchId=str(OTHER), createdBy="ODD"))
    page = read_list(answer.replace(b'"ODD"', text.encode("latin-1")))
    assert ([item.batch_id for item in page.items], page.unreadable) == ([BATCH, OTHER], 0)
    assert all(read_batch(item.body, item.batch_id).status == "SUCCESS" for item in page.items)


def test_a_byte_order_mark_before_the_list_does_no_harm() -> None:
    assert len(read_list(b"\xef\xbb\xbf" + a_list(of_today())).items) == 1


# The next page


@pytest.mark.parametrize(
    ("envelope", "token"),
    [
        ({"summary": {"status": "SUCCESS", "nextPageToken": "a b/+"}}, "a b/+"),
        ({"summary": {"nextPageToken": None}}, ""),
        ({"summary": {"nextPageToken": ""}}, ""),
        ({"summary": {"nextPageToken": 17}}, "17"),
        ({"summary": {"nextPageToken": True}}, ""),
        ({"summary": {"nextPageToken": ["x"]}}, ""),
        ({"summary": {}}, ""),
        ({"summary": None}, ""),
        ({"summary": "SUCCESS"}, ""),
        ({"nextPageToken": "x"}, "x"),
        ({"nextPageToken": None}, ""),
        ({"nextPageToken": 5}, "5"),
        ({"summary": {"nextPageToken": "in"}, "nextPageToken": "beside"}, "in"),
        ({"summary": {"nextPageToken": ""}, "nextPageToken": "beside"}, "beside"),
        ({}, ""),
    ],
    ids=str,
)
@pytest.mark.parametrize("comes", ["before", "after"])
def test_the_token_of_the_next_page_is_found_wherever_it_stands(envelope: Json, token: str, comes: str) -> None:
    data: Json = {"data": [of_today()]}
    answer = json.dumps({**envelope, **data} if comes == "before" else {**data, **envelope}).encode()
    assert read_list(answer).next_token == token


# What is no list


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"", "The answer is empty"),
        (b"<!doctype html><title>Maintenance</title>", "The answer is a web page, not JSON"),
        (a_list(of_today())[:90], "The answer is not whole JSON"),
        (b"null", "holds no list of batches"),
        (b"[]", "holds no list of batches"),
        (b'{"summary": {}}', "holds no list of batches"),
        (b'{"data": null}', "holds no list of batches"),
        (b'{"data": 5}', "holds no list of batches"),
        (body(of_today()), "holds no list of batches"),
        (b'{"data": [' + b"[" * 100_000 + b"]" * 100_000 + b"]}", "nested too deeply"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_is_no_list_says_why(answer: bytes, why: str) -> None:
    with pytest.raises(NotUnderstood, match=why):
        read_list(answer)


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None, max_examples=100)
@given(st.lists(junk, max_size=5), junk, junk, st.binary(max_size=8), st.integers(0, 200))
def test_no_batch_is_lost_whatever_stands_beside_it(
    items: list[Any], summary: Any, token: Any, patch: bytes, at: int
) -> None:
    answer = a_list(*items, of_today(), *items, summary=summary, nextPageToken=token)
    assert [item.batch_id for item in read_list(answer).items if item.batch_id == BATCH] == [BATCH]
    with suppress(NotUnderstood):
        read_list(answer[:at] + patch + answer[at:])


# What can stand for a batch's own answer


WHOLE = [
    of_today("QUEUED", finishedAt=None),
    of_today("QUEUED"),
    of_today("SUCCESS", succeeded=[succeeded()]),
    of_today("success", succeeded=[succeeded()]),
    of_today("FAILED", failed=[{"invoiceNumber": "1"}]),
    of_today("PARTIAL", succeeded=[succeeded()], failed=["INV-1"]),
    of_first_generation(finishedAt=None),
    of_first_generation(succeeded=[succeeded()]),
    of_first_generation(errors=[error()]),
    of_first_generation(statuscode=None, errors=[error()]),
]
NOT_WHOLE = [
    of_today("SUCCESS"),
    of_today("FAILED", succeeded=[succeeded()]),
    of_today("PARTIAL", succeeded=[succeeded()]),
    of_today("PARTIAL", failed=["INV-1"]),
    of_today("ON_HOLD", succeeded=[succeeded()]),
    of_today(None, succeeded=[succeeded()]),
    of_today(..., succeeded=[succeeded()]),
    of_today("SUCCESS", succeeded=[succeeded()], failed=...),
    of_today("SUCCESS", succeeded=[succeeded()], failed=None),
    of_today("SUCCESS", succeeded=[succeeded()], failed={}),
    of_today("SUCCESS", succeeded=[succeeded()], failed=[{}]),
    of_today("SUCCESS", succeeded=[succeeded()], failed=[None]),
    of_today("SUCCESS", succeeded=[succeeded(), {}]),
    of_today("SUCCESS", succeeded=[None]),
    of_today("SUCCESS", succeeded=[succeeded()], createdAt=None),
    of_today("SUCCESS", succeeded=[succeeded()], finishedAt="soon"),
    of_today("QUEUED", succeeded=...),
    of_today("QUEUED", succeeded=[{}], failed=[{}]),
    of_first_generation(),
    of_first_generation(errors=None, succeeded=[succeeded()]),
    of_first_generation(errors=[{}], succeeded=[succeeded()]),
    of_first_generation(errors=[error(), None]),
    documented()["data"],
]


@pytest.mark.parametrize("data", WHOLE, ids=str)
def test_an_item_with_all_its_rows_is_whole(data: Json) -> None:
    assert read_batch(body(data), BATCH).is_whole


@pytest.mark.parametrize("data", NOT_WHOLE, ids=str)
def test_an_item_that_may_lack_something_is_not_whole(data: Json) -> None:
    assert not read_batch(body(data), BATCH).is_whole


# Identity


def test_answers_that_say_the_same_are_the_same_whatever_their_envelope_says() -> None:
    data = json.dumps(of_today())
    answers = [
        f'{{"summary": {{"status": "SUCCESS"}}, "data": {data}}}',
        f'{{"data":{data},"traceId":"7","summary":null}}',
        f'\n{{ "data" : {data} }}\n',
    ]
    assert {identity(answer.encode()) for answer in answers} == {hashlib.sha256(data.encode()).digest()}


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        b'{"summary": {}}',
        body(of_today())[:-1],
        b"\xef\xbb\xbf" + body(of_today()),
        b"\xff",
    ],
)
def test_an_answer_without_an_envelope_is_itself(answer: bytes) -> None:
    assert identity(answer) == hashlib.sha256(answer).digest()


def test_answers_that_say_other_things_are_others() -> None:
    answers = [body(of_today()), body(of_today("FAILED")), body(None), body([of_today()]), b"<html>"]
    assert len({identity(answer) for answer in answers}) == len(answers)


def test_a_page_of_many_more_than_were_asked_for_is_not_worked_through() -> None:
    with pytest.raises(NotUnderstood, match="many more"):
        read_list(json.dumps({"data": [0] * 1_001}).encode())


def test_a_page_token_can_be_kept_whatever_it_holds() -> None:
    page = read_list(json.dumps({"data": [], "summary": {"nextPageToken": "a\0b"}}).encode())
    assert page.next_token == "a\ufffdb"
