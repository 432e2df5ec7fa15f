"""The tabs of a batch's page: its lists of rows with filter and pages, the timeline, the answer as received."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from batches.forms import IndexedRowFilter, RowFilter
from batches.models import Batch
from batches.pretty import pretty_start
from batches.views.paging import page_of_rows


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
    """A list of rows, filtered and paged."""

    counted_by: str  # the batch's field with the number of rows
    sought: str | Promise  # what a text is looked for in, in words
    columns: Sequence[str]  # and in the table
    key: str = "position"
    form: type[RowFilter] = RowFilter
    optional: bool = False  # not shown without rows
    unless: str = ""  # not shown without rows either where this field counts some

    def count(self, batch: Batch) -> int:
        number: int = getattr(batch, self.counted_by)
        return number

    def shown(self, batch: Batch) -> bool:
        is_needless = self.optional or (self.unless and getattr(batch, self.unless) > 0)
        return self.count(batch) > 0 or not is_needless

    def context(self, batch: Batch, asked: Mapping[str, str]) -> dict[str, Any]:
        form, count = self.form(asked, label=self.sought, columns=self.columns), self.count(batch)
        rows = form.filter(getattr(batch, self.name).all())
        page = page_of_rows(rows, self.key, asked, count=count, is_whole=not form.is_filtering)
        return {"form": form, "page": page, "row_count": count}


class TimelineTab(Tab):
    """What happened to the batch, the latest first."""

    MOST = 200

    def context(self, batch: Batch, asked: Mapping[str, str]) -> dict[str, Any]:
        return {"entries": batch.timeline.order_by("-id")[: self.MOST]}


class AnswerTab(Tab):
    """Amili's last answer, readable and whole, or its beginning where it is long."""

    MOST = 30_000  # bytes shown

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
            "errors",
            _("Errors"),
            "error_count",
            _("Message or object"),
            ["message", "object_name", "extra"],
            key="rank",
            form=IndexedRowFilter,
            unless="failed_item_count",
        ),
        RowsTab(
            "succeeded",
            _("Succeeded"),
            "succeeded_count",
            _("Invoice number, invoice ID or case ID"),
            ["invoice_number", "invoice_id", "case_id", "extra"],
        ),
        RowsTab("failed", _("Failed items"), "failed_item_count", _("Text"), ["extra"], optional=True),
        RowsTab(
            "responses",
            _("Ledger responses"),
            "response_count",
            _("Object, reference or status code"),
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
