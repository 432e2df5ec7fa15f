"""The lists of a batch's rows: filtered, paged, and with the columns that a person wants to see."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from batches.forms.rows import ErrorFilter, IndexedRowFilter, RowFilter
from batches.models import Batch, BatchCause
from batches.views.paging import Line, Page, page_of_rows
from batches.views.tabs.tab import Tab

MOST_COUNTED = 10_000  # of the rows that fit a filter: more than that is more than that


@dataclass(frozen=True)
class Column:
    """A column of a table of rows."""

    name: str  # of the row's field
    label: str | Promise
    look: str = ""  # the class of its cells
    has_extra: bool = False  # holds what has no column of its own, too
    is_rare: bool = False  # shown only where a row of the page has it


class Cell(NamedTuple):
    """Where a row and a column meet."""

    column: Column
    value: Any


@dataclass(frozen=True)
class RowsTab(Tab):
    """A list of rows, filtered and paged."""

    counted_by: str  # the batch's field with the number of rows
    columns: Sequence[Column]
    sought: str | Promise  # what a text is looked for in, in words
    searched: Sequence[str]  # and in the table
    key: str = "position"
    form: type[RowFilter] = RowFilter
    optional: bool = False  # not shown without rows
    unless: str = ""  # not shown without rows either where this field counts some
    related: Sequence[str] = ()  # what is read together with the rows

    def count(self, batch: Batch) -> int:
        number: int = getattr(batch, self.counted_by)
        return number

    def shown(self, batch: Batch) -> bool:
        is_needless = self.optional or (self.unless and getattr(batch, self.unless) > 0)
        return self.count(batch) > 0 or not is_needless

    def details(self, batch: Batch, asked: Mapping[str, str]) -> dict[str, Any]:
        form, count = self.filter_form(asked), self.count(batch)
        rows = form.filter(getattr(batch, self.name).all())
        rows = rows.select_related(*self.related) if self.related else rows
        page = page_of_rows(rows, self.key, asked, count=count, is_whole=not form.is_filtering)
        columns = list(self._columns_of(page, form.hidden)) or self.columns[:1]
        return {
            "form": form,
            "page": page,
            "row_count": count,
            "fitting": _count(rows, page) if form.is_filtering else count,
            "most_counted": MOST_COUNTED,
            "columns": columns,
            "table": list(_table(page.lines, columns)),
            "of_cause": _cause_in(batch, form.cleaned_data.get("cause")),
        }

    def filter_form(self, asked: Mapping[str, str]) -> RowFilter:
        """What is asked of these rows."""
        hideable = [(column.name, column.label) for column in self.columns]
        return self.form(asked, label=self.sought, columns=self.searched, hideable=hideable)

    def _columns_of(self, page: Page, hidden: Sequence[str]) -> Iterator[Column]:
        for column in self.columns:
            is_there = not column.is_rare or any(getattr(line.row, column.name) for line in page.lines)
            if is_there and column.name not in hidden:
                yield column


def _count(rows: QuerySet[Any], page: Page) -> int:
    """How many rows fit: those of the page if it is the only one, else counted, but not for ever."""
    is_only_one = page.before is None and page.onward is None
    return len(page.lines) if is_only_one else rows[: MOST_COUNTED + 1].count()


def _table(lines: Iterable[Line], columns: Sequence[Column]) -> Iterator[tuple[Line, list[Cell]]]:
    for line in lines:
        yield line, [Cell(column, getattr(line.row, column.name)) for column in columns]


def _cause_in(batch: Batch, cause_id: int | None) -> BatchCause | None:
    """What the batch has of the cause that its rows are filtered by."""
    return batch.causes.select_related("cause").filter(cause=cause_id).first() if cause_id else None


_INDEX = Column("object_index", _("Index"), "number")
_OBJECT = Column("object_name", _("Object"))

ROWS_TABS = [
    RowsTab(
        "errors",
        _("Errors"),
        "error_count",
        [
            _INDEX,
            _OBJECT,
            Column("invoice_number", _("Invoice number"), "named", is_rare=True),
            Column("message", _("Message"), "wide", has_extra=True),
        ],
        _("Message or invoice number"),
        ["message", "invoice_number", "extra"],
        key="rank",
        form=ErrorFilter,
        unless="failed_item_count",
        related=["cause"],
    ),
    RowsTab(
        "succeeded",
        _("Succeeded"),
        "succeeded_count",
        [
            Column("invoice_number", _("Invoice number"), has_extra=True),
            Column("case_id", _("Case")),
            Column("invoice_id", _("Invoice ID")),
            Column("kind", _("Kind")),
        ],
        _("Invoice number, invoice ID or case ID"),
        ["invoice_number", "invoice_id", "case_id", "extra"],
    ),
    RowsTab(
        "failed",
        _("Failed items"),
        "failed_item_count",
        [Column("position", _("Place"), "number"), Column("extra", _("As Amili sent it"), "wide")],
        _("Text"),
        ["extra"],
        optional=True,
    ),
    RowsTab(
        "responses",
        _("Ledger responses"),
        "response_count",
        [
            _INDEX,
            _OBJECT,
            Column("ledger_reference", _("Ledger reference"), has_extra=True),
            Column("status_statuscode", _("Status code")),
        ],
        _("Reference or status code"),
        ["ledger_reference", "status_statuscode", "extra"],
        form=IndexedRowFilter,
        optional=True,
    ),
]
