"""Masks what belongs to a person in text that others wrote: national IDs, bank accounts, phones, e-mail addresses.

Privacy comes first: a number that may be a mistyped national ID goes too. What support compares stays: numbers of
invoices, cases and organisations, KID, amounts, times, UUIDs. Every expression takes linear time on any text.
"""

import re
from collections import Counter

from batches.masking.characters import plain, visible
from batches.masking.finders import Kind, found

__all__ = ["Kind", "Mask", "visible"]

_WORTH_A_LOOK = re.compile(r"[\d@\u00b2\u00b3\u00b9\u2070-\U0010ffff]|%40")


class Mask:
    """Masks the texts of one report. Equal values get equal marks, so that rows about one person can be told."""

    def __init__(self, most: int = 100_000) -> None:
        """`most` values are told apart; further ones get marks without a number, lest memory grow with the report."""
        self._most = most
        self.counts = Counter[Kind]()
        self._marks: dict[tuple[Kind, str], str] = {}

    def masked(self, text: str) -> str:
        """The text with marks such as `‹national ID 1›`, and without characters that nobody sees."""
        shown = visible(text)
        if not _WORTH_A_LOOK.search(shown):
            return shown
        pieces, end = list[str](), 0
        for (start, stop, value), kind in sorted(found(plain(shown))):
            pieces += shown[end:start], self._mark(kind, value)
            end = stop
        return "".join([*pieces, shown[end:]])

    def _mark(self, kind: Kind, value: str) -> str:
        if mark := self._marks.get((kind, value)):
            return mark
        if len(self._marks) >= self._most:
            return f"‹{kind}›"
        self.counts[kind] += 1
        return self._marks.setdefault((kind, value), f"‹{kind} {self.counts[kind]}›")
