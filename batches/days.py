"""Days on the site's clock, of 23, 24 or 25 hours, and which of them are working days in Norway."""

from calendar import monthrange
from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import count

from django.utils import timezone
from holidays import country_holidays

WEEK = timedelta(days=7)
COMPARED_WEEKS = 4
"""With how many of the same weekdays before it a day is compared."""


def bounds_of(day: date) -> tuple[datetime, datetime]:
    """The first moment of a day and that of the next."""
    first, last = (datetime.combine(each, time.min) for each in (day, day + timedelta(days=1)))
    return timezone.make_aware(first), timezone.make_aware(last)


def last_of(month: date) -> date:
    """The last day of a month."""
    return month.replace(day=monthrange(month.year, month.month)[1])


def same_weekdays(day: date, count: int = COMPARED_WEEKS) -> list[date]:
    """The same weekday of the weeks before, the latest first."""
    return [day - weeks * WEEK for weeks in range(1, count + 1)]


def holiday(day: date) -> str:
    """The name of a public holiday of Norway; empty on any other day."""
    return _holidays(day.year).get(day, "")


def is_working_day(day: date) -> bool:
    return day.weekday() < 5 and not holiday(day)


def working_day_before(day: date) -> date:
    """The last working day that is over."""
    before = (day - timedelta(days=ago) for ago in count(1))
    return next(filter(is_working_day, before))


@cache
def _holidays(year: int) -> dict[date, str]:
    return dict(country_holidays("NO", years=year, language="en_US"))
