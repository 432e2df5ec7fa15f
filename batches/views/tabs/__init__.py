"""The tabs of a batch's page, in their order."""

from django.utils.translation import gettext_lazy as _

from batches.forms import IndexedRowFilter
from batches.models import Batch
from batches.views.tabs.answer import AnswerTab
from batches.views.tabs.rows import RowsTab
from batches.views.tabs.tab import Tab
from batches.views.tabs.timeline import TimelineTab

__all__ = ["TABS", "RowsTab", "Tab", "first_tab_of"]

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
