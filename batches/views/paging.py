"""Pages of a batch's rows by key: the last costs what the first does."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from batches.models import Row

PER_PAGE = 50


@dataclass(frozen=True)
class Line:
    """A row with its anchor, and with the end of an address that leads to it: a page that begins with it."""

    row: Row
    anchor: str
    link: str


@dataclass(frozen=True)
class Page:
    """The lines of one page, and the keys to turn it with: rows before the one, rows from the other on."""

    lines: Sequence[Line]
    before: int | None
    onward: int | None


def page_of_rows(rows: QuerySet[Any], key: str, asked: Mapping[str, str], *, count: int, is_whole: bool) -> Page:
    """The page that `from`, `before` or `row` (an object index) asks for; what is no number asks for the first.

    `rows` are `count` rows whose keys have no gaps, if `is_whole`: then a page is a short range of keys, and says so.
    PostgreSQL takes a new batch for a small one, and would read and sort all of it to give the first rows.
    """
    before, start = _number(asked.get("before")), _start(rows, key, asked, count)
    if before is not None:
        end = min(before, count)
        bounds = {"lt": end, "gte": end - PER_PAGE - 1} if is_whole else {"lt": end}
        found = list(_within(rows, key, bounds).reverse()[: PER_PAGE + 1])
        return _page(found[:PER_PAGE][::-1], key, earlier=len(found) > PER_PAGE, later=True)
    bounds = {"gte": start, "lte": start + PER_PAGE} if is_whole else {"gte": start}
    found = list(_within(rows, key, bounds)[: PER_PAGE + 1])
    return _page(found[:PER_PAGE], key, earlier=start > 0, later=len(found) > PER_PAGE)


def _start(rows: QuerySet[Any], key: str, asked: Mapping[str, str], count: int) -> int:
    index = _number(asked.get("row"))
    if index is None or not hasattr(rows.model, "object_index"):
        return _number(asked.get("from")) or 0
    found = rows.filter(object_index__gte=index).order_by("object_index", key).values_list(key, flat=True)
    return next(iter(found[:1]), count)


def _within(rows: QuerySet[Any], key: str, bounds: Mapping[str, int]) -> QuerySet[Any]:
    return rows.filter(**{f"{key}__{bound}": value for bound, value in bounds.items()}).order_by(key)


def _page(rows: Sequence[Row], key: str, *, earlier: bool, later: bool) -> Page:
    if not rows:
        return Page([], None, None)
    first, last = (getattr(row, key) for row in (rows[0], rows[-1]))
    return Page(list(_lines(rows, key)), first if earlier and first > 0 else None, last + 1 if later else None)


def _lines(rows: Sequence[Row], key: str) -> Iterator[Line]:
    """`row-17` is a page's first row of index 17, `row-17-4` a further one, `row-at-4` one without index, by position."""
    taken = set[str]()
    for row in rows:
        index = getattr(row, "object_index", None)
        anchor = f"row-at-{row.position}" if index is None else f"row-{index}"
        link = f"?from={getattr(row, key)}#{anchor}"
        yield Line(row, f"{anchor}-{row.position}" if anchor in taken else anchor, link)
        taken.add(anchor)


def _number(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"-?[0-9]{1,19}", text) else None
