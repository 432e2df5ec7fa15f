"""The lists of the evidence, masked row by row while they are read."""

from collections.abc import Iterator

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from batches.exports.table import Column, Row, Table
from batches.masking import Mask
from batches.models import Answer, Batch, ErrorRow, TimelineEntry

CHUNK = 2000  # rows read at a time

ROWS = (
    Column("object_index", _("Index")),
    Column("invoice_number", _("Invoice number")),
    Column("object_name", _("Object")),
    Column("message", _("Message")),
    Column("extra", _("Further fields")),
)
ANSWERS = (
    Column("version", _("Version")),
    Column("first_received_at", _("First received")),
    Column("received_at", _("Last received")),
    Column("size", _("Bytes")),
    Column("digest", _("Digest")),
    Column("request_id", _("Amili’s request")),
    Column("problem", _("Problem")),
)
TIMELINE = (
    Column("at", _("Time")),
    Column("kind", _("What happened")),
    Column("source", _("Asked by")),
    Column("outcome", _("Outcome")),
    Column("status", _("Status")),
    Column("succeeded_objects", _("Succeeded")),
    Column("failed_objects", _("Failed")),
    Column("detail", _("Detail")),
    Column("request_id", _("Amili’s request")),
)


def rows_table(rows: QuerySet[ErrorRow], mask: Mask) -> Table:
    """The chosen error rows. Invoice numbers stay, unless they are national IDs: Amili looks objects up by them."""
    return Table("rows", _("Error rows"), ROWS, _rows(rows, mask))


def _rows(rows: QuerySet[ErrorRow], mask: Mask) -> Iterator[Row]:
    for index, number, *texts in rows.values_list(*_names(ROWS)).iterator(CHUNK):
        yield index, mask.masked_number(number), *map(mask.masked, texts)


def answers_table(batch: Batch, mask: Mask) -> Table:
    """The versions of the answer, the oldest first."""
    return Table("answers", _("Answers"), ANSWERS, _answers(batch, mask))


def _answers(batch: Batch, mask: Mask) -> Iterator[Row]:
    found = Answer.objects.filter(batch=batch).order_by("pk").values_list(*_names(ANSWERS)[1:])
    for version, (first, last, size, digest, request_id, problem) in enumerate(found.iterator(CHUNK), 1):
        yield version, first, last, size, bytes(digest).hex(), request_id, mask.masked(problem)


def timeline_table(batch: Batch, mask: Mask) -> Table:
    """What happened to the batch as we saw it, the oldest first."""
    return Table("timeline", _("Timeline"), TIMELINE, _timeline(batch, mask))


def _timeline(batch: Batch, mask: Mask) -> Iterator[Row]:
    for entry in TimelineEntry.objects.filter(batch=batch).order_by("at", "pk").iterator(CHUNK):
        yield (
            entry.at,
            entry.get_kind_display(),
            entry.get_source_display(),
            entry.get_outcome_display(),
            mask.masked(entry.status),
            entry.succeeded_objects,
            entry.failed_objects,
            mask.masked(entry.detail),
            entry.request_id,
        )


def _names(columns: tuple[Column, ...]) -> list[str]:
    return [column.name for column in columns]
