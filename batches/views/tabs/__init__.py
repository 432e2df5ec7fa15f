"""The tabs of a batch's page, in their order."""

from django.utils.translation import gettext_lazy as _

from batches.models import Batch
from batches.views.tabs.answer import AnswerTab
from batches.views.tabs.causes import CausesTab
from batches.views.tabs.rows import ROWS_TABS, RowsTab
from batches.views.tabs.tab import Tab
from batches.views.tabs.timeline import TimelineTab

__all__ = ["TABS", "RowsTab", "Tab", "first_tab_of"]

TABS: dict[str, Tab] = {
    tab.name: tab
    for tab in (
        CausesTab("causes", _("Causes")),
        *ROWS_TABS,
        TimelineTab("timeline", _("History")),
        AnswerTab("answer", _("Answer as received")),
    )
}


def first_tab_of(batch: Batch) -> str:
    """Where the page opens: at what went wrong and why, else at what went well."""
    if batch.error_count:
        return "causes" if batch.grouping else "errors"
    lists = ("failed", "succeeded") if batch.has_failures else ("succeeded", "failed")
    return next((name for name in lists if TABS[name].count(batch)), "errors")
