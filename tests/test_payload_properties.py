"""What holds for every answer: nothing but NotUnderstood is ever raised, and no valid row is ever lost."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from batches.amili.errors import NotUnderstood
from batches.amili.payload import BatchSnapshot, ErrorRow, LedgerResponse, Succeeded, read_batch
from batches.pretty import fields_of
from batches.verdict import doubts_about, outcome_of
from tests.answers import BATCH, Json, body, documented, error, of_first_generation, of_today, succeeded

quick = settings(deadline=None, max_examples=100)

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
hostile_texts = st.text(st.characters(categories=None), max_size=20)
indexes = st.integers(-(2**63), 2**63 - 1)

junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["null", "17", "SUCCESS", 2**80])
    | hostile_texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(hostile_texts, inner, max_size=3),
    max_leaves=8,
)


def rows(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    """Rows as documented, or with fields left out or null, under the names of the JSON."""
    return st.fixed_dictionaries({}, optional={name: st.none() | values for name, values in fields.items()})


errors = rows(objectname=texts, objectindex=indexes, message=texts)
responses = rows(objectname=texts, objectindex=indexes, ledgerref=texts, status_statuscode=texts)
items = rows(**{"$type": texts, "invoiceNumber": texts, "invoiceId": texts, "caseId": texts})

moments = st.datetimes().map(lambda moment: moment.isoformat() + "Z")


def mixed(valid: st.SearchStrategy[Json]) -> st.SearchStrategy[list[tuple[bool, Any]]]:
    """Valid rows, each with True, and junk between them."""
    return st.lists(st.tuples(st.just(True), valid) | st.tuples(st.just(False), junk), max_size=6)


documents = st.sampled_from(
    [
        documented()["data"],
        of_today("PARTIAL", succeeded=[succeeded()], failed=[{"invoiceNumber": "2026-2"}]),
        of_first_generation(
            errors=[error(1), error(2, severity=3)], succeeded=[succeeded(), {"amount": 1}], failed=[None]
        ),
    ]
)


def read(answer: bytes) -> BatchSnapshot | None:
    """What is understood of an answer. Any error but NotUnderstood fails the test."""
    try:
        return read_batch(answer, BATCH)
    except NotUnderstood:
        return None


def kept(sent: list[tuple[bool, Any]], received: list[Any], kind: type[Any]) -> bool:
    """Whether as many rows came as were sent, and each valid one in its place as it was."""
    expected = [msgspec.convert(row, kind) if is_valid else None for is_valid, row in sent]
    return len(expected) == len(received) and all(
        row in (None, came) for row, came in zip(expected, received, strict=True)
    )


@quick
@given(mixed(errors), mixed(responses), mixed(items), junk)
def test_valid_rows_survive_whatever_stands_beside_them(
    errors: list[tuple[bool, Any]], responses: list[tuple[bool, Any]], items: list[tuple[bool, Any]], statuscode: Any
) -> None:
    lists = [[row for _, row in sent] for sent in (errors, responses, items)]
    data = of_first_generation(statuscode=statuscode, errors=lists[0], responses=lists[1], succeeded=lists[2])
    snapshot = read(body(data))
    assert snapshot
    assert kept(errors, snapshot.errors, ErrorRow)
    assert kept(responses, snapshot.responses, LedgerResponse)
    assert kept(items, snapshot.succeeded, Succeeded)


ATTRIBUTES = {
    "type": {"type"},
    "status": {"status", "statuscode", "errors", "responses"},
    "createdAt": {"created_at"},
    "finishedAt": {"finished_at"},
    "organizationId": {"organization_id"},
    "createdBy": {"created_by"},
    "succeeded": {"succeeded"},
    "failed": {"failed"},
    "aFieldThatNobodyKnows": set[str](),
}


@quick
@given(documents, st.sampled_from(sorted(ATTRIBUTES)), junk | moments)
def test_a_field_that_went_wrong_costs_itself_alone(data: Json, name: str, value: Any) -> None:
    before, after = read(body(data)), read(body({**data, name: value}))
    assert before
    assert after
    for attribute in {*before.__struct_fields__} - ATTRIBUTES[name] - {"odd_fields", "absent_lists"}:
        assert getattr(after, attribute) == getattr(before, attribute)


@quick
@given(documents, junk, junk)
def test_what_became_of_a_batch_never_depends_on_the_summary(data: Json, one: Any, other: Any) -> None:
    snapshots = [
        read(json.dumps({"summary": summary, "data": data}).encode())
        for summary in (one, {"status": other}, {"status": "FAILED"}, {"status": "SUCCESS"})
    ]
    assert all(snapshots)
    assert len({(outcome_of(snapshot), *doubts_about(snapshot)) for snapshot in snapshots if snapshot}) == 1


@quick
@given(documents, st.data())
def test_a_document_with_a_part_exchanged_is_read_or_not_understood(data: Json, choice: st.DataObject) -> None:
    changed = json.loads(json.dumps({"data": data}))
    place, key = choice.draw(st.sampled_from(list(_places(changed))))
    place[key] = choice.draw(junk)
    read(json.dumps(changed).encode())


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a document that holds something, as its container and its key there."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


@quick
@given(
    documents, st.integers(0, 800), st.integers(0, 30), st.binary(max_size=12) | st.sampled_from([b"\\u0000", b"NaN"])
)
def test_a_document_with_bytes_exchanged_is_read_or_not_understood(
    data: Json, start: int, length: int, patch: bytes
) -> None:
    answer = body(data)
    read(answer[:start] + patch + answer[start + length :])


@quick
@given(st.binary(max_size=60) | junk.map(body) | junk.map(lambda value: json.dumps(value).encode()))
def test_anything_at_all_is_read_or_not_understood(answer: bytes) -> None:
    read(answer)


@quick
@given(st.lists(junk, max_size=4), junk, st.booleans())
def test_whatever_is_read_can_be_kept_and_shown(parts: list[Any], value: Any, is_old: bool) -> None:
    lists = {"succeeded": parts, "failed": parts, "type": value, "createdBy": value}
    data = of_first_generation(errors=parts, responses=parts, **lists) if is_old else of_today(value, **lists)
    snapshot = read(body(data))
    assert snapshot
    for text in _texts(msgspec.to_builtins(snapshot)):
        assert "\0" not in text
        text.encode()
        assert all("\0" not in shown and shown.encode() is not None for _, shown in fields_of(text))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)
