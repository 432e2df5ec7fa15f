"""The filters of the list of batches."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import ValidationError
from django.db.models import BooleanField, F, Func, Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from batches.forms.base import FilterForm
from batches.forms.days import DayField
from batches.forms.narrowings import ALL, MINE, TO_DO, UNRESOLVED, WAITING, WORDS, Narrowing
from batches.forms.organisations import OrganisationField, organisations_called
from batches.forms.triage import PersonField, by_name
from batches.models import NO_ORGANIZATION, BatchQuerySet, Cause
from batches.outcomes import NO_TYPE, open_of, stuck_of
from batches.words import LONGEST_FILTER, Outcome, TriageState
from staff.models import Person

FAILURES = "failures"  # a status of the filter: whatever had an object that failed
NOW = "now"
COUNTED = ("finished", "open", "stuck", "cause")  # what numbers lead to, found by an index
NARROWING = (*COUNTED, "objects")


class OpenOnField(DayField):
    """A day at whose end something was so; or `now`, which is today."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> date | None:
        return timezone.localdate() if value == NOW else super().to_python(value)


class BatchFilter(FilterForm):
    """Filters of the list of batches; what is `mine` is so for the person who asks."""

    triage = forms.ChoiceField(
        required=False,
        choices=list(TO_DO.items()),
        widget=forms.HiddenInput,
    )
    status = forms.ChoiceField(
        label=_("Status"), required=False, choices=[("", _("All")), (FAILURES, _("Failed or partly")), *Outcome.choices]
    )
    type = forms.CharField(label=_("Type"), required=False, max_length=LONGEST_FILTER, strip=False)
    organisation = OrganisationField(label=_("Organisation"), required=False, max_length=100)
    day = DayField(
        label=_("Created on"), required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    state = forms.ChoiceField(label=_("Triage"), required=False, choices=[("", _("All")), *TriageState.choices])
    owner = PersonField(
        by_name(Person.objects.all()), label=_("Owner"), required=False, empty_label=_("All"), to_field_name="username"
    )
    # what the numbers of a day lead to
    finished = DayField(label=_("Finished"), required=False, widget=forms.HiddenInput)
    open = OpenOnField(label=_("Running"), required=False)
    stuck = OpenOnField(label=_("Stuck"), required=False)
    cause = forms.ModelChoiceField(
        Cause.objects.none(),
        label=_("Cause"),
        required=False,
        widget=forms.HiddenInput,
        error_messages={"invalid_choice": _("There is no such cause.")},
    )
    objects = forms.ChoiceField(
        label=_("Objects"),
        required=False,
        choices=[("failed", _("With objects that failed")), ("succeeded", _("With objects that succeeded"))],
        widget=forms.HiddenInput,
    )

    def __init__(self, data: Mapping[str, Any], *, person: Person) -> None:
        super().__init__(data)
        self._person = person
        self.fields["cause"].queryset = Cause.objects.visible_to(person).only("template")  # type: ignore[attr-defined]

    @property
    def is_filtering(self) -> bool:
        return super().is_filtering and bool(self.kept.removeprefix(f"triage={ALL}"))

    @property
    def kept(self) -> str:
        """The filters alone as the query of an address; never empty, since that is where a person's default view opens."""
        asked = {name: text for name in self.fields if (text := self.data.get(name, "")).strip()}
        return urlencode(asked or {"triage": ALL})

    @property
    def organisations(self) -> list[str]:
        """The names to choose from."""
        return sorted(filter(None, settings.AMILI_ORGANIZATIONS.values()))

    @property
    def what_to_do(self) -> str:
        """Which batches are asked for, of those that the other filters leave."""
        return self._understood.get("triage") or ALL

    @property
    def is_narrowed(self) -> bool:
        """Whether the list is what a number led to, or is narrowed as such a list may be."""
        return any(self._understood.get(name) for name in NARROWING)

    @property
    def is_counted(self) -> bool:
        """Whether to tell how many batches there are: somebody may have come for this number."""
        return any(self._understood.get(name) for name in COUNTED)

    @property
    def _understood(self) -> dict[str, Any]:
        self.is_valid()
        return self.cleaned_data

    @property
    def narrowings(self) -> list[Narrowing]:
        """The filters that have no field to see. A list that is narrowed says so."""
        asked = [name for name in NARROWING if self.data.get(name)]
        # On its own it is a tab.
        if self.what_to_do != ALL and self.kept != f"triage={self.what_to_do}":
            asked.append("triage")
        return [Narrowing(*self._said(name), self._without(name)) for name in asked]

    def _said(self, name: str) -> tuple[str, bool]:
        """A filter in words; or what is wrong with it, and that it is."""
        if name in self.errors:
            return f"{self.fields[name].label}: {self.errors[name][0]}", True
        return WORDS[name](self.cleaned_data[name]), False

    def _without(self, name: str) -> dict[str, str | None]:
        """What there is to do stays said, lest a person's default view open in place of the list."""
        return {name: None, "after": None, "triage": ALL if name == "triage" else self.what_to_do}

    @property
    def unfiltered(self) -> dict[str, str | None]:
        """What is to change in the address for all to be shown."""
        return dict.fromkeys([*self.fields, "after"]) | {"triage": ALL}

    def clean_organisation(self) -> list[UUID]:
        text = self.cleaned_data["organisation"].strip()
        found = organisations_called(text) if text else []
        if text and not found:
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
            batches = batches.filter(_of_type(wanted["type"]))
        if wanted.get("organisation"):
            batches = batches.filter(_of_organisations(wanted["organisation"]))
        if wanted.get("day"):
            batches = batches.submitted_on(wanted["day"])
        return self._triaged(self._of_a_day(batches))

    def _of_a_day(self, batches: BatchQuerySet) -> BatchQuerySet:
        wanted, now = self.cleaned_data, timezone.now()
        if wanted.get("finished"):
            batches = _by_their_own_index(batches, batches.ended_on(wanted["finished"]))
        if wanted.get("open"):
            batches = _by_their_own_index(batches, open_of(wanted["open"], now, batches))
        if wanted.get("stuck"):
            batches = batches.filter(pk__in=[batch.pk for batch in stuck_of(wanted["stuck"], now, batches)])
        if wanted.get("cause"):
            batches = batches.filter(causes__cause=wanted["cause"])
        if wanted.get("objects"):
            batches = batches.filter(**{f"{wanted['objects']}_objects__gt": 0})
        return batches

    def _triaged(self, batches: BatchQuerySet) -> BatchQuerySet:
        wanted = self.cleaned_data
        if wanted.get("triage"):
            batches = to_do(batches, wanted["triage"], self._person)
        if wanted.get("state"):
            batches = batches.with_failures().filter(triage_state=wanted["state"])
        if wanted.get("owner"):
            batches = batches.filter(owner=wanted["owner"])
        return batches


def _by_their_own_index(batches: BatchQuerySet, chosen: BatchQuerySet) -> BatchQuerySet:
    """Those of them that are `chosen`, found first: newest first, PostgreSQL would walk there through all that came since."""
    ids = ArraySubquery(chosen.order_by().values("pk"))
    among = Func(F("pk"), ids, template="%(expressions)s)", arg_joiner=" = ANY(", output_field=BooleanField())
    return batches.filter(among)


def _of_type(text: str) -> Q:
    """Of this type, in whatever case; none at all is also what Amili calls NONE."""
    return Q(type__iexact=text) | Q(type__iexact="") if text.upper() == NO_TYPE else Q(type__iexact=text)


def _of_organisations(organization_ids: list[UUID]) -> Q:
    found = Q(organization_id__in=organization_ids)
    return found | Q(organization_id__isnull=True) if NO_ORGANIZATION in organization_ids else found


def to_do(batches: BatchQuerySet, which: str, person: Person) -> BatchQuerySet:
    """Those of them that are unresolved, that this person owns, or that wait; or all."""
    if which == UNRESOLVED:
        return batches.unresolved()
    if which == MINE:
        return batches.unresolved().filter(owner=person)
    return batches.waiting() if which == WAITING else batches
