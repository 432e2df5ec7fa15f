"""The filters of the list of batches."""

from datetime import date
from uuid import UUID

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from batches.forms.base import FilterForm
from batches.forms.search import find_batch_ids
from batches.models import BatchQuerySet
from batches.words import Outcome

FAILURES = "failures"  # a status of the filter: whatever had an object that failed


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
