"""The tabs of a batch's page: its lists of rows with filter and pages, the timeline, the answer as received."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from batches.forms import IndexedRowFilter, RowFilter
from batches.models import Batch, TimelineEntry
from batches.pretty import pretty_start
from batches.views.paging import page_of_rows
from batches.views.versions import Version, is_unread_kept, last_received, version_numbered, versions_of


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
        """What the template needs beside the batch; `asked` is the address's query."""
        return {"is_answer_kept": is_unread_kept(batch), **self.details(batch, asked)}

    def details(self, batch: Batch, asked: Mapping[str, str]) -> dict[str, Any]:
        """What its own part of it needs."""
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

    def details(self, batch: Batch, asked: Mapping[str, str]) -> dict[str, Any]:
        form, count = self.form(asked, label=self.sought, columns=self.columns), self.count(batch)
        rows = form.filter(getattr(batch, self.name).all())
        page = page_of_rows(rows, self.key, asked, count=count, is_whole=not form.is_filtering)
        return {"form": form, "page": page, "row_count": count}


@dataclass(frozen=True)
class TimelineLine:
    """Something that happened, a version of the answer that came, or, mostly, both."""

    at: datetime
    entry: TimelineEntry | None
    version: Version | None
    compared_with: int = 0  # the number of a version before; 0 where there is none, or the same came again

    @property
    def request_id(self) -> str:
        """Amili's; of a version only the one that brought it first is known."""
        if self.entry and self.entry.request_id:
            return self.entry.request_id
        return self.version.request_id if self.version and self.version.first_received_at == self.at else ""


class TimelineTab(Tab):
    """What happened to the batch, the latest first. A version that changed nothing we count has a line too."""

    MOST = 200

    def details(self, batch: Batch, asked: Mapping[str, str]) -> dict[str, Any]:
        versions = {version.pk: version for version in versions_of(batch)}
        entries = list(batch.timeline.order_by("-id")[: self.MOST])
        lines = [TimelineLine(entry.at, entry, versions.get(entry.answer_id or 0)) for entry in entries]
        untold = versions.keys() - {entry.answer_id for entry in entries}
        lines += [TimelineLine(versions[pk].first_received_at, None, versions[pk]) for pk in untold]
        latest = sorted(lines, key=lambda line: line.at, reverse=True)[: self.MOST]
        return {"lines": list(self._compared(latest[::-1]))[::-1]}

    @staticmethod
    def _compared(lines: Iterable[TimelineLine]) -> Iterator[TimelineLine]:
        """Each with the version that came before its own; one that we understood, with the last before it that we did.

        An answer may come back: that need not be the number before.
        """
        last = understood = 0
        for line in lines:
            if line.version is None:
                yield line
                continue
            number, problem = line.version.number, line.version.problem
            before = (understood if not problem else 0) or last or number - 1
            yield replace(line, compared_with=before if before != number else 0)
            last, understood = number, understood if problem else number


class AnswerTab(Tab):
    """A version of Amili's answer, of itself the last one: readable and whole, or its beginning where it is long."""

    MOST = 30_000  # bytes shown
    MOST_TEXT = 10 * MOST  # characters: what is deeply nested grows a lot when it is indented

    def details(self, batch: Batch, asked: Mapping[str, str]) -> dict[str, Any]:
        versions, wanted = versions_of(batch), asked.get("version")
        if not versions and not wanted:
            return {"version": None}
        version = version_numbered(versions, wanted) if wanted else last_received(versions)
        text = pretty_start(batch.answers.beginning(self.MOST).get(pk=version.pk).start(self.MOST))
        return {
            "version": version,
            "version_count": len(versions),
            "is_current": version.digest == bytes(batch.digest),
            "text": text[: self.MOST_TEXT],
            "is_cut": version.size > self.MOST or len(text) > self.MOST_TEXT,
        }


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
