"""The tabs of a batch's page: its lists of rows with filter and pages, the timeline, the answer as received."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from batches.forms import IndexedRowFilter, RowFilter
from batches.models import Batch, Row
from batches.pretty import pretty_start

PER_PAGE = 50


@dataclass(frozen=True)
class Tab:
    """One tab: its place in the address, and its word."""

    name: str
    label: str | Promise

    def count(self, batch: Batch) -> int | None:
        """How many rows it has, where that is worth a number in the tab."""
        return None

    def shown(self, batch: Batch) -> bool:
        return True

    def context(self, batch: Batch, asked: Mapping[str, str]) -> dict[str, Any]:
        """What its part of the template needs; `asked` is the address's query."""
        raise NotImplementedError


@dataclass(frozen=True)
class RowsTab(Tab):
    """A list of rows, filtered and paged by key: the last page costs what the first does."""

    counted_by: str  # the batch's field with the number of rows
    columns: Sequence[str]  # that a text is looked for in
    key: str = "position"
    form: type[RowFilter] = RowFilter
    optional: bool = False  # not shown without rows

    def count(self, batch: Batch) -> int:
        number: int = getattr(batch, self.counted_by)
        return number

    def shown(self, batch: Batch) -> bool:
        return not self.optional or self.count(batch) > 0

    def context(self, batch: Batch, asked: Mapping[str, str]) -> dict[str, Any]:
        form = self.form(asked, columns=self.columns)
        rows = form.filter(getattr(batch, self.name).all())
        return {"form": form, "page": self._page(rows, asked, self.count(batch), is_whole=not form.is_filtering)}

    def _page(self, rows: QuerySet[Row], asked: Mapping[str, str], count: int, *, is_whole: bool) -> "Page":
        # Keys have no gaps, so a page of rows that nothing is left out of is a short range of them, and says so:
        # PostgreSQL takes a new batch for a small one, and would read and sort all of it to give the first rows.
        before = _number(asked.get("before"))
        if before is not None:
            end = min(before, count)
            bounds = {"lt": end, "gte": end - PER_PAGE - 1} if is_whole else {"lt": end}
            found = list(self._within(rows, bounds).reverse()[: PER_PAGE + 1])
            return self._cut(found[:PER_PAGE][::-1], earlier=len(found) > PER_PAGE, later=True)
        first = self._first_key(rows, asked, count)
        bounds = {"gte": first, "lte": first + PER_PAGE} if is_whole else {"gte": first}
        found = list(self._within(rows, bounds)[: PER_PAGE + 1])
        return self._cut(found[:PER_PAGE], earlier=first > 0, later=len(found) > PER_PAGE)

    def _within(self, rows: QuerySet[Row], bounds: Mapping[str, int]) -> QuerySet[Row]:
        return rows.filter(**{f"{self.key}__{bound}": key for bound, key in bounds.items()}).order_by(self.key)

    def _first_key(self, rows: QuerySet[Row], asked: Mapping[str, str], count: int) -> int:
        """Where a page begins that goes forward: at an object's row, after the last page, or at the top."""
        row, after = _number(asked.get("row")), _number(asked.get("after"))
        if row is not None and self.form is IndexedRowFilter:
            found = rows.filter(Q(object_index__gte=row)).order_by("object_index", self.key)
            return next(iter(found.values_list(self.key, flat=True)[:1]), count)
        return 0 if after is None else after + 1

    def _cut(self, rows: list[Row], *, earlier: bool, later: bool) -> "Page":
        if not rows:
            return Page([], None, None)
        first, last = (getattr(row, self.key) for row in (rows[0], rows[-1]))
        return Page(list(_anchored(rows)), first if earlier and first > 0 else None, last if later else None)


@dataclass(frozen=True)
class Page:
    """Rows of one page, each with its anchor, and the keys to turn the page with."""

    rows: list[tuple[str, Row]]
    before: int | None
    after: int | None


def _number(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"-?[0-9]{1,19}", text) else None


def _anchored(rows: Iterable[Row]) -> Iterator[tuple[str, Row]]:
    """`row-17` is the first row of index 17, `row-17-4` a further one, `row-at-4` a row without index, by its position."""
    taken = set[str]()
    for row in rows:
        index = getattr(row, "object_index", None)
        anchor = f"row-at-{row.position}" if index is None else f"row-{index}"
        anchor = f"{anchor}-{row.position}" if anchor in taken else anchor
        taken.add(anchor)
        yield anchor, row


class TimelineTab(Tab):
    """What happened to the batch, the latest first."""

    MOST = 200

    def context(self, batch: Batch, asked: Mapping[str, str]) -> dict[str, Any]:
        return {"entries": batch.timeline.order_by("-id")[: self.MOST]}


class AnswerTab(Tab):
    """Amili's last answer, readable and whole, or its beginning where it is long."""

    MOST = 30_000  # characters shown

    def context(self, batch: Batch, asked: Mapping[str, str]) -> dict[str, Any]:
        answer = batch.answers.beginning(self.MOST).order_by("-received_at").first()
        if answer is None:
            return {"answer": None}
        start = answer.start(self.MOST)
        return {"answer": answer, "text": pretty_start(start), "is_cut": answer.size > self.MOST}


TABS: dict[str, Tab] = {
    tab.name: tab
    for tab in (
        RowsTab(
            "errors", _("Errors"), "error_count", ["message", "object_name", "extra"], key="rank", form=IndexedRowFilter
        ),
        RowsTab("succeeded", _("Succeeded"), "succeeded_count", ["invoice_number", "invoice_id", "case_id", "extra"]),
        RowsTab("failed", _("Failed items"), "failed_item_count", ["extra"], optional=True),
        RowsTab(
            "responses",
            _("Ledger responses"),
            "response_count",
            ["object_name", "ledger_reference", "status_statuscode", "extra"],
            form=IndexedRowFilter,
            optional=True,
        ),
        TimelineTab("timeline", _("Timeline")),
        AnswerTab("answer", _("Answer as received")),
    )
}


def first_tab_of(batch: Batch) -> str:
    """Where the page opens: at what went wrong, else at what went well."""
    return next((name for name in ("errors", "failed", "succeeded") if TABS[name].count(batch)), "errors")
