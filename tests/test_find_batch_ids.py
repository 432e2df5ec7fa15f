"""Any text that holds a batch ID."""

import json
from urllib.parse import quote
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from batches.forms import find_batch_ids
from tests.answers import BATCH, ORGANISATION, OTHER, documented

ID = str(BATCH)
quick = settings(deadline=None, max_examples=100)


@pytest.mark.parametrize(
    "text",
    [
        ID,
        ID.upper(),
        BATCH.hex,
        BATCH.hex.upper(),
        f"  {ID}\t\r\n",
        f"{{{ID}}}",
        f"({ID})",
        f'"{ID}",',
        f"<{ID}>",
        f"urn:uuid:{ID}",
        f"batch{ID}",
        f"BatchId{ID}",
        f"Batch ID{ID}Status: failed",
        f"{ID}.",
        f"{ID}/",
        f"{ID}_20260309.json",
        f"Hei! Kan du sjekke batch {ID}? Takk.",
        f"https://api.amili.no/collection/v1/batches/{ID}",
        f"https://api.amili.no/collection/v1/orgs/{ORGANISATION}/batches/{ID}",
        f"https://dashboard.example/batches/{ID}/?tab=errors&index=10-20#row-17",
        f"https://safelinks.example/?url={quote(f'https://dashboard.example/batches/{ID}/', safe='')}&data=05",
        f"/accounts/login/?next=%2Fbatches%2F{ID}%2F",
        f"%7B{ID}%7D",
        f"2026-03-09 14:30:00,123 INFO org={ORGANISATION} batch_id={ID} request={OTHER} 202 Accepted",
        f"[{ORGANISATION}] Batch-ID: {ID} case {OTHER}",
        f"batchUuid={ID}&organizationId={ORGANISATION}",
        f'{{"batchUrl": "https://api.amili.no/collection/v1/orgs/{ORGANISATION}/batches/{ID}"}}',
        json.dumps(documented()),
        json.dumps(documented(), indent=2),
        json.dumps(json.dumps(documented())),
        ID.replace("-", "\u2011"),
        ID.replace("-", "\u2013"),
        ID.replace("-", "\u2212"),
        ID.replace("-", "\u00ad-"),
        ID.replace("-", "\uff0d"),
        f"\ufeff{ID}\u200b",
        "\u200b".join(ID),
        "".join(chr(ord(sign) + 0xFEE0) for sign in ID),
        f"sha256 {'ab' * 32} batch {ID}",
        f"{'ab' * 32}\n{ID}",
        f"{UUID(int=0)} {ID}",
    ],
)
def test_the_batch_id_is_found(text: str) -> None:
    assert find_batch_ids(text) == [BATCH]


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "batch",
        "INV-2024-00123",
        "5579c111-9c50-47e2-af92",
        ID[:-1],
        f"{ID}0",
        f"a{ID}",
        ID.replace("-", " "),
        ID.replace("c", "g"),
        "ab" * 32,
        "AB" * 20,
        "12345678901234567890123456789012345",
        str(UUID(int=0)),
        "\0\ud800%FF%",
    ],
)
def test_a_text_that_holds_no_batch_id_gives_none(text: str) -> None:
    assert find_batch_ids(text) == []


@pytest.mark.parametrize(
    "text",
    [
        f"{ID} {OTHER}",
        f"{ID},{OTHER}",
        f"{ID}\n{OTHER}\n{ID}",
        f"{BATCH.hex.upper()}\r\n{{{OTHER}}}",
        f"Batches: {ID}, {OTHER}",
        f"Batch IDs:\n{ID}\n{OTHER}\n",
        f"Batches {ID} and {OTHER} have failed",
        f"batch {ID} og {OTHER}",
        f'"batchIds": ["{ID}", "{OTHER}"], "organizationId": "{ORGANISATION}"',
        f"/orgs/{ORGANISATION}/batches/{ID}\n/orgs/{ORGANISATION}/batches/{OTHER}",
        f"Invoice;Id\n1;{ID}\n2;{OTHER}\n1;{ID}",
    ],
)
def test_several_ids_are_found_in_order_and_each_once(text: str) -> None:
    assert find_batch_ids(text) == [BATCH, OTHER]


def test_an_id_that_is_called_nothing_is_taken_for_a_batch() -> None:
    assert find_batch_ids(f"orgs/{ORGANISATION}") == [ORGANISATION]


@quick
@given(
    st.uuids().filter(lambda uuid: uuid.int),
    st.sampled_from([str, lambda uuid: uuid.hex, lambda uuid: str(uuid).upper(), lambda uuid: f"{{{uuid}}}"]),
    st.text("ghijklm ,.:;!?/\n\"'()<>", max_size=20),
    st.text("ghijklm ,.:;!?/\n\"'()<>", max_size=20),
)
def test_an_id_is_found_whatever_stands_around_it(uuid: UUID, write: object, before: str, after: str) -> None:
    assert callable(write)
    assert find_batch_ids(f"{before}{write(uuid)}{after}") == [uuid]


@quick
@given(st.text(st.characters(categories=None)) | st.text("batch-5579c111 {}%\u2011", max_size=200))
@example("batch" * 10_000)
@example("batch " + " " * 90_000)
@example("5579c111-9c50-47e2-af92-" * 4_000)
@example("ab" * 50_000)
def test_no_text_makes_it_fail_or_gives_anything_but_ids(text: str) -> None:
    assert all(isinstance(uuid, UUID) for uuid in find_batch_ids(text))
