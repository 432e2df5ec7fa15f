"""Reads a workbook from the standard input, in a process of its own: `python -m batches.submission.workbook_child`.

The library keeps a sheet as a full rectangle of cells, so that two cells in its far corners would take all memory, and it
is native code that reads foreign files. Here it may take some memory and some seconds, and fail alone. Knows no Django.
"""

import io
import resource
import sys
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import msgspec
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError, SheetTypeEnum

from batches.submission.columns import MOST_COLUMNS, WITHIN, header_among

MEMORY = 2**30
SECONDS = 15
MOST_WRITTEN = 200 * 2**20  # of rows handed over

_PLAIN = {str, float, int, bool}


class Found(msgspec.Struct, tag="found", array_like=True):
    """The first sheet that has a header: what stands above it, the header, and each row under it with its number."""

    sheet: str
    sheets: int
    above: list[list[Any]]
    header: list[Any]
    rows: list[tuple[int, bytes]]


class Refused(msgspec.Struct, tag="refused", array_like=True):
    """Why not, in a word."""

    why: str


def main() -> None:
    """Bounded in memory and processor time, whatever the file holds."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # what it leaves behind when it is ended would be the file
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    sys.stdout.buffer.write(msgspec.msgpack.encode(_outcome(sys.stdin.buffer.read(), int(sys.argv[1]))))


def _outcome(body: bytes, most_rows: int) -> Found | Refused:
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(body))
        names = [sheet.name for sheet in workbook.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
        return next(_tables(workbook, names, most_rows), Refused("header"))
    except PasswordError:
        return Refused("password")
    except (CalamineError, ValueError):
        return Refused("broken")
    except MemoryError:
        return Refused("large")


def _tables(workbook: CalamineWorkbook, names: Sequence[str], most_rows: int) -> Iterator[Found | Refused]:
    for name in names:
        sheet = workbook.get_sheet_by_name(name)
        top = [row for row, _ in zip(sheet.iter_rows(), range(WITHIN), strict=False)]
        known, at = header_among(top)
        if known:
            yield _table(sheet, top, at, len(names), most_rows)


def _table(sheet: CalamineSheet, top: list[list[Any]], at: int, sheets: int, most_rows: int) -> Found | Refused:
    if sheet.width > MOST_COLUMNS:
        return Refused("wide")
    above = [_kept(row) for row in top[:at]]
    found, written = Found(sheet.name, sheets, above, _kept(top[at]), []), 0
    for number, row in enumerate(sheet.iter_rows(), 1):
        if number <= at + 1 or not any(cell != "" for cell in row):
            continue
        body = msgspec.msgpack.encode(_kept(row))
        found.rows.append((number, body))
        written += len(body)
        if len(found.rows) > most_rows:
            return Refused("many")
        if written > MOST_WRITTEN:
            return Refused("large")
    return found


def _kept(row: list[Any]) -> list[Any]:
    """The row without the empty cells at its end; a date or time as a pair of its kind and its text."""
    while row and row[-1] == "":
        row.pop()
    return [cell if cell.__class__ in _PLAIN else _pair(cell) for cell in row]


def _pair(cell: date | time | timedelta) -> tuple[str, str | float]:
    if isinstance(cell, timedelta):
        return "span", cell.total_seconds()
    kind = "moment" if isinstance(cell, datetime) else "day" if isinstance(cell, date) else "time"
    return kind, cell.isoformat()


if __name__ == "__main__":
    main()
