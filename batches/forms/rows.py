"""The filters of a batch's rows."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from operator import or_
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from batches.forms.base import FilterForm

MOST_RANGES = 200

_LARGEST = 2**63 - 1
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—−"), "-")
_NUMBER = r"-?\d{1,18}(?!\d)"
_SPAN = r"(?:\.{2,3}|…|to\b)"
_RANGE = re.compile(
    rf"(?P<first>{_NUMBER})(?P<span>\s*(?:-|{_SPAN})\s*(?P<last>{_NUMBER})?)?|{_SPAN}\s*(?P<end>{_NUMBER})",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"(?:[\s,;&]|and\b)+|$", re.IGNORECASE)


class RowFilter(FilterForm):
    """A filter of a batch's rows by text. Which columns it searches, and which can be hidden, is the table's to say."""

    text = forms.CharField(required=False, max_length=500)
    hide = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(
        self,
        *args: Any,
        label: str | Promise,
        columns: Sequence[str],
        hideable: Iterable[tuple[str, str | Promise]] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].label = label  # type: ignore[assignment]
        self.fields["hide"].choices = list(hideable)  # type: ignore[attr-defined]
        self._columns = columns

    @property
    def is_filtering(self) -> bool:
        return any(self.data.get(name) for name in self.fields if name != "hide")

    @property
    def typed(self) -> list[forms.BoundField]:
        """The fields that a person types into."""
        return [field for field in self.visible_fields() if field.name != "hide"]

    @property
    def hidden(self) -> list[str]:
        """The columns that are not to be shown."""
        self.is_valid()
        return list(self.cleaned_data.get("hide", []))

    def filter[Rows: QuerySet[Any]](self, rows: Rows) -> Rows:
        """The rows that fit."""
        self.is_valid()
        return rows.filter(self.condition())

    def condition(self) -> Q:
        text = self.cleaned_data.get("text")
        return _any_of(Q((f"{column}__icontains", text)) for column in self._columns if text)


class IndexedRowFilter(RowFilter):
    """The same for rows that stand under an object index: by the object's name and by ranges of indexes, too."""

    object = forms.CharField(label=_("Object"), required=False, max_length=500)
    index = forms.CharField(
        label=_("Index"), required=False, max_length=4_000, widget=forms.TextInput(attrs={"placeholder": "4, 7, 10-20"})
    )

    def clean_index(self) -> list[tuple[int, int]]:
        """`4, 7, 10-20` -> the first and the last index of each range, in order and apart from each other."""
        ranges = merged(read_ranges(self.cleaned_data["index"]))
        if len(ranges) > MOST_RANGES:
            raise ValidationError(
                gettext("These are %(found)d separate ranges. Please ask for at most %(most)d at a time."),
                params={"found": len(ranges), "most": MOST_RANGES},
            )
        return ranges

    def condition(self) -> Q:
        name, ranges = self.cleaned_data.get("object"), self.cleaned_data.get("index", [])
        named = Q(object_name__icontains=name) if name else Q()
        return super().condition() & named & _any_of(Q(object_index__range=each) for each in ranges)


class ErrorFilter(IndexedRowFilter):
    """The same for error rows: by what causes them, too, which is chosen by a link."""

    cause = forms.IntegerField(required=False, min_value=1, max_value=_LARGEST, widget=forms.HiddenInput)

    def condition(self) -> Q:
        cause = self.cleaned_data.get("cause")
        return super().condition() & (Q(cause=cause) if cause else Q())


def read_ranges(text: str) -> Iterator[tuple[int, int]]:
    """Indexes and ranges of them as people write them: `4, 7 and 10-20`, `10 to 20`, `20..10`, `10-`, `..20`.

    A dash is a minus unless it follows a number: indexes below zero have been met.
    """
    plain, at = text.translate(_DASHES).strip(" \t\r\n,;&"), 0
    while at < len(plain):
        found = _RANGE.match(plain, at)
        between = found and _BETWEEN.match(plain, found.end())
        if not found or not between:
            raise ValidationError(
                gettext("“%(part)s” cannot be read. Write indexes and ranges, such as 4, 7, 10-20."),
                params={"part": re.split("[,;]", plain[at:])[0].strip()[:40]},
            )
        yield _bounds(found)
        at = between.end()


def _bounds(found: re.Match[str]) -> tuple[int, int]:
    if found["end"]:
        return -_LARGEST, int(found["end"])
    first = int(found["first"])
    last = int(found["last"]) if found["last"] else _LARGEST if found["span"] else first
    return min(first, last), max(first, last)


def merged(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges in order; those that overlap or touch made one."""
    apart: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if apart and first <= apart[-1][1] + 1:
            apart[-1] = apart[-1][0], max(apart[-1][1], last)
        else:
            apart.append((first, last))
    return apart


def _any_of(tests: Iterable[Q]) -> Q:
    return reduce(or_, tests, Q())
