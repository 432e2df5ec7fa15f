"""A table to be written to a file: its columns declared once, its rows read as they are written."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.expressions import Combinable
from django.utils.functional import Promise

type Value = str | int | float | Decimal | datetime | date | UUID | None
type Row = Sequence[Any]
type Writers[Written] = Mapping[type, Callable[[Any], Written]]
"""How a format writes a value of each type that a table can hold."""

CHUNK = 65_536  # of what is sent at a time


@dataclass(frozen=True)
class Column:
    """A column: its name in addresses and in JSON, its header for people, where its values come from."""

    name: str
    header: str | Promise
    source: str | Combinable = ""  # a field or an expression; of itself the field of this name
    show: Callable[[Any], Value] | None = None  # what becomes of a value that is not shown as it is stored
    width: int = 16  # in a spreadsheet, in characters
    is_json: bool = False  # a text that is JSON as it came


@dataclass(frozen=True)
class Table:
    """Columns, and rows that can be read once."""

    name: str
    title: str | Promise
    columns: Sequence[Column]
    rows: Iterable[Row]
    is_record: bool = False  # one thing's facts: pairs in a spreadsheet, an object in JSON

    @property
    def headers(self) -> list[str]:
        return [str(column.header) for column in self.columns]


def table_of(
    name: str, title: str | Promise, columns: Sequence[Column], found: QuerySet[Any], hidden: Collection[str] = ()
) -> Table:
    """What a query finds, without the columns that are hidden; never without all."""
    shown = [column for column in columns if column.name not in hidden] or columns
    return Table(name, title, shown, read(shown, found))


def read(columns: Sequence[Column], found: QuerySet[Any]) -> Iterator[Row]:
    """The rows as one snapshot, read from a cursor of the database's: there are never more than a few here."""
    sources = [column.source or column.name for column in columns]
    shows = [(place, column.show) for place, column in enumerate(columns) if column.show]
    for stored in found.values_list(*sources).iterator(chunk_size=2000):
        row = list(stored)
        for place, show in shows:
            row[place] = show(row[place])
        yield row
