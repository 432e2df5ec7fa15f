"""How facts are written for people: numbers, times, words with their icons, bars."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django import template
from django.forms import BoundField
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, ngettext

from batches import words
from batches.models import Batch
from batches.pretty import fields_of
from batches.words import Outcome

register = template.Library()
register.filter("fields", fields_of)
register.filter(words.short_id)

# 16 x 16 drawings in the style of the kit: one stroke, no fill.
_ICONS: Mapping[str, SafeString] = {
    Outcome.QUEUED: mark_safe('<circle cx="8" cy="8" r="6.2"/><path d="M8 4.6V8l2.3 1.7"/>'),
    Outcome.IN_PROGRESS: mark_safe('<path d="M8 1.8a6.2 6.2 0 1 1-5.9 4.3"/><path d="M2 2.4v3.8h3.8"/>'),
    Outcome.SUCCEEDED: mark_safe('<circle cx="8" cy="8" r="6.2"/><path d="m5 8.2 2.1 2.1L11 6.2"/>'),
    Outcome.PARTIAL: mark_safe('<circle cx="8" cy="8" r="6.2"/><path d="M8 4.5v4.2M8 11v.4"/>'),
    Outcome.FAILED: mark_safe('<circle cx="8" cy="8" r="6.2"/><path d="m5.7 5.7 4.6 4.6m0-4.6-4.6 4.6"/>'),
    Outcome.UNKNOWN: mark_safe(
        '<circle cx="8" cy="8" r="6.2"/><path d="M6.2 6.4a1.8 1.8 0 1 1 2.6 1.7c-.6.3-.8.6-.8 1.1M8 11.3v.2"/>'
    ),
}
_COLOURS: Mapping[str, str] = {
    Outcome.QUEUED: "info",
    Outcome.IN_PROGRESS: "info",
    Outcome.SUCCEEDED: "success",
    Outcome.PARTIAL: "warning",
    Outcome.FAILED: "danger",
    Outcome.UNKNOWN: "neutral",
}


@register.simple_tag
def status(outcome: str) -> SafeString:
    """The word for an outcome with its colour and icon; never green for what nobody knows."""
    known = Outcome(outcome)
    return _tag(_COLOURS[known], _ICONS[known], known.label)


@register.simple_tag
def stuck_tag() -> SafeString:
    """The same for a batch that runs for longer than is usual."""
    icon = mark_safe('<path d="M8 2.2 1.8 13.2h12.4z"/><path d="M8 6.4v3M8 11.2v.2"/>')
    return _tag("warning", icon, gettext("Stuck"))


def _tag(colour: str, icon: SafeString, word: str | Promise) -> SafeString:
    return format_html(
        '<span class="ds-tag status" data-color="{}"><svg viewBox="0 0 16 16" class="icon" aria-hidden="true">{}</svg>{}</span>',
        colour,
        icon,
        word,
    )


@register.simple_tag
def outcome_bar(batch: Batch) -> SafeString:
    """What succeeded and failed of a batch."""
    return bar(batch.succeeded_objects, batch.failed_objects)


@register.simple_tag
def bar(succeeded: int, failed: int) -> SafeString:
    """A bar of succeeded and failed. Where there is any of one, it stays visible however small its share."""
    total = succeeded + failed
    if not total:
        return mark_safe("")
    good = round(1000 * succeeded / total)
    good = min(max(good, 8 if succeeded else 0), 1000 - (8 if failed else 0))
    gap = 3 if 0 < good < 1000 else 0
    return format_html(
        '<svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<rect class="good" width="{}" height="10"/><rect class="bad" x="{}" width="{}" height="10"/></svg>',
        gettext("%(succeeded)s succeeded, %(failed)s failed")
        % {"succeeded": count(succeeded), "failed": count(failed)},
        good - gap if gap else good,
        good,
        1000 - good,
    )


@register.filter
def count(number: int) -> str:
    """4812 -> 4 812, with a hard space."""
    return number_format(number, force_grouping=True)


@register.filter
def share(batch: Batch) -> str:
    """The succeeded share of a batch: rounded down, so that 100 % means all."""
    tenths = 1000 * batch.succeeded_objects // batch.objects_known
    return f"{number_format(tenths / 10, decimal_pos=0 if tenths % 10 == 0 else 1)}\xa0%"


@register.filter
def moment(at: datetime | None) -> SafeString:
    """A date and time on the site's clock."""
    return _time(at, "SHORT_DATE_FORMAT", "TIME_FORMAT") if at else mark_safe("–")


@register.filter
def clock(at: datetime) -> SafeString:
    """The time alone where it is today's, else with its date."""
    is_today = timezone.localdate(at) == timezone.localdate()
    return _time(at, "TIME_FORMAT") if is_today else _time(at, "SHORT_DATE_FORMAT", "TIME_FORMAT")


def _time(at: datetime, *formats: str) -> SafeString:
    local = timezone.localtime(at)
    text = " ".join(date_format(local, each) for each in formats)
    return format_html('<time datetime="{}">{}</time>', local.isoformat(timespec="seconds"), text)


_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


@register.filter
def duration(length: timedelta | None) -> str:
    """The two largest units: `1 min 44 s`, `3 h 5 min`, `18 s`."""
    if length is None:
        return "–"
    seconds = int(length.total_seconds())
    parts = []
    for size, unit in _UNITS:
        if seconds >= size:
            parts.append(f"{seconds // size}\xa0{unit}")
            seconds %= size
    return " ".join(parts[:2]) or "0\xa0s"


@register.filter
def so_far(since: datetime) -> str:
    """How long it has been going on, to the minute."""
    return duration((timezone.now() - since) // timedelta(minutes=1) * timedelta(minutes=1))


@register.filter
def age(since: datetime) -> str:
    """How long ago, in words that stay true for a while: `18 s`, `3 min`, `2 h`, else the date and time."""
    seconds = int((timezone.now() - since).total_seconds())
    if seconds < 60:
        return gettext("%(n)s s ago") % {"n": max(seconds, 0)}
    if seconds < 3_600:
        return gettext("%(n)s min ago") % {"n": seconds // 60}
    if seconds < 86_400:
        return gettext("%(n)s h ago") % {"n": seconds // 3_600}
    return date_format(timezone.localtime(since), "SHORT_DATETIME_FORMAT")


@register.filter
def organisation(organization_id: UUID | None) -> str:
    """Its name, or a short ID; nothing where none is named, which tables show as they do all that is missing."""
    return words.organisation(organization_id) if organization_id else ""


@register.filter
def objects(number: int) -> str:
    return ngettext("%(n)s object", "%(n)s objects", number) % {"n": count(number)}


@register.filter
def of_the_kit(field: BoundField) -> SafeString:
    """A form's field in the look that the kit's stylesheet gives by a class."""
    return field.as_widget(attrs={"class": "ds-input", "placeholder": False})
