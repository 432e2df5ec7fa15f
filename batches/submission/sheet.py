"""A workbook of one sheet, packed while its rows are read. Texts are typed as texts, so that no cell of it runs."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import batched, chain, islice, zip_longest
from math import isfinite
from typing import Any

from batches.exports.packing import packed
from batches.exports.xlsx_cells import text_cell
from batches.exports.xlsx_parts import (
    AMOUNT,
    DAY,
    HEADER,
    MOMENT,
    TEXT,
    first_parts,
    last_parts,
    sheet_head,
    sheet_path,
    title_for,
)

_ROWS = 200  # written at a time
_DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 -- a spreadsheet's times have no zone
_BOLD, _AS_TEXT, _DECIMAL = f' s="{HEADER}"', f' s="{TEXT}"', f' s="{AMOUNT}"'
_SAMPLE = 100  # rows that tell how wide a column is
_NARROWEST, _WIDEST = 10, 40
_WIDTHS = {"day": 12, "moment": 20}
_REASON = 60
_FOOT = b"</sheetData></worksheet>"


def packed_sheet(
    title: str,
    head: Sequence[Sequence[Any]],
    rows: Iterable[Sequence[Any]],
    *,
    has_reasons: bool = False,
    is_text: bool = False,
) -> Iterator[bytes]:
    """The file, bit by bit. The last row of the head is the header, whose last column may hold reasons."""
    sheet = (sheet_path(1), _sheet(head, iter(rows), has_reasons, is_text))
    return packed(chain(first_parts(), [sheet], last_parts([title_for(title)])))


def _sheet(
    head: Sequence[Sequence[Any]], rows: Iterator[Sequence[Any]], has_reasons: bool, is_text: bool
) -> Iterator[bytes]:
    first = list(islice(rows, _SAMPLE))
    widths = _widths([head[-1], *first])
    if has_reasons:
        widths[len(head[-1]) - 1] = _REASON
    yield sheet_head(widths, len(head), TEXT if is_text else 0).encode()
    yield _rows_xml(head[:-1], is_text)
    yield f"<row>{''.join(text_cell(name, _BOLD) if name else '<c/>' for name in head[-1])}</row>".encode()
    for some in batched(chain(first, rows), _ROWS, strict=False):
        yield _rows_xml(some, is_text)
    yield _FOOT


def _rows_xml(rows: Iterable[Sequence[Any]], is_text: bool) -> bytes:
    cell = _text if is_text else _cell
    return "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows).encode()


def _widths(rows: Iterable[Sequence[Any]]) -> list[int]:
    """One column for each cell of the widest row."""
    columns = zip_longest(*(map(_width, row) for row in rows), fillvalue=0)
    return [min(max(_NARROWEST, *column), _WIDEST) for column in columns]


def _width(value: Any) -> int:
    return _WIDTHS.get(value[0], _NARROWEST) if isinstance(value, list) else len(str(value)) + 2


def _text(value: str) -> str:
    return text_cell(value, _AS_TEXT) if value else f"<c{_AS_TEXT}/>"


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return _timed(*value)
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    if isinstance(value, float) and not isfinite(value):
        return text_cell(str(value))
    if isinstance(value, int | float):
        # As somebody would write an amount; rates and the like have more decimals.
        style = _DECIMAL if value % 1 and round(value, 2) == value else ""
        return f"<c{style}><v>{value!r}</v></c>"
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
