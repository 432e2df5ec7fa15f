"""The cells of a sheet as XML: numbers and dates with their types, and every other value as a text."""

import re
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils import timezone

from batches.exports.table import Row, Writers
from batches.exports.text import neutral
from batches.exports.xlsx_parts import DAY, HEADER, MOMENT

MOST_TEXT = 32_767  # UTF-16 units in a cell
_MOST = 10**15  # beyond them Excel rounds
_DAY_ZERO = date(1899, 12, 30).toordinal()
_FIRST_DAY = date(1900, 3, 1)  # Excel counts a 29th of February in 1900: days before it are off by one

# What has to be written otherwise in XML, what XML cannot hold at all, and what Excel takes for its own escape.
_SPECIAL = re.compile("[&<>\r\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]|_x[0-9A-Fa-f]{4}_")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}


def header_row(headers: Iterable[str]) -> str:
    """The first row of a sheet."""
    return f"<row>{''.join(_text(header, f' s="{HEADER}"') for header in headers)}</row>"


def rows_xml(rows: Iterable[Row]) -> str:
    """Rows one after the other; where each stands, and its cells, is told by their order alone."""
    return "".join(f"<row>{''.join([_CELLS[type(value)](value) for value in row])}</row>" for row in rows)


def _text(text: str, style: str = "") -> str:
    return text_cell(neutral(text), style) if text else "<c/>"


def text_cell(text: str, style: str = "") -> str:
    """A text as it is: typed as one, it does not run, but it would if somebody saved the sheet as CSV."""
    plain = _cut(text)
    if _SPECIAL.search(plain):
        plain = _SPECIAL.sub(_escaped, plain)
    return f'<c{style} t="inlineStr"><is><t xml:space="preserve">{plain}</t></is></c>'


def _escaped(match: re.Match[str]) -> str:
    found = match[0]
    return f"_x005F{found}" if len(found) > 1 else _ENTITIES.get(found, "\ufffd")


def _cut(text: str) -> str:
    """At what a cell can hold; a character beyond U+FFFF counts twice."""
    if len(text) <= MOST_TEXT // 2:
        return text
    units = text[: MOST_TEXT + 1].encode("utf-16-le", "replace")
    if len(units) <= 2 * MOST_TEXT:
        return text
    return units[: 2 * (MOST_TEXT - 1)].decode("utf-16-le", "ignore") + "…"


def _number(number: float | Decimal) -> str:
    return f"<c><v>{number}</v></c>" if -_MOST < number < _MOST else _text(str(number))


def _moment(at: datetime) -> str:
    local = timezone.localtime(at)
    if local.date() < _FIRST_DAY:
        return _text(local.isoformat(timespec="seconds"))
    seconds = local.hour * 3600 + local.minute * 60 + local.second
    return f'<c s="{MOMENT}"><v>{local.toordinal() - _DAY_ZERO + seconds / 86_400:.10f}</v></c>'


def _day(day: date) -> str:
    return _text(day.isoformat()) if day < _FIRST_DAY else f'<c s="{DAY}"><v>{day.toordinal() - _DAY_ZERO}</v></c>'


def _identifier(uuid: UUID) -> str:
    return _text(str(uuid))


def _empty(_: Any) -> str:
    return "<c/>"


_CELLS: Writers[str] = {
    str: _text,
    int: _number,
    float: _number,
    Decimal: _number,
    UUID: _identifier,
    datetime: _moment,
    date: _day,
    type(None): _empty,
}
