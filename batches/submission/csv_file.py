"""CSV: with whatever delimiter, encoding and line ends a spreadsheet has given it. A row goes back as it came."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from io import StringIO
from itertools import islice

from django.utils.translation import gettext
from msgspec import Struct

from batches.exports.text import neutral
from batches.submission.columns import ID, NUMBER, WITHIN, column_of, header_among
from batches.submission.submitted import MOST_FIELDS, MOST_OBJECTS, Record, Submitted, UnreadableError
from batches.submission.tables import free_column, named_cells, no_header
from batches.submission.texts import LABELS, codec_of, decoded, encoding_of, mark_of

_DELIMITERS = {";": "semicolon", ",": "comma", "\t": "tab", "|": "bar"}
_LINES = 20 * WITHIN  # in which the header stands, even if it has line breaks in it


class CsvFile(Struct, frozen=True, tag="csv"):
    """Such a file without its rows. `above` are the lines before the header, `width` is that of the widest row."""

    encoding: str
    delimiter: str
    newline: str
    above: str
    header: str
    columns: list[str]
    width: int

    suffix = "csv"
    content_type = "text/csv"

    @property
    def facts(self) -> list[str]:
        delimiter = {
            ";": gettext("semicolons"),
            ",": gettext("commas"),
            "\t": gettext("tabs"),
            "|": gettext("vertical bars"),
        }[self.delimiter]
        return ["CSV", gettext("cells apart by %(mark)s") % {"mark": delimiter}, LABELS[self.encoding]]

    def fields(self, body: bytes) -> list[tuple[str, str]]:
        """Each under its header."""
        return named_cells(self.columns, self._cells(body.decode()))[:MOST_FIELDS]

    def written(self, objects: Iterable[tuple[bytes, str]], *, with_reasons: bool) -> Iterator[bytes]:
        """With the same header, delimiter, encoding and line ends."""
        codec, header = codec_of(self.encoding), self.header
        if with_reasons:
            header = self._longer(header, len(self.columns), free_column(self.columns))
        yield mark_of(self.encoding) + (self.above + header + self.newline).encode(codec)
        for body, reason in objects:
            line = body.decode()
            if with_reasons:
                line = self._longer(line, len(self._cells(line)), neutral(reason))
            # The reason may have letters that the file's encoding has not.
            yield (line + self.newline).encode(codec, "replace")

    def _cells(self, line: str) -> list[str]:
        return next(csv.reader(StringIO(line, newline=""), delimiter=self.delimiter), [])

    def _longer(self, line: str, cells: int, more: str) -> str:
        quoted = '"' + more.replace('"', '""') + '"'
        return line + self.delimiter * (self.width - cells + 1) + quoted


def read_csv(body: bytes) -> Submitted:
    """The file's rows under its header. Lines with nothing in them are no objects, but count as lines."""
    encoding = encoding_of(body)
    lines = list(StringIO(decoded(body, encoding), newline=""))
    delimiter, above = _form(lines)
    rows = _rows(lines, delimiter)
    for _ in range(above):
        next(rows)
    line, header, columns = next(rows)
    number, key = column_of(NUMBER, columns), column_of(ID, columns)
    records, numbers, ids, width = list[Record](), list[str](), list[str](), len(columns)
    for start, source, cells in rows:
        size = len(cells)
        width = max(width, size)
        records.append(Record(start, source.encode()))
        numbers.append(cells[number].strip() if number is not None and number < size else "")
        ids.append(cells[key].strip() if key is not None and key < size else "")
    _check(len(records))
    newline = lines[line - 1][len(lines[line - 1].rstrip("\r\n")) :] or "\r\n"
    frame = CsvFile(encoding, delimiter, newline, "".join(lines[: line - 1]), header, columns, width)
    return Submitted(frame, records, numbers, ids)


def _check(count: int) -> None:
    if not count:
        raise UnreadableError(gettext("There is a header in this file, and no row under it."))
    if count > MOST_OBJECTS:
        raise UnreadableError(gettext("This file holds more than %(most)d objects.") % {"most": MOST_OBJECTS})


def _rows(lines: Sequence[str], delimiter: str) -> Iterator[tuple[int, str, list[str]]]:
    """(the line where it begins, the row as it is written, its cells) of each row that has anything in it."""
    reader, start = csv.reader(lines, delimiter=delimiter, strict=True), 0
    try:
        for cells in reader:
            end = reader.line_num
            if any(cells):
                source = lines[start] if end == start + 1 else "".join(lines[start:end])
                yield start + 1, source.rstrip("\r\n"), cells
            start = end
    except csv.Error as problem:
        raise UnreadableError(_broken(str(problem), start + 1)) from None


def _form(lines: Sequence[str]) -> tuple[str, int]:
    """The delimiter under which a row has the most known column names, and how many rows stand above that one."""
    best = max(((*_header(lines, delimiter), delimiter) for delimiter in _DELIMITERS), key=lambda found: found[0])
    known, above, delimiter = best
    if not known:
        raise no_header()
    return delimiter, above


def _header(lines: Sequence[str], delimiter: str) -> tuple[int, int]:
    rows = list[list[str]]()
    with suppress(csv.Error):  # what is wrong further on is told when it is read
        rows.extend(row for row in islice(csv.reader(lines[:_LINES], delimiter=delimiter), WITHIN) if any(row))
    return header_among(rows)


def _broken(problem: str, line: int) -> str:
    if "unexpected end" in problem:
        text = gettext("From line %(line)d on a cell is quoted, and the quotes are never closed.")
    elif "larger than field limit" in problem:
        text = gettext("The row at line %(line)d has a cell of more than 131 072 characters. Are its quotes right?")
    else:
        text = gettext("The row at line %(line)d has text after a closing quote. Quotes within a cell are doubled.")
    return text % {"line": line}
