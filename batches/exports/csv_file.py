"""CSV: as RFC 4180 has it, and as a Norwegian Excel opens it."""

import csv
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from io import StringIO
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext

from batches.exports.table import CHUNK, Table, Writers
from batches.exports.text import neutral


def csv_file(table: Table) -> Iterator[bytes]:
    """Commas, UTF-8 without a mark, ISO 8601 on the site's clock, decimal points."""
    return _lines(table, ",", _PLAIN)


def excel_csv_file(table: Table) -> Iterator[bytes]:
    """Semicolons, a mark that says UTF-8, days and decimal commas as a Norwegian Excel reads them."""
    yield "\ufeff".encode()
    yield from _lines(table, ";", _NORWEGIAN)


def _lines(table: Table, delimiter: str, written: Writers[str]) -> Iterator[bytes]:
    lines = StringIO(newline="")
    writer = csv.writer(lines, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(map(neutral, table.headers))
    yield _taken(lines)  # at once: the rows may take a while to be found
    try:
        for row in table.rows:
            writer.writerow([written[type(value)](value) for value in row])
            if lines.tell() > CHUNK:
                yield _taken(lines)
    except Exception:
        # The web server may end such an answer in good order, and half of a CSV looks like a whole one.
        writer.writerow([gettext("This file breaks off here: it is not complete.")])
        yield _taken(lines)
        raise
    yield _taken(lines)


def _taken(lines: StringIO) -> bytes:
    """What has been written, in bytes; programs that read CSV stop at U+0000."""
    text = lines.getvalue().replace("\0", "\ufffd")
    lines.seek(0)
    lines.truncate()
    return text.encode("utf-8", "replace")


def _comma(number: float | Decimal) -> str:
    return str(number).replace(".", ",")


def _iso(at: datetime) -> str:
    return timezone.localtime(at).isoformat(timespec="seconds")


def _norwegian(at: datetime) -> str:
    return f"{timezone.localtime(at):%d.%m.%Y %H:%M:%S}"


def _empty(_: Any) -> str:
    return ""


_PLAIN: Writers[str] = {
    str: neutral,
    int: str,
    float: str,
    Decimal: str,
    UUID: str,
    datetime: _iso,
    date: date.isoformat,
    type(None): _empty,
}
_NORWEGIAN: Writers[str] = {
    **_PLAIN,
    float: _comma,
    Decimal: _comma,
    datetime: _norwegian,
    date: lambda day: f"{day:%d.%m.%Y}",
}
