"""The report as a plain text: aligned, in lines that read well in a mail."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from textwrap import wrap

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from batches.evidence.tables import CHUNK, answers_table, timeline_table
from batches.exports.table import Table
from batches.masking import Mask, visible
from batches.models import Batch, BatchCause, ErrorRow
from batches.words import Outcome, ranges_text

MOST_ROWS = 1_000
MOST_TEXT = 300_000
"""So many rows stand in the text, and so many characters of theirs are read for it."""
MOST_LINES = 100  # of answers, events, causes and fields each
MOST_OF_ONE = 500  # characters of one message
MOST_WIDTH = 64  # of a column that others follow

type Lines = Iterator[str]


@dataclass(frozen=True)
class Evidence:
    """A batch, and those of its error rows that the report is to show."""

    batch: Batch
    rows: QuerySet[ErrorRow]
    row_count: int


def report(evidence: Evidence, mask: Mask, now: datetime) -> Lines:
    """The lines of the report, each with its end."""
    sections = (
        (gettext("Evidence about a batch at Amili"), _facts(evidence.batch, mask, now)),
        (gettext("What does not add up"), _doubts(evidence.batch, mask)),
        (gettext("Answers received, times in UTC"), _answers(evidence.batch, mask)),
        (gettext("Timeline, times in UTC"), _timeline(evidence.batch, mask)),
        (gettext("Causes"), _causes(evidence.batch, mask)),
        (gettext("Error rows, by object index"), _rows(evidence, mask)),
        (gettext("Masked"), _masked(mask)),
    )
    for number, (title, lines) in enumerate(sections):
        yield from _section(title, lines, is_first=number == 0)


def _section(title: str, lines: Lines, *, is_first: bool) -> Lines:
    """Nothing at all where there is nothing to tell."""
    for number, line in enumerate(lines):
        if number == 0:
            yield f"{'' if is_first else '\n'}{title}\n{('=' if is_first else '-') * len(title)}\n"
        yield f"{line.rstrip()}\n"


def _facts(batch: Batch, mask: Mask, now: datetime) -> Lines:
    facts = {
        gettext("Batch ID"): str(batch.pk),
        gettext("Organisation ID"): str(batch.organization_id or "–"),
        gettext("Type"): _flat(mask.masked(batch.type)),
        gettext("Status as received"): _flat(mask.masked(_status(batch))),
        gettext("Read as"): str(Outcome(batch.outcome).label),
        gettext("Created"): _moment(batch.created_at),
        gettext("Finished"): _moment(batch.finished_at),
        gettext("First seen here"): _moment(batch.first_seen_at),
        gettext("Last asked"): _moment(batch.asked_at),
        gettext("Last understood"): _moment(batch.checked_at),
        gettext("Objects succeeded"): str(batch.succeeded_objects),
        gettext("Objects failed"): str(batch.failed_objects),
        gettext("Error rows"): str(batch.error_count),
        gettext("Failed items"): str(batch.failed_item_count),
        gettext("Ledger responses"): str(batch.response_count),
        gettext("Report made"): _moment(now),
    }
    if batch.trouble:
        detail = _flat(mask.masked(batch.trouble_detail))
        facts[gettext("Trouble")] = f"{batch.get_trouble_display()}, {_moment(batch.trouble_since)}, {detail}"
    return _aligned([(name, value or "–") for name, value in facts.items()])


def _status(batch: Batch) -> str:
    """Amili's word, or the number that stood for it in the first generation of the answer."""
    return batch.status or ("–" if batch.statuscode is None else str(batch.statuscode))


def _doubts(batch: Batch, mask: Mask) -> Lines:
    yield from batch.doubt_sentences
    if batch.odd_fields:
        names = ", ".join(_flat(mask.masked(name)) for name in batch.odd_fields[:MOST_LINES])
        yield gettext("Fields of another kind than documented: %(names)s") % {"names": names}


def _answers(batch: Batch, mask: Mask) -> Lines:
    return _table(answers_table(batch, mask))


def _timeline(batch: Batch, mask: Mask) -> Lines:
    return _table(timeline_table(batch, mask))


def _table(table: Table) -> Lines:
    """Without columns that are empty, and without digests, which make long lines."""
    rows = iter(table.rows)
    lines = [[_cell(value) for value in row] for row in islice(rows, MOST_LINES)]
    columns = zip(table.columns, table.headers, zip(*lines, strict=True), strict=True) if lines else ()
    told = [(header, *cells) for column, header, cells in columns if any(cells) and column.name != "digest"]
    yield from _aligned(list(zip(*told, strict=True)))
    if more := sum(1 for _ in rows):
        yield _more(more)


def _more(number: int) -> str:
    return gettext("… and %(n)s more, all of them in the ZIP.") % {"n": number}


def _causes(batch: Batch, mask: Mask) -> Lines:
    causes = BatchCause.objects.filter(batch=batch).select_related("cause").order_by("-rows", "cause_id")
    for share in causes[:MOST_LINES]:
        yield _flat(mask.masked(share.cause.template))
        rows = ngettext("%(n)s error row", "%(n)s error rows", share.rows) % {"n": share.rows}
        objects = ngettext("%(n)s object", "%(n)s objects", share.objects_hit) % {"n": share.objects_hit}
        yield from wrap(f"{rows}, {objects}: {_ranges(share)}", 100, initial_indent="    ", subsequent_indent="    ")


def _ranges(share: BatchCause) -> str:
    beyond = gettext("%(n)s more") % {"n": share.objects_beyond} if share.objects_beyond else ""
    return ", ".join(filter(None, [ranges_text(share.ranges), beyond]))


def _rows(evidence: Evidence, mask: Mask) -> Lines:
    """Rows are read until the text is long enough; hostile ones may hold megabytes."""
    shown, length = 0, 0
    for row in evidence.rows[:MOST_ROWS].iterator(CHUNK):
        index = "–" if row.object_index is None else str(row.object_index)
        texts = (
            _flat(mask.masked_number(row.invoice_number)),
            *(_flat(mask.masked(text)) for text in (row.object_name, row.message, row.extra)),
        )
        yield f"{index:>8}  {'  '.join(text for text in texts if text)}"
        shown, length = shown + 1, length + len(row.message) + len(row.extra)
        if length > MOST_TEXT:
            break
    if shown < evidence.row_count:
        yield _more(evidence.row_count - shown)
    if evidence.row_count < evidence.batch.error_count:
        yield gettext("%(n)s of the batch’s %(all)s error rows were chosen for this report.") % {
            "n": evidence.row_count,
            "all": evidence.batch.error_count,
        }


def _masked(mask: Mask) -> Lines:
    yield gettext("Masked in the text above, equal values with equal marks: %(found)s.") % {
        "found": ", ".join(f"{kind} ({count})" for kind, count in mask.counts.items()) or gettext("nothing was found")
    }
    yield gettext("Looked for: Norwegian national IDs, bank account numbers, phone numbers, e-mail addresses.")
    yield gettext("Invoice numbers stand as they are on purpose, save those that are valid national IDs.")
    yield gettext("A machine does not know names and postal addresses for what they are. Read all before you send it.")


# ---- how values stand in a line


def _flat(text: str) -> str:
    """Upstream text in one line, so that it cannot look like a line of ours."""
    line = " ".join(visible(text).split())
    return line if len(line) <= MOST_OF_ONE else f"{line[:MOST_OF_ONE]}…"


def _moment(at: datetime | None) -> str:
    if at is None:
        return "–"
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC ({timezone.localtime(at):%Y-%m-%d %H:%M:%S %Z})"


def _cell(value: object) -> str:
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else _flat(str(value))


def _aligned(rows: Sequence[Sequence[str]]) -> Lines:
    """Each column as wide as its widest value, within reason."""
    widths = [min(max(map(len, column)), MOST_WIDTH) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True))
