"""What Amili's support needs to look into a batch: a masked report, alone or in a ZIP with all of its rows."""

from collections.abc import Iterator
from datetime import datetime
from itertools import chain

from batches.evidence.report import MOST_ROWS, Evidence, report
from batches.evidence.tables import answers_table, rows_table, timeline_table
from batches.exports.csv_file import csv_file
from batches.exports.packing import packed
from batches.masking import Mask

__all__ = ["MOST_ROWS", "Evidence", "archive", "report"]


def archive(evidence: Evidence, now: datetime) -> Iterator[bytes]:
    """A ZIP, packed while it is read. One mask for all of it: who is number 1 in the report is number 1 in the rows."""
    mask = Mask()
    tables = (
        rows_table(evidence.rows, mask),
        answers_table(evidence.batch, mask),
        timeline_table(evidence.batch, mask),
    )
    files = ((f"{table.name}.csv", csv_file(table)) for table in tables)
    return packed(chain([("report.txt", (line.encode() for line in report(evidence, mask, now)))], files))
