"""Two answers line by line: for those that say nothing that we can compare."""

from collections.abc import Sequence
from difflib import SequenceMatcher

from batches.differences.words import Change, short
from batches.pretty import pretty_start

MOST_BYTES = 32 * 1024  # of an answer
MOST_LINES = 1_000  # thereof: few enough for difflib, whatever they hold
CONTEXT = 3  # equal lines shown around those that differ

type Hunk = list[tuple[Change, str]]
"""Lines that stand together, each with what became of it."""


def compare_lines(before: bytes, after: bytes) -> tuple[list[Hunk], bool]:
    """What differs between the beginnings, and whether there is more than these."""
    old, new = _lines(before), _lines(after)
    is_cut = max(len(before), len(after)) > MOST_BYTES or max(len(old), len(new)) > MOST_LINES
    return _hunks(old[:MOST_LINES], new[:MOST_LINES]), is_cut


def _lines(body: bytes) -> list[str]:
    start = body[:MOST_BYTES].decode("utf-8", "replace").replace("\0", "\ufffd")
    return [short(line) for line in pretty_start(start).split("\n")]


def _hunks(old: Sequence[str], new: Sequence[str]) -> list[Hunk]:
    if old == new:
        return []
    return [
        [line for step in steps for line in _step(old, new, *step)]
        for steps in SequenceMatcher(None, old, new).get_grouped_opcodes(CONTEXT)
    ]


def _step(old: Sequence[str], new: Sequence[str], tag: str, i1: int, i2: int, j1: int, j2: int) -> Hunk:
    if tag == "equal":
        return [(Change.SAME, line) for line in old[i1:i2]]
    return [(Change.GONE, line) for line in old[i1:i2]] + [(Change.ADDED, line) for line in new[j1:j2]]
