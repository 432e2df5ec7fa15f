"""Tables."""

from batches.models.answer import Answer
from batches.models.batch import Batch, BatchQuerySet
from batches.models.rows import ErrorRow, FailedItem, LedgerResponse, Row, SucceededItem
from batches.models.timeline import TimelineEntry

__all__ = [
    "Answer",
    "Batch",
    "BatchQuerySet",
    "ErrorRow",
    "FailedItem",
    "LedgerResponse",
    "Row",
    "SucceededItem",
    "TimelineEntry",
]
