"""Which day a person wants to know about, and how many days before it."""

from django import forms
from django.utils.translation import gettext_lazy as _

from batches.forms.days import DayForm

PERIODS = (30, 90, 365)
TABLE = "table"


class OutcomesForm(DayForm):
    """A day, today of itself, and a period that ends with it."""

    days = forms.TypedChoiceField(
        label=_("Days"),
        required=False,
        choices=[(count, str(count)) for count in PERIODS],
        coerce=int,
        error_messages={"invalid_choice": _("The trend is of 30, 90 or 365 days.")},
    )

    @property
    def asked_days(self) -> int | None:
        """How many days the trend is asked to have, if that can be."""
        self.is_valid()
        return self.cleaned_data.get("days") or None

    @property
    def shown_days(self) -> int:
        """How many days the trend has."""
        return self.asked_days or PERIODS[0]

    @property
    def is_table(self) -> bool:
        """Whether the trend is wanted in numbers: `as` is a word of Python's, and no name for a field."""
        return self.data.get("as") == TABLE
