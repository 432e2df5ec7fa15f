"""Which day a person wants to know about, and how many days before it."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from batches.forms.base import FilterForm

PERIODS = (30, 90, 365)
TABLE = "table"
FIRST_DAY = date(1900, 1, 1)


class OutcomesForm(FilterForm):
    """A day, today of itself, and a period that ends with it."""

    day = forms.DateField(
        label=_("Day"),
        required=False,
        input_formats=["%Y-%m-%d", "%d.%m.%Y"],
        validators=[MinValueValidator(FIRST_DAY, _("Nothing is known of a day so long ago."))],
        error_messages={"invalid": _("There is no such day. A day is written like 2026-11-21.")},
    )
    days = forms.TypedChoiceField(
        label=_("Days"),
        required=False,
        choices=[(count, str(count)) for count in PERIODS],
        coerce=int,
        error_messages={"invalid_choice": _("The trend is of 30, 90 or 365 days.")},
    )

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__(data)
        self.today = timezone.localdate()

    def clean_day(self) -> date | None:
        day: date | None = self.cleaned_data["day"]
        if day and day > self.today:
            raise ValidationError(gettext("%(day)s is still to come."), params={"day": date_format(day, "j F Y")})
        return day

    @property
    def shown_day(self) -> date:
        """The day asked for, or today."""
        self.is_valid()
        return self.cleaned_data.get("day") or self.today

    @property
    def shown_days(self) -> int:
        """How many days the trend has."""
        self.is_valid()
        return self.cleaned_data.get("days") or PERIODS[0]

    @property
    def is_table(self) -> bool:
        """Whether the trend is wanted in numbers: `as` is a word of Python's, and no name for a field."""
        return self.data.get("as") == TABLE
