"""The table of what Amili's answers mean: every row of it is played, and the README shows the same."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from batches import tasks, upstream
from batches.meanings import MEANINGS, Meaning
from batches.models import Batch
from batches.words import Outcome, Trouble
from tests.conftest import Amili
from tests.pages import seen

README = (Path(__file__).parent.parent / "README.md").read_text()

PLAYED = {
    "200, of either generation": [],
    "200, as the last time": ["well"],
    "200 that is a web page, a text, empty, cut, or about another batch": ["html", "text", "empty", "cut", "another"],
    "200 beyond the limit of size, as it comes or unpacked, or packed twice": ["huge", "bomb", "nested"],
    "400, 422, and other refusals": [400, 422, 418],
    "401, with a new token too": [401],
    "403": [403],
    "404": [404],
    "409": [409],
    "410": [410],
    "429": [429],
    "500, 502, 503, 504": [500, 502, 503, 504],
    "No connection, a reset, a time-out, a drip without end": ["reset", "slow", "drip"],
    "An answer that a fault of ours keeps from being recorded": [],  # played in tests/test_record.py
}
PLAYS = [(meaning, fault) for meaning in MEANINGS for fault in PLAYED[meaning.answer]]


TRIED_AGAIN = (502, 503, 504, "reset")
ROADS = 2


@pytest.fixture
def quick(amili: Amili, settings: Settings) -> Amili:
    """An answer need not be huge to be too large."""
    settings.AMILI_MAX_ANSWER_MIB = 1
    upstream.forget_client()
    return amili


def ask(amili: Amili, batch_id: object) -> Batch:
    tasks.ask_now([batch_id])
    tasks.refresh_batch(str(batch_id))
    return Batch.objects.get(pk=batch_id)


def in_words(again: timedelta | None) -> str:
    if again is None:
        return "only when somebody wants it"
    if not again:
        return "at its pace"
    seconds = int(again.total_seconds())
    return f"after {seconds // 60} min" if seconds >= 60 else f"after {seconds} s"


def word(meaning: Meaning) -> str:
    return str(meaning.trouble.label) if meaning.trouble else "its outcome"


def table() -> str:
    rows = [
        f"| {meaning.answer} | {meaning.kept} | {in_words(meaning.again)} | {word(meaning)} |" for meaning in MEANINGS
    ]
    return "\n".join(["| Answer | What is kept | Asked again | Word on the page |", "| --- | --- | --- | --- |", *rows])


def test_the_readme_shows_the_table() -> None:
    assert table() in README


def test_the_table_knows_every_trouble() -> None:
    assert {meaning.trouble for meaning in MEANINGS} == set(Trouble)
    assert {meaning.answer for meaning in MEANINGS} == set(PLAYED)


@pytest.mark.parametrize(("meaning", "fault"), PLAYS, ids=[f"{fault}" for _, fault in PLAYS])
@pytest.mark.parametrize("generation", ["A", "C"])
def test_each_answer_has_its_word_its_next_question_and_leaves_the_facts_alone(
    quick: Amili, settings: Settings, client: Client, meaning: Meaning, fault: object, generation: str
) -> None:
    if fault in ("slow", "drip"):  # who takes for ever is not waited for long here
        settings.AMILI_TIME_LIMITS = {"connect": 1, "read": 1, "whole": 1}
    tries = 3 if fault in TRIED_AGAIN else 1
    faults = ["well", *[fault] * tries * ROADS]
    batch_id = quick.start(generation=generation, fate="partial", objects=80, queued_seconds=0, faults=faults)
    tasks.follow([batch_id])
    facts = ask(quick, batch_id)
    assert (facts.outcome, facts.trouble) == (Outcome.PARTIAL, "")
    kept = facts.answers.count()

    batch = ask(quick, batch_id)
    assert batch.trouble == meaning.trouble
    assert (batch.outcome, batch.digest, batch.checked_at >= facts.checked_at) == (facts.outcome, facts.digest, True)
    assert batch.errors.count() + batch.failed_item_count > 0
    assert batch.answers.count() == kept + (meaning.kept.startswith("the answer as a version"))
    page = seen(client.get(batch.get_absolute_url()))
    assert word(meaning) in page or not meaning.trouble
    if meaning.again is None:
        assert batch.next_check_at is None
    else:
        assert batch.next_check_at >= batch.asked_at + meaning.again

    while batch.trouble:  # as often as it was to fail
        batch = ask(quick, batch_id)
    assert (batch.trouble, batch.outcome, batch.digest) == ("", facts.outcome, facts.digest)


def test_nobody_answering_at_all_is_unreachable(db: None, nobody_answers: None) -> None:
    tasks.follow([(batch_id := "5579c111-9c50-47e2-af92-f16d52e63189")])
    tasks.refresh_batch(batch_id)
    assert Batch.objects.get().trouble == Trouble.UNREACHABLE


def test_amili_s_retry_after_is_kept_to(quick: Amili, db: None) -> None:
    batch_id = quick.start(queued_seconds=60, faults=[429])
    tasks.follow([batch_id])
    batch = ask(quick, batch_id)
    assert batch.trouble == Trouble.BUSY
    assert batch.next_check_at >= batch.asked_at + timedelta(seconds=7)
    assert re.search(r"\d", batch.trouble_detail)
