"""The filters of a batch's rows."""

import re
from collections.abc import Sequence
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

_INDEX_RANGE = re.compile(r"(-?\d{1,18})(?:\s*(?:-|–|—|\.\.|to)\s*(-?\d{1,18}))?")


class RowFilter(FilterForm):
    """A filter of a batch's rows by text. Which columns it searches is the table's to say."""

    text = forms.CharField(required=False, max_length=500)

    def __init__(self, *args: Any, label: str | Promise, columns: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].label = label  # type: ignore[assignment]
        self._columns = columns

    def filter[Rows: QuerySet[Any]](self, rows: Rows) -> Rows:
        """The rows that fit."""
        self.is_valid()
        return rows.filter(self.condition())

    def condition(self) -> Q:
        text = self.cleaned_data.get("text")
        tests = [Q((f"{column}__icontains", text)) for column in self._columns if text]
        return reduce(or_, tests, Q())


class IndexedRowFilter(RowFilter):
    """The same for rows that stand under an object index."""

    index = forms.CharField(label=_("Index"), required=False, max_length=60)

    def clean_index(self) -> tuple[int, int] | None:
        """`17` or `10-20` -> the first and the last index of the range."""
        text = self.cleaned_data["index"].strip()
        match = _INDEX_RANGE.fullmatch(text)
        if not text:
            return None
        if not match:
            raise ValidationError(gettext("Write one index or a range, such as 17 or 10-20."))
        first, last = int(match[1]), int(match[2] or match[1])
        return min(first, last), max(first, last)

    def condition(self) -> Q:
        wanted = self.cleaned_data.get("index")
        return super().condition() & (Q(object_index__range=wanted) if wanted else Q())
