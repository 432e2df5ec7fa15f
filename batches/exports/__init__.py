"""Lists as files: CSV of two flavours, XLSX and JSON, written while they are read, whatever their length."""

from batches.exports.batch_lists import (
    batch_list,
    batches_of_cause,
    cause_list,
    causes_of_batch,
    facts_of,
    invoices_of_case,
)
from batches.exports.csv_file import csv_file, excel_csv_file
from batches.exports.formats import FORMATS, Format
from batches.exports.history import history_of
from batches.exports.json_file import json_file
from batches.exports.row_lists import row_list
from batches.exports.table import Column, Table
from batches.exports.text import neutral
from batches.exports.xlsx_file import xlsx_file

__all__ = [
    "FORMATS",
    "Column",
    "Format",
    "Table",
    "batch_list",
    "batches_of_cause",
    "cause_list",
    "causes_of_batch",
    "csv_file",
    "excel_csv_file",
    "facts_of",
    "history_of",
    "invoices_of_case",
    "json_file",
    "neutral",
    "row_list",
    "xlsx_file",
]
