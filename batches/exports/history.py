"""What is written of the history of a batch, and of a cause."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from heapq import merge
from operator import itemgetter
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet, TextField, Value
from django.db.models.expressions import Combinable
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from batches.exports.table import Column, Row, Table, read
from batches.exports.words import name_of, word_of
from batches.models import Batch, Cause, TimelineEntry, TriageEntry
from batches.words import Outcome, Source, TriageState

type Origin = tuple[str | Combinable, Callable[[Any], Any] | None]
"""Where a column's values come from in one of the tables, and how they are shown."""

_NOTHING: Origin = (Value(None, TextField()), None)

_COLUMNS = [
    Column("at", _("Time"), width=20),
    Column("kind", _("What happened"), width=26),
    Column("outcome", _("Status")),
    Column("status", _("Status at Amili")),
    Column("succeeded", _("Succeeded"), width=12),
    Column("failed", _("Failed"), width=12),
    Column("triage", _("Triage"), width=22),
    Column("owner", _("Owner"), width=24),
    Column("other_batch", _("Other batch"), width=38),
    Column("text", _("Text"), width=60),
    Column("by", _("By"), width=24),
    Column("version", _("Version of the answer"), width=12),
    Column("request_id", _("Amili’s request"), width=38),
]

_DEEDS: dict[str, Origin] = {
    "at": ("at", None),
    "kind": ("kind", word_of(TriageEntry.Kind)),
    "triage": ("state", word_of(TriageState)),
    "owner": (name_of("owner"), None),
    "other_batch": ("other_batch_id", None),
    "text": ("text", None),
    "by": (name_of("person"), None),
}


def history_of_cause(cause: Cause) -> Table:
    """Everything that was done about a cause, and where it came back, the latest first."""
    columns = [column for column in _COLUMNS if column.name in _DEEDS]
    return Table(
        "history", _("History"), columns, _stream(_latest_first(cause.triage_history.all()), columns, **_DEEDS)
    )


def history_of(batch: Batch) -> Table:
    """Everything that happened to a batch, the latest first: at Amili, in its answers and in triage."""
    numbers = {pk: number for number, pk in enumerate(batch.answers.order_by("pk").values_list("pk", flat=True), 1)}
    deeds = _stream(_latest_first(batch.triage_history.all()), _COLUMNS, **_DEEDS)
    streams = [_entries(batch, numbers.get), _silent_versions(batch, numbers.get), deeds]
    return Table("timeline", _("History"), _COLUMNS, merge(*streams, key=itemgetter(0), reverse=True))


def _entries(batch: Batch, number: Callable[[int], int | None]) -> Iterator[Row]:
    return _stream(
        _latest_first(batch.timeline.all()),
        _COLUMNS,
        at=("at", None),
        kind=("kind", word_of(TimelineEntry.Kind)),
        outcome=("outcome", word_of(Outcome)),
        status=("status", None),
        succeeded=("succeeded_objects", None),
        failed=("failed_objects", None),
        text=("detail", None),
        by=("source", word_of(Source)),
        version=("answer_id", number),
        request_id=("request_id", None),
    )


def _silent_versions(batch: Batch, number: Callable[[int], int | None]) -> Iterator[Row]:
    """Versions of the answer that changed nothing of what the history tells."""
    told = TimelineEntry.objects.filter(batch=batch, answer=OuterRef("pk"))
    return _stream(
        batch.answers.exclude(Exists(told)).order_by("-first_received_at", "-pk"),
        _COLUMNS,
        at=("first_received_at", None),
        kind=(Value(gettext("Another version of the answer")), None),
        text=("problem", None),
        by=("source", word_of(Source)),
        version=("pk", number),
        request_id=("request_id", None),
    )


def _latest_first(events: QuerySet[Any]) -> QuerySet[Any]:
    return events.order_by("-at", "-pk")


def _stream(found: QuerySet[Any], columns: Sequence[Column], **known: Origin) -> Iterator[Row]:
    """Rows from one of the tables, which fills those of the columns that it knows of."""
    origins = [known.get(column.name, _NOTHING) for column in columns]
    filled = [
        replace(column, source=source, show=show) for column, (source, show) in zip(columns, origins, strict=True)
    ]
    return read(filled, found)
