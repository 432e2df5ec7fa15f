"""XLSX: the first sheet that has a header. Cells keep their types, and rows the numbers that people see beside them."""

import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from django.utils.translation import gettext
from msgspec import MsgspecError, Struct

from batches.exports.text import neutral
from batches.submission.archive import check_workbook, too_large
from batches.submission.columns import ID, NUMBER, column_of
from batches.submission.sheet import packed_sheet
from batches.submission.submitted import MOST_FIELDS, MOST_OBJECTS, BusyError, Record, Submitted, UnreadableError
from batches.submission.tables import as_wide, headed, named_cells, no_header, too_many, too_wide
from batches.submission.workbook_child import Found, Refused

_PATIENCE = 30  # seconds
AT_ONCE = threading.BoundedSemaphore(2)  # of each process: a workbook takes much more memory than room in a file
_ROOT = Path(__file__).resolve().parents[2]
_outcome: msgspec.msgpack.Decoder[Found | Refused] = msgspec.msgpack.Decoder(Found | Refused)
_cells = msgspec.msgpack.Decoder(list[Any])


class Workbook(Struct, frozen=True, tag="xlsx"):
    """Such a workbook without its rows. `above` are the rows before the header, `width` is that of the widest row."""

    sheet: str
    sheets: int
    above: list[list[Any]]
    columns: list[str]
    width: int

    suffix = "xlsx"
    content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

    @property
    def facts(self) -> list[str]:
        if self.sheets == 1:
            return ["XLSX"]
        sheet = gettext("sheet “%(name)s”, the first of %(count)d that has a table of invoices")
        return ["XLSX", sheet % {"name": self.sheet, "count": self.sheets}]

    def fields(self, body: bytes) -> list[tuple[str, str]]:
        """Each under its header."""
        return named_cells(self.columns, [text_of(cell) for cell in _cells.decode(body)])[:MOST_FIELDS]

    def written(self, objects: Iterable[tuple[bytes, str]], *, with_reasons: bool) -> Iterator[bytes]:
        """A workbook of this one sheet."""
        header = headed(self.columns, self.width, with_reasons=with_reasons)
        rows = (_row(_cells.decode(body), self.width, reason, with_reasons) for body, reason in objects)
        return packed_sheet(self.sheet, [*self.above, header], rows, has_reasons=with_reasons)


def read_workbook(body: bytes) -> Submitted:
    """The rows of its first sheet that has a header."""
    if not AT_ONCE.acquire(blocking=False):
        raise BusyError(gettext("Somebody else's file is being read; try again in a moment."))
    try:
        check_workbook(body)
        found = _read_apart(body)
    finally:
        AT_ONCE.release()
    number, key = column_of(NUMBER, found.header), column_of(ID, found.header)
    numbers, ids, width = list[str](), list[str](), len(found.header)
    for _, row in found.rows:
        cells = _cells.decode(row)
        size = len(cells)
        width = max(width, size)
        numbers.append(text_of(cells[number]).strip() if number is not None and number < size else "")
        ids.append(text_of(cells[key]).strip() if key is not None and key < size else "")
    if not found.rows:
        raise UnreadableError(gettext("There is a header in this file, and no row under it."))
    columns = [text_of(name) for name in found.header]
    frame = Workbook(found.sheet, found.sheets, found.above, columns, width)
    return Submitted(frame, [Record(*row) for row in found.rows], numbers, ids)


def text_of(cell: Any) -> str:
    """As the spreadsheet shows it, or nearly: whole numbers without a fraction, dates as 2026-01-31."""
    if isinstance(cell, list):
        return str(cell[1]).replace("T", " ")
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def _row(cells: list[Any], width: int, reason: str, with_reasons: bool) -> list[Any]:
    return [*as_wide(cells, width), neutral(reason)] if with_reasons else cells


def _read_apart(body: bytes) -> Found:
    command = [sys.executable, "-m", "batches.submission.workbook_child", str(MOST_OBJECTS)]
    try:
        child = subprocess.run(  # noqa: S603 -- our own module, told no secrets; the file goes through a pipe, and touches no disk
            command, cwd=_ROOT, env={}, input=body, capture_output=True, timeout=_PATIENCE, check=True
        )
        outcome = _outcome.decode(child.stdout)
    except (subprocess.SubprocessError, MsgspecError):
        raise too_large() from None
    if isinstance(outcome, Refused):
        raise _refusal(outcome.why)
    return outcome


def _refusal(why: str) -> UnreadableError:
    match why:
        case "header":
            return no_header()
        case "large":
            return too_large()
        case "many":
            return too_many()
        case "wide":
            return too_wide()
        case "password":
            return UnreadableError(gettext("This workbook is encrypted. Save it as .xlsx without a password."))
        case _:
            return UnreadableError(gettext("This workbook cannot be read. Open it and save it again as .xlsx."))
