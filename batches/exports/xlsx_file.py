"""XLSX, packed while its rows are read: no more than a few of them are ever held."""

from collections.abc import Iterable, Iterator
from itertools import batched, chain, islice

from django.utils.translation import gettext

from batches.exports.packing import packed
from batches.exports.table import Column, Row, Table
from batches.exports.xlsx_cells import header_row, rows_xml
from batches.exports.xlsx_parts import first_parts, last_parts, sheet_foot, sheet_head, sheet_path, title_for

SHEET_ROWS = 1_048_576  # with the header
SHEET_BYTES = 1 << 30  # of XML: a part of two gigabytes or more would need a kind of ZIP that Excel does not open
_ROWS = 100  # written at a time


def xlsx_file(tables: Iterable[Table], sheet_rows: int = SHEET_ROWS) -> Iterator[bytes]:
    """A sheet for each table, and further ones for what one sheet cannot hold."""
    return packed(_members(tables, sheet_rows))


def _members(tables: Iterable[Table], sheet_rows: int) -> Iterator[tuple[str, Iterable[bytes]]]:
    titles = list[str]()
    yield from first_parts()
    for table, sheet in _sheets(tables, sheet_rows):
        titles.append(title_for(str(table.title), titles))
        yield sheet_path(len(titles)), sheet
    yield from last_parts(titles)


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
