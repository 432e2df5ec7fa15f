"""How causes are written for people."""

from collections.abc import Sequence

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from batches.bars import Bar
from batches.fingerprint import parts
from batches.templatetags.batches import count
from batches.words import ranges_text

register = template.Library()

SHOWN_RANGES = 8


@register.filter
def cause_text(text: str) -> SafeString:
    """A cause's template, with its placeholders set apart."""
    if not text:
        return format_html('<em class="quiet">{}</em>', gettext("No message"))
    pieces = (
        (format_html("<code>{}</code>", part) if is_placeholder else part,) for is_placeholder, part in parts(text)
    )
    return format_html_join("", "{}", pieces)


@register.filter
def ranges(found: Sequence[tuple[int, int]], most: int = SHOWN_RANGES) -> str:
    """The first of them: 0–41, 57"""
    return ranges_text(found[:most])


@register.filter
def beyond(found: Sequence[tuple[int, int]], objects: int) -> int:
    """How many of so many objects `ranges` leaves out."""
    return max(objects - sum(last - first + 1 for first, last in found[:SHOWN_RANGES]), 0)


@register.simple_tag
def sparkline(bars: Sequence[Bar]) -> SafeString:
    """The last days in a word's height; what it says stands in its name too."""
    most = max(bars, key=lambda bar: bar.rows)
    said = gettext("%(rows)s error rows in the last %(days)s days, most on %(day)s") % {
        "rows": count(sum(bar.rows for bar in bars)),
        "days": len(bars),
        "day": f"{most.day:%d.%m.}",
    }
    drawn = format_html_join(
        "",
        '<rect x="{}" y="{}" width="8" height="{}"/>',
        ((bar.x, bar.top, bar.height) for bar in bars if bar.rows),
    )
    return format_html(
        '<svg class="spark" viewBox="0 0 {} 100" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>',
        len(bars) * 10,
        said,
        drawn,
    )


@register.simple_tag
def rows_share(rows: int, all_rows: int) -> str:
    """A share in percent; a small one is never 0 %, and 100 % means all."""
    percent = round(100 * rows / all_rows)
    return f"{min(percent, 100 if rows == all_rows else 99)}\xa0%" if percent else gettext("under 1\xa0%")
