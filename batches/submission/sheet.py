"""A workbook of one sheet, packed while its rows are read. Texts are typed as texts, so that no cell of it runs."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import batched, chain
from typing import Any

from batches.exports.packing import packed
from batches.exports.xlsx_cells import text_cell
from batches.exports.xlsx_parts import DAY, MOMENT, first_parts, last_parts, sheet_path, title_for

_ROWS = 200  # written at a time
_DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 -- a spreadsheet's times have no zone
_HEAD = (
    b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
)
_FOOT = b"</sheetData></worksheet>"


def packed_sheet(title: str, above: Iterable[Sequence[Any]], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """The file, bit by bit."""
    sheet = (sheet_path(1), _sheet(chain(above, rows)))
    return packed(chain(first_parts(), [sheet], last_parts([title_for(title)])))


def _sheet(rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    yield _HEAD
    for some in batched(rows, _ROWS, strict=False):
        yield "".join(f"<row>{''.join(map(_cell, row))}</row>" for row in some).encode()
    yield _FOOT


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return _timed(*value)
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        return f"<c><v>{value!r}</v></c>"
    return text_cell(value) if value else "<c/>"


def _timed(kind: str, value: Any) -> str:
    match kind:
        case "day":
            return f'<c s="{DAY}"><v>{date.fromisoformat(value).toordinal() - _DAY_ZERO.toordinal()}</v></c>'
        case "moment":
            return (
                f'<c s="{MOMENT}"><v>{(datetime.fromisoformat(value) - _DAY_ZERO).total_seconds() / 86_400!r}</v></c>'
            )
        case "span":
            return f"<c><v>{value / 86_400!r}</v></c>"
        case _:
            return _cell(value)
