"""CSV: with whatever delimiter, encoding and line ends a spreadsheet has given it. A row goes back as it came."""

import csv
from collections.abc import Iterable, Iterator
from contextlib import suppress
from io import BytesIO, StringIO, TextIOWrapper
from itertools import islice

from django.utils.translation import gettext
from msgspec import Struct

from batches.exports.text import neutral
from batches.submission.columns import ID, MOST_COLUMNS, NUMBER, WITHIN, column_of, header_among
from batches.submission.submitted import MOST_FIELDS, MOST_OBJECTS, Record, Submitted, UnreadableError
from batches.submission.tables import free_column, named_cells, no_header, too_many, too_wide
from batches.submission.texts import LABELS, check_encoding, codec_of, encoding_of, mark_of

_DELIMITERS = {";": "semicolon", ",": "comma", "\t": "tab", "|": "bar"}
_LINES = 20 * WITHIN  # in which the header stands, even if it has line breaks in it
_MOST_ROWS = 4 * MOST_OBJECTS  # with those that have nothing in them
_MOST_MARKS = 100_000  # delimiters in a row, with those in quotes: before it is taken apart, which takes memory


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
        return named_cells(self.columns, self.cells(body.decode()))[:MOST_FIELDS]

    def written(self, objects: Iterable[tuple[bytes, str]], *, with_reasons: bool) -> Iterator[bytes]:
        """With the same header, delimiter, encoding and line ends."""
        codec, header = codec_of(self.encoding), self.header
        if with_reasons:
            header = self._longer(header, len(self.columns), free_column(self.columns))
        yield mark_of(self.encoding) + (self.above + header + self.newline).encode(codec)
        try:
            for body, reason in objects:
                line = body.decode()
                if with_reasons:
                    line = self._longer(line, len(self.cells(line)), neutral(reason))
                # The reason may have letters that the file's encoding has not.
                yield (line + self.newline).encode(codec, "replace")
        except Exception:
            # The web server may end such an answer in good order, and half of a CSV looks like a whole one.
            line = gettext("This file breaks off here: it is not complete.")
            yield (f'"{line}"' + self.newline).encode(codec, "replace")
            raise

    def cells(self, line: str) -> list[str]:
        """Those of one row."""
        return next(self.rows(line), [])

    def rows(self, text: str) -> Iterator[list[str]]:
        """Those of one text."""
        return csv.reader(StringIO(text, newline=""), delimiter=self.delimiter)

    def _longer(self, line: str, cells: int, more: str) -> str:
        quoted = '"' + more.replace('"', '""') + '"'
        return line + self.delimiter * (self.width - cells + 1) + quoted


def read_csv(body: bytes) -> Submitted:
    """The file's rows under its header. Lines with nothing in them are no objects, but count as lines."""
    encoding = encoding_of(body)
    check_encoding(body, encoding)
    delimiter, above = _form(body, encoding)
    rows = _rows(_text(body, encoding), delimiter)
    for _ in range(above):
        next(rows)
    line, header, columns = next(rows)
    number, key = column_of(NUMBER, columns), column_of(ID, columns)
    records, numbers, ids, width = list[Record](), list[str](), list[str](), len(columns)
    for start, source, cells in rows:
        size = len(cells)
        width = max(width, size)
        if len(records) == MOST_OBJECTS:
            raise too_many()
        records.append(Record(start, source.encode()))
        numbers.append(cells[number].strip() if number is not None and number < size else "")
        ids.append(cells[key].strip() if key is not None and key < size else "")
    if not records:
        raise UnreadableError(gettext("There is a header in this file, and no row under it."))
    *before, first = islice(_text(body, encoding), line)
    newline = first[len(first.rstrip("\r\n")) :] or "\r\n"
    frame = CsvFile(encoding, delimiter, newline, "".join(before), header, columns, width)
    return Submitted(frame, records, numbers, ids)


def _text(body: bytes, encoding: str) -> TextIOWrapper:
    """Line by line, so that what is too much is never in memory as a whole."""
    source = BytesIO(body)
    source.seek(len(mark_of(encoding)))
    return TextIOWrapper(source, codec_of(encoding), newline="")


def _rows(text: Iterable[str], delimiter: str) -> Iterator[tuple[int, str, list[str]]]:
    """(the line where it begins, the row as it is written, its cells) of each row that has anything in it."""
    taken = list[str]()
    reader = csv.reader(_bounded(text, delimiter, taken), delimiter=delimiter, strict=True)
    try:
        for n, cells in enumerate(reader):
            start = reader.line_num - len(taken) + 1
            if len(cells) > MOST_COLUMNS:
                raise too_wide(gettext(" at line %(line)d") % {"line": start})
            if n == _MOST_ROWS:
                raise too_many()
            if any(cells):
                yield start, (taken[0] if len(taken) == 1 else "".join(taken)).rstrip("\r\n"), cells
            taken.clear()
    except csv.Error as problem:
        raise UnreadableError(_broken(str(problem), reader.line_num - len(taken) + 1)) from None


def _bounded(text: Iterable[str], delimiter: str, taken: list[str]) -> Iterator[str]:
    """These lines, while those that the row at hand has `taken` do not hold more delimiters than a row can have."""
    marks = 0
    for line in text:
        marks = (marks if taken else 0) + line.count(delimiter)
        if marks > _MOST_MARKS:
            raise too_wide()
        taken.append(line)
        yield line


def _form(body: bytes, encoding: str) -> tuple[str, int]:
    """The delimiter under which a row has the most known column names, and how many rows stand above that one."""
    lines = list(islice(_text(body, encoding), _LINES))
    best = max(((*_header(lines, delimiter), delimiter) for delimiter in _DELIMITERS), key=lambda found: found[0])
    known, above, delimiter = best
    if not known:
        raise no_header()
    return delimiter, above


def _header(lines: Iterable[str], delimiter: str) -> tuple[int, int]:
    taken, rows = list[str](), list[list[str]]()
    with suppress(csv.Error):  # what is wrong further on is told when it is read
        for cells in islice(csv.reader(_bounded(lines, delimiter, taken), delimiter=delimiter), WITHIN):
            if any(cells):
                rows.append(cells)
            taken.clear()
    return header_among(rows)


def _broken(problem: str, line: int) -> str:
    if "unexpected end" in problem:
        text = gettext("From line %(line)d on a cell is quoted, and the quotes are never closed.")
    elif "larger than field limit" in problem:
        text = gettext("The row at line %(line)d has a cell of more than 131 072 characters. Are its quotes right?")
    else:
        text = gettext("The row at line %(line)d has text after a closing quote. Quotes within a cell are doubled.")
    return text % {"line": line}
