"""One honest word for what became of a batch."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batches.amili.payload import BatchSnapshot, read_batch
from batches.verdict import doubts_about, outcome_of
from batches.words import FINISHED, Doubt, Outcome
from tests.answers import BATCH, Json, body, documented, error, of_first_generation, of_today, succeeded

CREATED, FINISHED_AT = "2026-03-09T14:30:00Z", "2026-03-09T14:30:05Z"
GOOD, BAD = [succeeded()], [{"invoiceNumber": "2026-2"}]


def read(data: Json, summary: Any = None) -> BatchSnapshot:
    return read_batch(body(data, summary), BATCH)


# The answers of today


@pytest.mark.parametrize(
    ("status", "went_through", "failed", "outcome", "doubts"),
    [
        ("SUCCESS", GOOD, [], Outcome.SUCCEEDED, []),
        ("SUCCESS", GOOD, [None], Outcome.SUCCEEDED, []),
        ("success ", GOOD, [], Outcome.SUCCEEDED, []),
        ("SUCCESS", GOOD, BAD, Outcome.PARTIAL, [Doubt.SUCCESS_WITH_FAILURES]),
        ("SUCCESS", [], BAD, Outcome.FAILED, [Doubt.SUCCESS_WITH_FAILURES]),
        ("SUCCESS", [], [], Outcome.SUCCEEDED, [Doubt.FINISHED_WITHOUT_OBJECTS]),
        ("PARTIAL", GOOD, BAD, Outcome.PARTIAL, []),
        ("PARTIAL", GOOD, [], Outcome.PARTIAL, [Doubt.PARTIAL_WITHOUT_FAILURES]),
        ("PARTIAL", [], BAD, Outcome.FAILED, [Doubt.PARTIAL_WITHOUT_SUCCESSES]),
        ("PARTIAL", [], [], Outcome.PARTIAL, [Doubt.FINISHED_WITHOUT_OBJECTS]),
        ("FAILED", [], BAD, Outcome.FAILED, []),
        ("FAILED", GOOD, [], Outcome.FAILED, [Doubt.FAILED_WITH_SUCCESSES]),
        ("FAILED", [], [], Outcome.FAILED, [Doubt.FINISHED_WITHOUT_OBJECTS]),
        ("QUEUED", [], [], Outcome.QUEUED, []),
        ("QUEUED", GOOD, [], Outcome.IN_PROGRESS, [Doubt.QUEUED_WITH_OBJECTS]),
        ("QUEUED", [], BAD, Outcome.IN_PROGRESS, [Doubt.QUEUED_WITH_OBJECTS]),
        ("ON_HOLD", [], [], Outcome.UNKNOWN, [Doubt.UNKNOWN_STATUS]),
        ("ON_HOLD", GOOD, [], Outcome.UNKNOWN, [Doubt.UNKNOWN_STATUS]),
        (17, GOOD, [], Outcome.UNKNOWN, [Doubt.UNKNOWN_STATUS]),
    ],
)
def test_a_word_is_believed_as_far_as_the_rows_bear_it(
    status: Any, went_through: list[Any], failed: list[Any], outcome: Outcome, doubts: list[Doubt]
) -> None:
    snapshot = read(of_today(status, succeeded=went_through, failed=failed))
    assert outcome_of(snapshot) == outcome
    assert doubts_about(snapshot) == doubts


@pytest.mark.parametrize("finished_at", [..., None, CREATED, FINISHED_AT, "0001-01-01T00:00:00", "soon"])
@pytest.mark.parametrize(("status", "outcome"), [("QUEUED", Outcome.QUEUED), ("SUCCESS", Outcome.SUCCEEDED)])
def test_a_word_decides_whatever_the_time_of_finishing_says(status: str, outcome: Outcome, finished_at: Any) -> None:
    assert outcome_of(read(of_today(status, finishedAt=finished_at))) == outcome


# The answers of the first generation


def test_the_documented_example_is_partly_succeeded() -> None:
    snapshot = read(documented()["data"])
    assert outcome_of(snapshot) == Outcome.PARTIAL
    assert doubts_about(snapshot) == []


@pytest.mark.parametrize(
    ("finished_at", "errors", "went_through", "failed", "outcome"),
    [
        (FINISHED_AT, [], GOOD, [None], Outcome.SUCCEEDED),
        (FINISHED_AT, [error(1)], GOOD, [None], Outcome.PARTIAL),
        (FINISHED_AT, [error(1)], [], [None], Outcome.FAILED),
        (FINISHED_AT, [], [], BAD, Outcome.FAILED),
        (FINISHED_AT, [], [], [None], Outcome.UNKNOWN),
        (CREATED, [], [], [None], Outcome.QUEUED),
        (CREATED, [], GOOD, [], Outcome.SUCCEEDED),
        (..., [], [], [], Outcome.QUEUED),
        (None, [], [], [], Outcome.QUEUED),
        ("0001-01-01T00:00:00", [], [], [], Outcome.QUEUED),
        (None, [error(1)], [], [], Outcome.IN_PROGRESS),
        (None, [], GOOD, [], Outcome.IN_PROGRESS),
    ],
)
def test_without_a_word_the_finish_and_the_lists_tell(
    finished_at: Any, errors: list[Any], went_through: list[Any], failed: list[Any], outcome: Outcome
) -> None:
    data = of_first_generation(errors=errors, finishedAt=finished_at, succeeded=went_through, failed=failed)
    assert outcome_of(read(data)) == outcome


def test_error_rows_and_failed_items_about_different_numbers_of_objects_are_a_doubt() -> None:
    agreeing = of_first_generation(errors=[error(1), error(1), error(2)], failed=[*BAD, *BAD])
    differing = of_first_generation(errors=[error(1), error(1)], failed=[*BAD, *BAD])
    assert doubts_about(read(agreeing)) == []
    assert doubts_about(read(differing)) == [Doubt.LISTS_DISAGREE]


# Whatever the answer

KNOWN = ["SUCCESS", "PARTIAL", "FAILED", "QUEUED"]
things = st.lists(st.none() | st.just({}) | st.just("INV-1") | st.just({"invoiceNumber": "2026-9"}), max_size=3)
common = {
    "succeeded": st.lists(st.builds(succeeded, st.integers(0, 9)), max_size=3),
    "failed": things,
    "finishedAt": st.sampled_from([CREATED, FINISHED_AT, None]),
}
of_both_generations = st.one_of(
    st.builds(of_today, st.sampled_from(KNOWN) | st.text(max_size=8), **common),
    st.builds(
        of_first_generation, errors=st.lists(st.builds(error, st.none() | st.integers(0, 3)), max_size=3), **common
    ),
)
quick = settings(deadline=None, max_examples=100)


@quick
@given(of_both_generations)
def test_a_batch_in_which_something_failed_is_never_called_succeeded(data: Json) -> None:
    snapshot = read(data)
    outcome = outcome_of(snapshot)
    if snapshot.failed_objects:
        assert outcome != Outcome.SUCCEEDED
        assert outcome != Outcome.PARTIAL or snapshot.succeeded


@quick
@given(of_both_generations, st.sampled_from([*KNOWN, "ERROR", None, {}]))
def test_the_word_about_the_call_says_nothing_of_the_batch(data: Json, word: Any) -> None:
    assert outcome_of(read(data, {"status": word})) == outcome_of(read(data, {"note": "no word at all"}))


@quick
@given(of_both_generations, st.text(min_size=1).filter(lambda word: word.strip().upper() not in KNOWN))
def test_a_word_that_nobody_knows_counts_as_unfinished_and_is_a_doubt(data: Json, word: str) -> None:
    snapshot = read({**data, "status": word})
    assert outcome_of(snapshot) == Outcome.UNKNOWN
    assert outcome_of(snapshot) not in FINISHED
    assert Doubt.UNKNOWN_STATUS in doubts_about(snapshot)
