"""What is said to differ between two answers."""

import random
from typing import Any

import pytest

from batches.differences import Difference, difference
from batches.differences.words import Change, Obstacle
from batches.words import Outcome
from tests.answers import BATCH, Json, body, error, ledger_response, of_first_generation, of_today, succeeded

ADDED, GONE, CHANGED, SAME = Change.ADDED, Change.GONE, Change.CHANGED, Change.SAME


def compared(before: Json | bytes, after: Json | bytes) -> Difference:
    old, new = (each if isinstance(each, bytes) else body(each) for each in (before, after))
    return difference(old, new, BATCH)


def facts(found: Difference) -> dict[str, tuple[Any, Any]]:
    return {str(fact.label): (fact.before, fact.after) for fact in found.facts}


def counts(found: Difference, name: str = "Errors") -> dict[Change, int]:
    """How many rows of a list changed how."""
    each = next(each for each in found.lists if each.label == name)
    return {group.change: group.count for group in each.groups} | {SAME: each.same}


def rows(found: Difference, change: Change, name: str = "Errors") -> list[list[str]]:
    """The texts of the rows shown; of a changed one `before > after`."""
    groups = [group for each in found.lists if each.label == name for group in each.groups if group.change == change]
    return [
        [f"{cell.before} > {cell.text}" if cell.has_changed else cell.text for cell in row]
        for group in groups
        for row in group.rows
    ]


def lines(found: Difference) -> list[tuple[Change, str]]:
    return [line for hunk in found.hunks for line in hunk if line[0] != SAME]


# Facts


def test_the_facts_that_changed_are_named_with_before_and_after_and_no_others() -> None:
    found = facts(compared(of_today("QUEUED"), of_today("PARTIAL", succeeded=[succeeded()], failed=[{"a": 1}])))
    assert found["Outcome"] == (Outcome.QUEUED, Outcome.PARTIAL)
    assert found["Status at Amili"] == ("QUEUED", "PARTIAL")
    assert found["Succeeded objects"] == found["Failed objects"] == (0, 1)
    assert found["Finished"][0] is None
    assert found.keys() == {"Outcome", "Status at Amili", "Succeeded objects", "Failed objects", "Finished"}


def test_the_code_of_the_first_generation_is_its_status() -> None:
    found = facts(compared(of_first_generation(statuscode=3), of_today("QUEUED")))
    assert found["Status at Amili"] == ("code 3", "QUEUED")


def test_what_does_not_add_up_and_what_is_of_another_type_is_a_fact_too() -> None:
    found = facts(compared(of_today("SUCCESS", succeeded=[succeeded()]), of_today("SUCCESS", failed="all", type=[1])))
    assert "lists objects that failed" in found["What does not add up"][1]
    assert found["Not of the documented type"][1] == "type, failed"


def test_a_finish_that_amili_fills_in_before_there_is_one_is_no_fact() -> None:
    found = compared(of_today("QUEUED"), of_today("QUEUED", finishedAt="2026-03-09T14:31:00Z"))
    assert not found.facts
    assert found.obstacle == Obstacle.SAME_FACTS
    assert lines(found)[0] == (GONE, '    "finishedAt": "2026-03-09T14:30:05Z",')


# Rows


def test_rows_are_compared_as_multisets() -> None:
    before = of_first_generation(errors=[error(1), error(1), error(2), error(3)])
    after = of_first_generation(errors=[error(3), error(1), error(4, "Ukjent"), error(5)])
    found = compared(before, after)
    assert counts(found) == {ADDED: 2, GONE: 2, SAME: 2}
    assert rows(found, ADDED) == [["4", "Invoice", "Ukjent"], ["5", "Invoice", "Beløpet mangler"]]
    assert [row[0] for row in rows(found, GONE)] == ["1", "2"]


def test_a_row_of_the_same_index_with_another_message_has_changed() -> None:
    before = of_first_generation(errors=[error(7, "A"), error(7, "B"), error(8, "C")])
    after = of_first_generation(errors=[error(7, "B"), error(7, "D"), error(8, "C"), error(None, "E")])
    found = compared(before, after)
    assert counts(found) == {CHANGED: 1, ADDED: 1, SAME: 2}
    assert rows(found, CHANGED) == [["7", "Invoice", "A > D"]]


def test_rows_without_an_index_are_never_taken_for_one_another() -> None:
    found = compared(of_first_generation(errors=[error(None, "A")]), of_first_generation(errors=[error(None, "B")]))
    assert counts(found) == {ADDED: 1, GONE: 1, SAME: 0}


def test_a_succeeded_invoice_that_gets_a_case_has_changed() -> None:
    found = compared(of_today(succeeded=[succeeded(1, caseId=None)]), of_today(succeeded=[succeeded(1, caseId="c-1")]))
    assert rows(found, CHANGED, "Succeeded")[0][:2] == ["2026-1", " > c-1"]


def test_each_list_is_compared() -> None:
    before = of_first_generation(errors=[error()], failed=[None, {"why": "x"}], responses=[ledger_response()])
    after = of_first_generation(succeeded=[succeeded()], failed=[{"why": "y"}, None])
    found = compared(before, after)
    assert counts(found) == counts(found, "Ledger responses") == {GONE: 1, SAME: 0}
    assert counts(found, "Succeeded") == {ADDED: 1, SAME: 0}
    assert counts(found, "Failed items") == {ADDED: 1, GONE: 1, SAME: 1}
    assert rows(found, ADDED, "Failed items") == [["why: y"]]


def test_fields_without_a_name_are_shown_where_a_row_has_some() -> None:
    found = compared(of_first_generation(errors=[error(1, code=17)]), of_first_generation(errors=[error(1, code=18)]))
    assert rows(found, CHANGED) == [["1", "Invoice", "Beløpet mangler", "code: 17 > code: 18"]]
    named = compared(of_first_generation(errors=[error(1)]), of_first_generation())
    assert rows(named, GONE) == [["1", "Invoice", "Beløpet mangler"]]


def test_the_first_fifty_of_each_kind_are_shown_by_index_and_long_texts_cut() -> None:
    shuffled = [error(n, "x" * 5_000) for n in range(200)]
    random.Random(1).shuffle(shuffled)
    found = compared(of_first_generation(), of_first_generation(errors=shuffled))
    assert counts(found) == {ADDED: 200, SAME: 0}
    assert [row[0] for row in rows(found, ADDED)] == [str(n) for n in range(50)]
    assert max(len(row[2]) for row in rows(found, ADDED)) == 1_000


def test_another_order_alone_is_shown_line_by_line() -> None:
    found = compared(of_first_generation(errors=[error(1), error(2)]), of_first_generation(errors=[error(2), error(1)]))
    assert found.obstacle == Obstacle.SAME_FACTS
    assert {change for change, _ in lines(found)} == {ADDED, GONE}


# Lines


@pytest.mark.parametrize(
    "other", [b"<p>Maintenance</p>", b'{"data": {"batchId": "5579c1', b"", b"\xff\0", b"[" * 40_000]
)
def test_what_is_not_understood_is_compared_line_by_line(other: bytes) -> None:
    for found in (compared(of_today(), other), compared(other, of_today())):
        assert found.obstacle == Obstacle.NOT_UNDERSTOOD
        assert lines(found)
        assert not found.facts
        assert not found.lists


def test_lines_that_are_the_same_are_left_out_but_for_some_around() -> None:
    before = b"\n".join(b"<p>%d</p>" % n for n in range(100))
    found = compared(before, before.replace(b"<p>50</p>", b"<p>fifty</p>"))
    assert lines(found) == [(GONE, "<p>50</p>"), (ADDED, "<p>fifty</p>")]
    assert [text for change, text in found.hunks[0] if change == SAME] == [
        f"<p>{n}</p>" for n in (47, 48, 49, 51, 52, 53)
    ]
    assert not found.is_cut


def test_of_what_is_long_the_beginnings_are_compared() -> None:
    found = compared(b"<p>" + b"x" * 100_000, b"<b>" + b"x" * 100_000)
    assert found.is_cut
    assert sum(len(text) for _, text in lines(found)) == 2_000


def test_a_difference_beyond_the_beginnings_is_not_made_up() -> None:
    found = compared(b"<p>" + b"x\n" * 40_000, b"<p>" + b"x\n" * 40_000 + b"y")
    assert found.is_cut
    assert not found.hunks


def test_an_answer_too_large_to_be_read_in_a_page_is_compared_by_its_beginning() -> None:
    found = compared(of_today(), of_today(createdBy="x" * 33 * 2**20))
    assert found.obstacle == Obstacle.TOO_LARGE
    assert found.is_cut


# Speed


@pytest.mark.timeout(60)
def test_two_answers_of_100_000_rows_are_compared() -> None:
    before = body(of_first_generation(errors=[error(n, f"a{n}") for n in range(100_000)]))
    after = body(of_first_generation(errors=[error(n, f"b{n}") for n in range(100_000)]))
    found = compared(before, after)
    assert counts(found) == {CHANGED: 100_000, SAME: 0}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kinds", [1, 10, 90, 1_000])
def test_no_lines_keep_a_page_waiting(kinds: int) -> None:
    numbers = random.Random(kinds)
    before, after = ("\n".join(str(numbers.randrange(kinds)) for _ in range(5_000)).encode() for _ in range(2))
    assert compared(before, after)
