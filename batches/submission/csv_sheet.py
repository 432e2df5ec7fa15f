"""A CSV as a workbook to mend it in: a spreadsheet that opens the CSV itself takes leading zeros and plus signs away."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.utils.translation import gettext

from batches.exports.text import neutral
from batches.submission.csv_file import CsvFile
from batches.submission.sheet import packed_sheet
from batches.submission.tables import as_wide, headed
from batches.submission.workbook import Workbook


@dataclass(frozen=True)
class CsvSheet:
    """Such a workbook. Every cell of it is a text, and remains one when somebody writes in it."""

    file: CsvFile

    suffix = Workbook.suffix
    content_type = Workbook.content_type

    def written(self, objects: Iterable[tuple[bytes, str]], *, with_reasons: bool) -> Iterator[bytes]:
        """Under the same header, and the lines above it."""
        file = self.file
        above = list(file.rows(file.above))
        header = headed(file.columns, file.width, with_reasons=with_reasons)
        rows = (self._row(body, reason, with_reasons) for body, reason in objects)
        return packed_sheet(gettext("Correction file"), [*above, header], rows, has_reasons=with_reasons, is_text=True)

    def _row(self, body: bytes, reason: str, with_reasons: bool) -> list[str]:
        cells = as_wide(self.file.cells(body.decode()), self.file.width)
        return [*cells, neutral(reason)] if with_reasons else cells
