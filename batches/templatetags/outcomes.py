"""How the numbers of a day are written for people, and where the batches are that make them."""

from uuid import UUID

from django import template
from django.template.defaultfilters import title, truncatechars
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext

from batches.day_causes import CauseOfDay
from batches.outcomes import Compared, Part, whole
from batches.templatetags.batches import count
from batches.trend import TrendDay
from batches.words import LONGEST_FILTER, NO_ORGANIZATION, NONE_NAMED, failed_share, organisation, succeeded_share

LONGEST_NAME = 60  # of a type
LONG_RISE = 10  # times the usual

register = template.Library()
register.filter("sender", organisation)
register.filter(failed_share)
register.filter(succeeded_share)


@register.simple_tag
def batches_link(
    number: int, text: str = "{}", label: str = "", *, part: Part | None = None, alarm: bool = False, **filters: str
) -> str:
    """A number as a link to the batches that make it, of which there are none for a zero.

    The label says what a bare number counts, and of which part, to who does not see where it stands.
    """
    asked = {**filters, **(_filter_of(part) if part else {})}
    said = text.format(count(number))
    if not number or any(len(value) > LONGEST_FILTER for value in asked.values()):
        return said
    address = reverse("batches", query=asked)
    called = format_html(' aria-label="{}"', label.format(count(number), part and part_name(part))) if label else ""
    return format_html('<a class="ds-link{}" href="{}"{}>{}</a>', " alarm" if alarm else "", address, called, said)


def _filter_of(part: Part) -> dict[str, str]:
    if isinstance(part.key, UUID):
        return {"organisation": NONE_NAMED if part.key == NO_ORGANIZATION else str(part.key)}
    return {"type": part.key or NONE_NAMED}


@register.filter
def part_name(part: Part) -> str:
    """An organisation by its name, and a type as a word: `INVOICE` -> `Invoice`."""
    if isinstance(part.key, UUID):
        return organisation(part.key)
    return title(truncatechars(part.key, LONGEST_NAME)) or gettext("No type")


@register.filter
def change(cause: CauseOfDay) -> str:
    """By how much there is more of a cause than usual, or less: `60 %`, and `×12` where that would be a long number."""
    if not cause.usual:
        return gettext("from 0")
    times = cause.rows / cause.usual
    return f"×{count(round(times))}" if times >= LONG_RISE else f"{count(round(100 * abs(times - 1)))}\xa0%"


@register.filter
def clock_of(zone: str) -> str:
    """`Europe/Oslo` -> `Oslo time`; a zone that is no place's keeps its name."""
    area, _, place = zone.rpartition("/")
    if area in {"", "Etc"}:
        return place
    return gettext("%(place)s time") % {"place": place.replace("_", " ")}


@register.filter
def told_outcomes(day: TrendDay) -> str:
    """Of a day of the trend; as a filter, since a chart has a year of them."""
    return gettext("%(succeeded)s succeeded, %(partly)s partly, %(failed)s failed") % {
        "succeeded": count(day.succeeded),
        "partly": count(day.partial),
        "failed": count(day.failed),
    }


@register.filter
def told_share(day: TrendDay) -> str:
    """The same of a day on which there were objects."""
    return gettext("%(share)s failed, %(failed)s of %(all)s") % {
        "share": failed_share(day.share or 0),
        "failed": count(day.bad),
        "all": count(day.objects),
    }


@register.filter
def usually(compared: Compared) -> str:
    """`usually 38`; nothing where there is no history."""
    return _usually(whole_count(compared.usual)) if compared.usual is not None else ""


@register.filter
def whole_count(usual: float) -> str:
    """What is usual of something that is counted."""
    return count(whole(usual))


@register.filter
def usually_failed(share: Compared) -> str:
    """The same of a share."""
    return _usually(failed_share(share.usual)) if share.usual is not None else ""


@register.filter
def usually_succeeded(share: Compared) -> str:
    """The same of the rest of it."""
    return _usually(succeeded_share(share.usual)) if share.usual is not None else ""


def _usually(number: str) -> str:
    return gettext("usually %(number)s") % {"number": number}
