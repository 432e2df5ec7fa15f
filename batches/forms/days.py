"""Days and times of day, as browsers send them and as people here write them."""

from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from batches.forms.base import FilterForm

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2199, 12, 31)


def refuse_after(last: date, day: date) -> None:
    """A day after the last one is still to come."""
    if day > last:
        raise ValidationError(gettext("%(day)s is still to come."), params={"day": date_format(day, "j F Y")})


class DayField(forms.DateField):
    """A day that a batch can be of."""

    input_formats = ["%Y-%m-%d", "%d.%m.%Y"]
    default_validators = [
        MinValueValidator(FIRST_DAY, _("Nothing is known of a day so long ago.")),
        partial(refuse_after, LAST_DAY),
    ]
    default_error_messages = {"invalid": _("There is no such day. A day is written like 2026-11-21.")}


class TimeOfDayField(forms.TimeField):
    """A time of day, to the minute."""

    widget = forms.TimeInput(format="%H:%M", attrs={"type": "time"})
    input_formats = ["%H:%M", "%H.%M", "%H:%M:%S"]
    default_error_messages = {"invalid": _("There is no such time. A time is written like 09:00.")}


class DayForm(FilterForm):
    """A day that is not still to come; today, unless another is asked for."""

    day = DayField(label=_("Day"), required=False)

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__(data)
        self.today = timezone.localdate()

    def clean_day(self) -> date | None:
        day: date | None = self.cleaned_data["day"]
        if day:
            refuse_after(self.today, day)
        return day

    @property
    def shown_day(self) -> date:
        """The day asked for, or today."""
        self.is_valid()
        return self.cleaned_data.get("day") or self.today
