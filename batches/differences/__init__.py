"""What differs between two answers about a batch, in words, rows and lines that people read."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from batches.amili.errors import NotUnderstood
from batches.amili.payload import read_batch
from batches.differences.facts import Fact, compare_facts
from batches.differences.lines import Hunk, compare_lines
from batches.differences.rows import ListDifference, compare_lists
from batches.differences.words import Obstacle

MOST_COMPARED = 32 * 2**20  # bytes of an answer that is compared row by row
MOST_PARTS = 2_000_000  # commas of both: about so many fields, and no more rows


@dataclass(frozen=True)
class Difference:
    """What differs between two answers: in what they say, or else in their lines."""

    facts: Sequence[Fact] = ()
    lists: Sequence[ListDifference] = ()
    obstacle: Obstacle | None = None
    hunks: Sequence[Hunk] = ()
    is_cut: bool = False  # whether the lines are those of the beginnings only


def difference(before: bytes, after: bytes, batch_id: UUID) -> Difference:
    """Compare two answers about a batch."""
    if max(len(before), len(after)) > MOST_COMPARED or before.count(b",") + after.count(b",") > MOST_PARTS:
        return _by_lines(before, after, Obstacle.TOO_LARGE)
    try:
        old, new = read_batch(before, batch_id), read_batch(after, batch_id)
    except NotUnderstood:
        return _by_lines(before, after, Obstacle.NOT_UNDERSTOOD)
    facts, lists = compare_facts(old, new), compare_lists(old, new)
    if facts or any(each.groups for each in lists):
        return Difference(facts, lists)
    return _by_lines(before, after, Obstacle.SAME_FACTS)


def _by_lines(before: bytes, after: bytes, obstacle: Obstacle) -> Difference:
    hunks, is_cut = compare_lines(before, after)
    return Difference(obstacle=obstacle, hunks=hunks, is_cut=is_cut)
