"""The formats that a list can be written in."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from batches.exports.csv_file import csv_file, excel_csv_file
from batches.exports.json_file import json_file
from batches.exports.table import Table
from batches.exports.xlsx_file import xlsx_file


@dataclass(frozen=True)
class Format:
    """A format. `write` takes what the file is about, for formats that have a place for it, and tables."""

    ending: str
    content_type: str
    write: Callable[[Mapping[str, Any], Sequence[Table]], Iterator[bytes]]
    holds_many: bool = False  # tables


def _json(about: Mapping[str, Any], tables: Sequence[Table]) -> Iterator[bytes]:
    if len(tables) == 1:
        columns = {column.name: str(column.header) for column in tables[0].columns}
        return json_file({**about, "columns": columns}, {"rows": tables[0]})
    return json_file(about, {table.name: table for table in tables})


FORMATS = {
    "csv": Format(".csv", "text/csv; charset=utf-8", lambda _, tables: csv_file(tables[0])),
    "excel.csv": Format("-excel.csv", "text/csv; charset=utf-8", lambda _, tables: excel_csv_file(tables[0])),
    "xlsx": Format(
        ".xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        lambda _, tables: xlsx_file(tables),
        holds_many=True,
    ),
    "json": Format(".json", "application/json", _json, holds_many=True),
}
