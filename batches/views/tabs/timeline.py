"""What happened to a batch, what people did about it, and which versions of the answer came when."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from operator import attrgetter
from typing import Any

from batches.forms.triage import NoteForm
from batches.models import Batch, TimelineEntry, TriageEntry
from batches.views.tabs.tab import Tab
from batches.views.versions import Version, versions_of


@dataclass(frozen=True)
class TimelineLine:
    """Something that happened, a version of the answer that came, or, mostly, both; or something that a person did."""

    at: datetime
    entry: TimelineEntry | None
    version: Version | None
    deed: TriageEntry | None = None
    compared_with: int = 0  # the number of a version before; 0 where there is none, or the same came again

    @property
    def request_id(self) -> str:
        """Amili's; of a version only the one that brought it first is known."""
        if self.entry and self.entry.request_id:
            return self.entry.request_id
        return self.version.request_id if self.version and self.version.first_received_at == self.at else ""


class TimelineTab(Tab):
    """What happened to the batch and what was done about it, the latest first.

    A version that changed nothing that we count has a line too.
    """

    MOST = 200  # of what Amili did, and as many of what people did, lest one crowd out the other

    def details(self, batch: Batch, asked: Mapping[str, str]) -> dict[str, Any]:
        told = sorted(self._told(batch), key=attrgetter("at"), reverse=True)
        done = batch.triage_history.select_related("person", "owner").order_by("-id")
        deeds = [TimelineLine(deed.at, None, None, deed) for deed in done[: self.MOST + 1]]
        latest = sorted(told[: self.MOST] + deeds[: self.MOST], key=attrgetter("at"), reverse=True)
        return {
            "lines": list(self._compared(latest[::-1]))[::-1],
            "is_cut": max(len(told), len(deeds)) > self.MOST,
            "note_form": NoteForm(),
        }

    def _told(self, batch: Batch) -> Iterator[TimelineLine]:
        """What Amili did, and versions of its answer of which nothing else tells."""
        versions = {version.pk: version for version in versions_of(batch)}
        entries = list(batch.timeline.order_by("-id")[: self.MOST + 1])
        for entry in entries:
            yield TimelineLine(entry.at, entry, versions.get(entry.answer_id or 0))
        for untold in versions.keys() - {entry.answer_id for entry in entries}:
            yield TimelineLine(versions[untold].first_received_at, None, versions[untold])

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
