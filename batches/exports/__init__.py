"""Lists as files: CSV of two flavours, XLSX and JSON, written while they are read, whatever their length."""

from batches.exports.batch_lists import (
    batch_list,
    batches_of_cause,
    cause_list,
    causes_of_batch,
    days_of_cause,
    facts_of,
    facts_of_cause,
    invoices_of_case,
    organisations_of_cause,
)
from batches.exports.csv_file import csv_file, excel_csv_file
from batches.exports.formats import FORMATS, Format
from batches.exports.history import history_of, history_of_cause
from batches.exports.json_file import json_file
from batches.exports.outcomes import outcome_tables
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
    "days_of_cause",
    "excel_csv_file",
    "facts_of",
    "facts_of_cause",
    "history_of",
    "history_of_cause",
    "invoices_of_case",
    "json_file",
    "neutral",
    "organisations_of_cause",
    "outcome_tables",
    "row_list",
    "xlsx_file",
]
