"""XLSX, packed while its rows are read: no more than a few of them are ever held."""

import re
from collections.abc import Iterable, Iterator
from io import RawIOBase
from itertools import batched, chain, count, islice
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from django.utils.translation import gettext

from batches.exports.table import CHUNK, Column, Row, Table
from batches.exports.xlsx_cells import header_row, rows_xml
from batches.exports.xlsx_parts import FIRST_PARTS, last_parts, sheet_foot, sheet_head, sheet_path

SHEET_ROWS = 1_048_576  # with the header
SHEET_BYTES = 1 << 30  # of XML: a part of two gigabytes or more would need a kind of ZIP that Excel does not open
_ROWS = 100  # written at a time
_MOST_TITLE = 31


def xlsx_file(tables: Iterable[Table], sheet_rows: int = SHEET_ROWS) -> Iterator[bytes]:
    """A sheet for each table, and further ones for what one sheet cannot hold."""
    packed, titles = _Outlet(), list[str]()
    with ZipFile(packed, "w", ZIP_DEFLATED, compresslevel=1) as archive:
        for path, text in FIRST_PARTS.items():
            archive.writestr(path, text)
        yield packed.take()  # at once: the rows may take a while to be found
        for table, sheet in _sheets(tables, sheet_rows):
            titles.append(_title(str(table.title), titles))
            with archive.open(sheet_path(len(titles)), "w") as part:
                for xml in sheet:
                    part.write(xml)
                    if packed.waiting > CHUNK:
                        yield packed.take()
        for path, text in last_parts(titles).items():
            archive.writestr(path, text)
    yield packed.take()


class _Outlet(RawIOBase):
    """A file that is handed on while it is written, and so cannot be gone back in."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []
        self.waiting = 0

    def writable(self) -> bool:
        return True

    def write(self, part: Any) -> int:
        self._parts.append(bytes(part))
        self.waiting += len(part)
        return len(part)

    def take(self) -> bytes:
        """What has come since the last time."""
        taken = b"".join(self._parts)
        self._parts.clear()
        self.waiting = 0
        return taken


def _sheets(tables: Iterable[Table], sheet_rows: int) -> Iterator[tuple[Table, Iterator[bytes]]]:
    """Each sheet is to be read to its end before the next one is asked for."""
    for table in map(_as_pairs, tables):
        rows, is_empty = iter(table.rows), True
        for row in rows:
            yield table, _sheet(table, chain([row], rows), sheet_rows)
            is_empty = False
        if is_empty:
            yield table, _sheet(table, rows, sheet_rows)


def _as_pairs(table: Table) -> Table:
    """One thing's facts are read downwards, with a name before each."""
    if not table.is_record:
        return table
    columns = [Column("fact", gettext("Fact"), width=28), Column("value", gettext("Value"), width=60)]
    pairs = (pair for row in table.rows for pair in zip(table.headers, row, strict=True))
    return Table(table.name, table.title, columns, pairs)


def _sheet(table: Table, rows: Iterator[Row], most_rows: int) -> Iterator[bytes]:
    """A sheet's XML, of as many of these rows as it can hold."""
    yield (sheet_head([column.width for column in table.columns]) + header_row(table.headers)).encode()
    written, size = 1, 0
    for some in batched(islice(rows, most_rows - 1), _ROWS, strict=False):
        xml = rows_xml(some).encode()
        yield xml
        written, size = written + len(some), size + len(xml)
        if size > SHEET_BYTES:
            break
    yield sheet_foot(len(table.columns), written).encode()


def _title(wished: str, taken: Iterable[str]) -> str:
    """A title that Excel takes: short, without its reserved characters, and no other sheet's."""
    plain = re.sub(r"[][:*?/\\\0-\x1f\ud800-\udfff\ufffe\uffff]+", " ", wished).strip(" '") or "1"
    others = {title.casefold() for title in taken}
    further = (f"{plain[: _MOST_TITLE - 1 - len(str(number))]} {number}" for number in count(2))
    return next(title for title in chain([plain[:_MOST_TITLE]], further) if title.casefold() not in others)
