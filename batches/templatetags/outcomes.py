"""How the numbers of a day are written for people, and where the batches are that make them."""

from math import ceil
from uuid import UUID

from django import template
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.translation import gettext

from batches.models import NO_ORGANIZATION
from batches.outcomes import Compared, Part
from batches.templatetags.batches import count, organisation

register = template.Library()

NONE = "none"  # what the list's filters call an organisation or a type that is not named
LONGEST_FILTER = 200  # characters; a type may be any text


@register.simple_tag
def batches_link(
    number: int, text: str = "{}", *, part: Part | None = None, alarm: bool = False, **filters: str
) -> str:
    """A number as a link to the batches that make it, of which there are none for a zero."""
    asked = {**filters, **(_filter_of(part) if part else {})}
    said = text.format(count(number))
    if not number or any(len(value) > LONGEST_FILTER for value in asked.values()):
        return said
    address = reverse("batches", query=asked)
    return format_html('<a class="ds-link{}" href="{}">{}</a>', " alarm" if alarm else "", address, said)


def _filter_of(part: Part) -> dict[str, str]:
    if isinstance(part.key, UUID):
        return {"organisation": NONE if part.key == NO_ORGANIZATION else str(part.key)}
    return {"type": part.key or NONE}


@register.filter
def sender(organization_id: UUID) -> str:
    """An organisation's name, as far as it has one."""
    return gettext("None named") if organization_id == NO_ORGANIZATION else organisation(organization_id)


@register.filter
def failed_share(part: float) -> str:
    """0.0189 -> 1.9 %. Rounded up, so that 0 % means none."""
    return _percent(_tenths(part))


@register.filter
def succeeded_share(part: float) -> str:
    """The rest of it: rounded down, so that 100 % means all."""
    return _percent(1000 - _tenths(part))


@register.filter
def usually(compared: Compared) -> str:
    """`usually 38`; nothing where there is no history."""
    return _usually(count(round(compared.usual))) if compared.usual is not None else ""


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


def _tenths(part: float) -> int:
    """Of a percent; a share that is exact in them is not rounded up for what floats are."""
    return ceil(round(1000 * part, 6))


def _percent(tenths: int) -> str:
    return f"{number_format(tenths / 10, decimal_pos=0 if tenths % 10 == 0 else 1)}\xa0%"
