"""What a person may type: batch IDs in any text, and the filters of each list."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date
from functools import reduce
from operator import or_
from typing import Any
from urllib.parse import unquote
from uuid import UUID

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from batches.models import BatchQuerySet
from batches.words import Outcome

EXAMPLE_ID = "5579c111-9c50-47e2-af92-f16d52e63189"
MOST_IDS = 100
FAILURES = "failures"  # a status of the filter: whatever had an object that failed

_HEX = "[0-9a-f]"
_START = rf"(?:(?<!{_HEX})|(?<=id))"
_UUID = rf"{_START}(?:{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}|{_HEX}{{32}})(?!{_HEX})"
_ANY_UUID = re.compile(_UUID)
# An address or a log line often holds other IDs too: one that is called a batch is the one that is meant.
# Others may follow it in a list.
_BETWEEN = r"[\"'\\\s:=/,;|{}()\[\]]*"
_CALLED_BATCH = re.compile(rf"batch(?:es|[ _-]?(?:id|uuid|url)s?)?{_BETWEEN}((?:{_UUID}{_BETWEEN}(?:(?:and|og) )?)+)")
_INDEX_RANGE = re.compile(r"(-?\d{1,18})(?:\s*(?:-|–|—|\.\.|to)\s*(-?\d{1,18}))?")
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—−"), "-")
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))


def find_batch_ids(text: str) -> list[UUID]:
    """The batch IDs in a text, each once and in order: of any case, in braces, without dashes, in an address or a log line."""
    plain = unicodedata.normalize("NFKC", unquote(text)).translate(_DASHES | _INVISIBLE).lower()
    found = _ANY_UUID.findall(" ".join(_CALLED_BATCH.findall(plain)) or plain)
    return [uuid for uuid in dict.fromkeys(map(UUID, found)) if uuid.int]


class SearchForm(forms.Form):
    """The one box: any text that holds at least one batch ID. Cleans to a list of UUIDs."""

    q = forms.CharField(
        label=_("Batch ID"),
        max_length=100_000,
        required=False,
        strip=False,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off", "spellcheck": "false"}),
        error_messages={"max_length": _("That is too much text. Paste the lines that hold the batch IDs.")},
    )

    def clean_q(self) -> list[UUID]:
        found = find_batch_ids(self.cleaned_data["q"])
        if not found:
            raise ValidationError(
                gettext("No batch ID in there. It is 32 digits and letters a to f, like %(example)s."),
                params={"example": EXAMPLE_ID},
            )
        if len(found) > MOST_IDS:
            raise ValidationError(
                gettext("That holds %(found)d batch IDs. Please follow at most %(most)d at a time."),
                params={"found": len(found), "most": MOST_IDS},
            )
        return found


class FilterForm(forms.Form):
    """A form in a list's address. What cannot be read filters nothing, and its field says why."""

    @property
    def is_filtering(self) -> bool:
        """Whether anything was asked for, readable or not."""
        return any(self.data.get(name) for name in self.fields)


class BatchFilter(FilterForm):
    """Filters of the list of batches."""

    status = forms.ChoiceField(
        label=_("Status"), required=False, choices=[("", _("All")), (FAILURES, _("Failed or partly")), *Outcome.choices]
    )
    type = forms.CharField(label=_("Type"), required=False, max_length=100)
    organisation = forms.CharField(
        label=_("Organisation"), required=False, max_length=100, widget=forms.TextInput(attrs={"list": "organisations"})
    )
    day = forms.DateField(
        label=_("Day"),
        required=False,
        validators=[MinValueValidator(date(1900, 1, 1)), MaxValueValidator(date(2199, 12, 31))],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )

    @property
    def organisations(self) -> list[str]:
        """The names to choose from."""
        return sorted(filter(None, settings.AMILI_ORGANIZATIONS.values()))

    def clean_organisation(self) -> list[UUID]:
        """A name from the settings, or a part of one, or an organisation's ID."""
        text = self.cleaned_data["organisation"].strip()
        if not text:
            return []
        named = [uuid for uuid, name in settings.AMILI_ORGANIZATIONS.items() if text.casefold() in name.casefold()]
        found = named or find_batch_ids(text)
        if not found:
            raise ValidationError(gettext("No organisation has this name. Its ID works too."))
        return found

    def filter(self, batches: BatchQuerySet) -> BatchQuerySet:
        self.is_valid()
        wanted = self.cleaned_data
        if wanted.get("status") == FAILURES:
            batches = batches.with_failures()
        elif wanted.get("status"):
            batches = batches.filter(outcome=wanted["status"])
        if wanted.get("type"):
            batches = batches.filter(type__iexact=wanted["type"].strip())
        if wanted.get("organisation"):
            batches = batches.filter(organization_id__in=wanted["organisation"])
        if wanted.get("day"):
            batches = batches.submitted_on(wanted["day"])
        return batches


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
