"""The filters of the list of causes."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from batches.forms.base import FilterForm
from batches.models import CauseQuerySet
from staff.models import Person

ALL, UNRESOLVED, MINE, WAITING = "", "unresolved", "mine", "waiting"


class CauseFilter(FilterForm):
    """By what the messages say, and by who is on it."""

    text = forms.CharField(label=_("Text"), required=False, max_length=200)
    triage = forms.ChoiceField(
        label=_("Triage"),
        required=False,
        choices=[(ALL, _("All")), (UNRESOLVED, _("Unresolved")), (MINE, _("Mine")), (WAITING, _("Waiting"))],
    )

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._person = person

    def filter(self, causes: CauseQuerySet) -> CauseQuerySet:
        self.is_valid()
        wanted = self.cleaned_data
        if wanted.get("text"):
            causes = causes.filter(template__icontains=wanted["text"])
        match wanted.get("triage"):
            case "unresolved":
                return causes.unresolved()
            case "mine":
                return causes.unresolved().filter(owner=self._person)
            case "waiting":
                return causes.waiting()
        return causes
