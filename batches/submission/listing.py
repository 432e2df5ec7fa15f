"""The failed objects as a table to be exported: a row for each of their error rows, with the object's fields beside it."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import batched, chain, islice
from typing import NamedTuple

from django.utils.translation import gettext_lazy as _

from batches.exports.table import Column, Row, Table
from batches.models import ErrorRow
from batches.submission.fault import named_fields, valued_fields
from batches.submission.files import check_answer
from batches.submission.keep import PIECE
from batches.submission.meeting import Meeting
from batches.submission.submitted import MOST_FIELDS
from batches.submission.texts import shown

_PLACES = {"csv": Column("line", _("Line"), width=10), "xlsx": Column("row", _("Row"), width=10)}
_PLACE = Column("object", _("Object of the file"), width=10)

_TOLD = [
    Column("object_index", _("Index"), width=10),
    Column("message", _("Message"), width=60),
    Column("cause", _("Cause"), width=60),
    Column("advice", _("Advice"), width=40),
    Column("at_fault", _("Fields at fault"), width=24),
]
_OTHERS = Column("others", _("Other fields"), width=40, is_json=True)

type Fields = Sequence[tuple[str, str]]


class _Line(NamedTuple):
    """An error row beside its object, which stands at this place, row or line."""

    place: int
    fields: Fields
    row: ErrorRow


def object_list(meeting: Meeting, positions: Sequence[int]) -> Table:
    """Those at these positions, in their order. What can go wrong at the beginning does so at once."""
    frame = meeting.kept.frame
    names = _numbered(shown(name) for name in frame.columns if name)[:MOST_FIELDS]
    ours = [_PLACES.get(frame.suffix, _PLACE), *_TOLD]
    theirs = _numbered([column.name for column in [*ours, _OTHERS]] + names)[len(ours) + 1 :]
    columns = [*ours, *(Column(key, name) for key, name in zip(theirs, names, strict=True)), _OTHERS]
    rows = _rows(meeting, positions, names)
    first = list(islice(rows, 1))
    return Table("objects", _("Objects that failed"), columns, chain(first, rows))


def _rows(meeting: Meeting, positions: Sequence[int], names: Sequence[str]) -> Iterator[Row]:
    columns = [shown(name) for name in meeting.kept.frame.columns]
    for some in batched(positions, PIECE, strict=False):
        lines = list(_lines(meeting, some))
        for line, named in zip(lines, _named(lines, columns), strict=True):
            yield [*_told(line, named), *_values(line.fields, names)]


def _named(lines: Sequence[_Line], columns: Sequence[str]) -> list[set[str]]:
    """The fields that each message names; asked at once for all objects with the same fields, as it takes a while."""
    alike = dict[tuple[str, ...], list[int]]()
    for n, line in enumerate(lines):
        alike.setdefault(tuple(name for name, value in line.fields), []).append(n)
    found = dict[int, set[str]]()
    for own, some in alike.items():
        messages = [lines[n].row.message for n in some]
        found.update(zip(some, named_fields([*own, *columns], messages), strict=True))
    return [found[n] for n in range(len(lines))]


def _lines(meeting: Meeting, positions: Sequence[int]) -> Iterator[_Line]:
    join, frame = meeting.join, meeting.kept.frame
    reasons = _reasons(meeting, [rank for n in positions for rank in join.ranks[n]])
    records = meeting.kept.records(join.failed[n] for n in positions)
    for n, (place, record) in zip(positions, records, strict=True):
        fields = frame.fields(record.body)
        yield from (_Line(record.line or place + 1, fields, reasons[rank]) for rank in join.ranks[n] if rank in reasons)


def _reasons(meeting: Meeting, ranks: Sequence[int]) -> Mapping[int, ErrorRow]:
    rows = ErrorRow.objects.filter(batch_id=meeting.kept.batch, rank__in=ranks).select_related("cause").defer("extra")
    found = {row.rank: row for row in rows}
    check_answer(meeting)
    return found


def _told(line: _Line, named: set[str]) -> Row:
    row, cause = line.row, line.row.cause
    at_fault = sorted(named) if named else _valued(line.fields, row.message)
    return [
        line.place,
        row.object_index,
        row.message or row.object_name,
        cause.template if cause else "",
        cause.advice if cause else "",
        ", ".join(at_fault),
    ]


def _valued(fields: Fields, message: str) -> list[str]:
    return [fields[place][0] for place in sorted(valued_fields(fields, [message]))]


def _values(fields: Fields, names: Sequence[str]) -> Row:
    """Under the names that have a column, and together what has none."""
    values = dict(zip(_numbered(name for name, value in fields), (value for name, value in fields), strict=True))
    told = [values.pop(name, "") for name in names]
    return [*told, json.dumps(values, ensure_ascii=False) if values else ""]


def _numbered(names: Iterable[str]) -> list[str]:
    """Each once: amount, amount -> amount, amount_2"""
    given = dict[str, None]()
    for name in names:
        key, number = name, 1
        while key in given:
            number += 1
            key = f"{name}_{number}"
        given[key] = None
    return list(given)
