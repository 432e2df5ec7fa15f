"""Pages of a batch's rows by key: the last costs what the first does, and none parts the rows of one object."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any

from django.db.models import QuerySet

from batches.models import Row

PER_PAGE = 50
MOST_MORE = 100  # rows of a page beyond these, so that the rows under one index stay together


@dataclass(frozen=True)
class Line:
    """A row with its key, its anchor, and the end of an address that leads to it: a page that begins with its object."""

    row: Row
    key: int
    anchor: str
    link: str
    is_further: bool  # under the same index as the row above


@dataclass(frozen=True)
class Page:
    """The lines of one page, and the keys to turn it with: rows before the one, rows from the other on.

    A page that has the last row of an object from the next fifty rows gives the next one as much less to show. With that
    number in their addresses, pages have the same rows whichever way they are turned.
    """

    lines: Sequence[Line]
    before: int | None = None
    onward: int | None = None
    taken: int = 0  # rows of these fifty that the page before shows
    given: int = 0  # rows of the next fifty that this page shows
    missing: int | None = None  # the object index that was asked for, if no row has it


@dataclass(frozen=True)
class Shelf:
    """Rows in the order of their key; without gaps between the keys if it is whole.

    Then some rows are a short range of keys, and this says so: PostgreSQL takes a new batch for a small one, and would
    read and sort all of it to give the first rows.
    """

    rows: QuerySet[Any]
    key: str
    is_whole: bool

    def since(self, start: int, number: int) -> list[Row]:
        return list(self._within({"gte": start}, {"lt": start + number})[:number])

    def until(self, end: int, number: int) -> list[Row]:
        return list(self._within({"lt": end}, {"gte": end - number}).reverse()[:number])[::-1]

    def _within(self, bound: Mapping[str, int], if_whole: Mapping[str, int]) -> QuerySet[Any]:
        bounds = {**bound, **(if_whole if self.is_whole else {})}
        return self.rows.filter(**{f"{self.key}__{name}": value for name, value in bounds.items()}).order_by(self.key)


def page_of_rows(rows: QuerySet[Any], key: str, asked: Mapping[str, str], *, count: int, is_whole: bool) -> Page:
    """The page that `from`, `before` or `row` (an object index) asks for; what is no number asks for the first.

    `rows` are `count` rows whose keys have no gaps, if `is_whole`.
    """
    shelf = Shelf(rows, key, is_whole)
    taken = _number(asked.get("less")) or 0
    taken = taken if 0 < taken < PER_PAGE else 0
    before, index = _number(asked.get("before")), _number(asked.get("row"))
    if before is not None:
        return _page_until(shelf, min(before, count), taken)
    if index is not None and hasattr(rows.model, "object_index"):
        return _page_at(shelf, index, count)
    return _page_since(shelf, _number(asked.get("from")) or 0, taken)


def _page_at(shelf: Shelf, index: int, count: int) -> Page:
    """The page that begins with the object of this index; if it has no row, with the next that has."""
    found = shelf.rows.filter(object_index__gte=index).order_by("object_index", shelf.key)
    at, start = next(iter(found.values_list("object_index", shelf.key)[:1]), (None, count))
    return replace(_page_since(shelf, start, 0), missing=index if at != index else None)


def _page_since(shelf: Shelf, start: int, taken: int) -> Page:
    size = PER_PAGE - taken
    found = shelf.since(start, size + 1)
    shown, following = found[:size], found[size:]
    is_parted = bool(following) and _are_together(shown[-1], following[0])
    if is_parted:
        following = shelf.since(getattr(following[0], shelf.key), MOST_MORE + 1)
    more = _together_with(shown[-1], following[:MOST_MORE]) if is_parted else []
    page = _page([*shown, *more], shelf.key, earlier=start > 0, later=len(more) < len(following))
    return replace(page, taken=taken, given=len(more) if len(more) < PER_PAGE else 0)


def _page_until(shelf: Shelf, end: int, given: int) -> Page:
    size = PER_PAGE + given
    found = shelf.until(end, size + 1)
    previous, shown = found[:-size], found[-size:]
    begun = _together_with(previous[0], shown) if previous else []
    if previous and len(begun) == len(shown):  # all of one object: back to its first row
        previous = shelf.until(getattr(shown[0], shelf.key), MOST_MORE + 1)
        more = _together_with(shown[0], previous[: -MOST_MORE - 1 : -1])[::-1]
        previous, shown, begun = previous[: len(previous) - len(more)], [*more, *shown], []
    page = _page(shown[len(begun) :], shelf.key, earlier=bool(previous), later=True)
    return replace(page, taken=len(begun), given=given)


def _page(rows: Sequence[Row], key: str, *, earlier: bool, later: bool) -> Page:
    if not rows:
        return Page([])
    first, last = (getattr(row, key) for row in (rows[0], rows[-1]))
    return Page(list(_lines(rows, key)), first if earlier and first > 0 else None, last + 1 if later else None)


def _lines(rows: Sequence[Row], key: str) -> Iterator[Line]:
    """`row-17` is a page's first row of index 17, `row-17-4` a further one, `row-at-4` one without index, by position."""
    taken = set[str]()
    start, above = 0, None
    for row in rows:
        is_further = above is not None and _are_together(above, row)
        above, start = row, start if is_further else getattr(row, key)
        index = getattr(row, "object_index", None)
        anchor = f"row-at-{row.position}" if index is None else f"row-{index}"
        unique = f"{anchor}-{row.position}" if anchor in taken else anchor
        yield Line(row, getattr(row, key), unique, f"?from={start}#{unique}", is_further)
        taken.add(anchor)


def _together_with(row: Row, others: Iterable[Row]) -> list[Row]:
    return list(takewhile(lambda other: _are_together(row, other), others))


def _are_together(row: Row, other: Row) -> bool:
    index = getattr(row, "object_index", None)
    return index is not None and index == getattr(other, "object_index", None)


def _number(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"-?[0-9]{1,19}", text) else None
