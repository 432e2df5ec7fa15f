"""Which day and whose rhythm a person wants to see, and when they expect an organisation to send."""

from datetime import datetime, time
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from batches.forms.days import DayForm, TimeOfDayField
from batches.models import Expectation
from staff.models import Person


class RhythmForm(DayForm):
    """A day, today of itself, and a part of an organisation's name or ID."""

    name = forms.CharField(label=_("Organisation"), required=False, max_length=100)

    @property
    def shown_name(self) -> str:
        self.is_valid()
        return str(self.cleaned_data.get("name", "")).casefold()


class ExpectationForm(forms.ModelForm):  # type: ignore[type-arg]
    """What is expected of one organisation: what was learnt, certain weekdays and a time, or nothing."""

    weekdays = forms.TypedMultipleChoiceField(
        label=_("Weekdays"),
        required=False,
        coerce=int,
        choices=list(WEEKDAYS_ABBR.items()),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": _("There is no such weekday.")},
    )
    by = TimeOfDayField(label=_("By"), required=False)

    class Meta:
        model = Expectation
        fields = ("mode", "weekdays", "by")
        widgets = {"mode": forms.RadioSelect}
        labels = {"mode": _("When it is expected to send")}
        error_messages = {"mode": {"invalid_choice": _("Choose one of the three.")}}

    def __init__(self, data: Any = None, *, expectation: Expectation) -> None:
        super().__init__(data, instance=expectation, auto_id=f"expect-{expectation.pk}-%s")

    def clean(self) -> dict[str, Any]:
        """Weekdays and a time go together, and with nothing else."""
        if self.cleaned_data.get("mode") != Expectation.Mode.FIXED:
            return {**self.cleaned_data, "weekdays": [], "by": None}
        for name, problem in self._lacking():
            self.add_error(name, ValidationError(problem))
        return self.cleaned_data

    def _lacking(self) -> list[tuple[str, str]]:
        asked = {
            "weekdays": gettext("Choose at least one weekday."),
            "by": gettext("Say by what time, such as 09:00."),
        }
        return [(name, said) for name, said in asked.items() if name not in self.errors and self._is_empty(name)]

    def _is_empty(self, name: str) -> bool:
        value: list[int] | time | None = self.cleaned_data.get(name)
        return value is None or value == []

    def set(self, by: Person, at: datetime) -> None:
        """Keep it, with who said so and when."""
        self.instance.set_by, self.instance.set_at = by, at
        self.save()
