"""What two answers say of the batch itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from batches.amili.payload import BatchSnapshot
from batches.differences.words import Text, short
from batches.verdict import doubts_about, outcome_of
from batches.words import FINISHED


@dataclass(frozen=True)
class Fact:
    """A field of the batch with two values; `kind` is how they are written: outcome, moment, count, organisation, text."""

    label: Text
    kind: str
    before: Any
    after: Any


def compare_facts(old: BatchSnapshot, new: BatchSnapshot) -> list[Fact]:
    """The facts that are not the same."""
    facts = [Fact(label, kind, value(old), value(new)) for label, kind, value in _FACTS]
    return [fact for fact in facts if fact.before != fact.after]


def _finished_at(snapshot: BatchSnapshot) -> datetime | None:
    """Amili fills `finishedAt` on queued batches too."""
    return snapshot.finished_at if outcome_of(snapshot) in FINISHED else None


def _status(snapshot: BatchSnapshot) -> str:
    if snapshot.status or snapshot.statuscode is None:
        return short(snapshot.status)
    return gettext("code %(code)s") % {"code": snapshot.statuscode}


def _doubts(snapshot: BatchSnapshot) -> str:
    return " ".join(str(doubt.label) for doubt in doubts_about(snapshot))


_FACTS: Sequence[tuple[Text, str, Callable[[BatchSnapshot], Any]]] = (
    (_("Outcome"), "outcome", outcome_of),
    (_("Status at Amili"), "text", _status),
    (_("Succeeded objects"), "count", attrgetter("succeeded_objects")),
    (_("Failed objects"), "count", attrgetter("failed_objects")),
    (_("Created"), "moment", attrgetter("created_at")),
    (_("Finished"), "moment", _finished_at),
    (_("Type"), "text", lambda snapshot: short(snapshot.type)),
    (_("Organisation"), "organisation", attrgetter("organization_id")),
    (_("Created by"), "text", lambda snapshot: short(snapshot.created_by)),
    (_("What does not add up"), "text", _doubts),
    (_("Not of the documented type"), "text", lambda snapshot: short(", ".join(snapshot.odd_fields))),
)
