"""The filters of the list of batches."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from batches.forms.base import FilterForm
from batches.forms.search import find_batch_ids
from batches.forms.triage import PersonField, by_name
from batches.models import BatchQuerySet
from batches.words import Outcome, TriageState
from staff.models import Person

FAILURES = "failures"  # a status of the filter: whatever had an object that failed
ALL, UNRESOLVED, MINE, WAITING = "all", "unresolved", "mine", "waiting"  # what there is to do, and for whom


class BatchFilter(FilterForm):
    """Filters of the list of batches; what is `mine` is so for the person who asks."""

    triage = forms.ChoiceField(
        required=False,
        choices=[(each, each) for each in (ALL, UNRESOLVED, MINE, WAITING)],
        widget=forms.HiddenInput,
    )
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

    state = forms.ChoiceField(label=_("Triage"), required=False, choices=[("", _("All")), *TriageState.choices])
    owner = PersonField(
        by_name(Person.objects.all()), label=_("Owner"), required=False, empty_label=_("All"), to_field_name="username"
    )

    def __init__(self, data: Mapping[str, Any], *, person: Person) -> None:
        super().__init__(data)
        self._person = person

    @property
    def is_filtering(self) -> bool:
        return super().is_filtering and bool(self.kept.removeprefix(f"triage={ALL}"))

    @property
    def kept(self) -> str:
        """The filters alone as the query of an address; never empty, since that is where a person's default view opens."""
        asked = {name: text for name in self.fields if (text := self.data.get(name, "").strip())}
        return urlencode(asked or {"triage": ALL})

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
        return self._triaged(batches)

    def _triaged(self, batches: BatchQuerySet) -> BatchQuerySet:
        wanted = self.cleaned_data
        if wanted.get("triage"):
            batches = to_do(batches, wanted["triage"], self._person)
        if wanted.get("state"):
            batches = batches.with_failures().filter(triage_state=wanted["state"])
        if wanted.get("owner"):
            batches = batches.filter(owner=wanted["owner"])
        return batches


def to_do(batches: BatchQuerySet, which: str, person: Person) -> BatchQuerySet:
    """Those of them that are unresolved, that this person owns, or that wait; or all."""
    if which == UNRESOLVED:
        return batches.unresolved()
    if which == MINE:
        return batches.unresolved().filter(owner=person)
    return batches.waiting() if which == WAITING else batches
