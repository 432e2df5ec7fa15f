"""Masks what belongs to a person in text that others wrote: national IDs, bank accounts, phones, e-mail addresses.

Privacy comes first: a number that may be a mistyped national ID goes too. What support compares stays: numbers of
invoices, cases and organisations, KID, amounts, times, UUIDs. Every expression takes linear time on any text.
"""

import re
from collections import Counter
from collections.abc import Iterable

from django.utils.translation import gettext

from batches.masking.characters import joined, plain, spaced, unescaped, visible
from batches.masking.finders import Found, Kind, found, found_national_ids

__all__ = ["Kind", "Mask", "visible"]

_WORTH_A_LOOK = re.compile(r"[\d@&\u00b2\u00b3\u00b9\u2070-\U0010ffff]")
_WRAPPED = re.compile(r"[&\\%<]")
_MARGIN = 200  # looked at and not shown, so that no value is shown in part where a text is cut: none is as long


class Mask:
    """Masks the texts of one report. Equal values get equal marks, so that rows about one person can be told."""

    def __init__(self, most: int = 100_000, longest: int = 2_000) -> None:
        """`most` values are told apart; further ones get marks without a number, lest memory grow with the report.

        No more than the first `longest` characters of a text are looked at and shown, lest hostile ones take hours.
        """
        self._most, self._longest = most, longest
        self.counts = Counter[Kind]()
        self._marks: dict[tuple[Kind, str], str] = {}

    def masked(self, text: str) -> str:
        """The text with marks such as `‹national ID 1›`, and without characters that nobody sees.

        Escapes and tags stay, unless a value is found only once they are undone.
        """
        if len(text) > self._longest:
            return f"{self._looked_at(text[: self._longest + _MARGIN])[:-_MARGIN]}{gettext('… cut')}"
        return self._looked_at(text)

    def masked_number(self, number: str) -> str:
        """An invoice number, which stays as it is, unless it is a national ID."""
        shown = visible(number[: self._longest])
        return self._marked(shown, found_national_ids(plain(shown)))

    def _looked_at(self, text: str) -> str:
        shown = visible(text)
        if not _WORTH_A_LOOK.search(shown):
            return shown
        shown = self._marked(shown, found(plain(shown)))
        for undo in (unescaped, spaced, joined) if _WRAPPED.search(shown) else ():
            undone = undo(shown)
            if finds := list(found(plain(undone))):
                shown = self._marked(undone, finds)
        return shown

    def _marked(self, shown: str, finds: Iterable[Found]) -> str:
        pieces, end = list[str](), 0
        for (start, stop, value), kind in sorted(finds):
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
