"""Tables."""

from batches.models.answer import Answer
from batches.models.batch import Batch, BatchQuerySet
from batches.models.connection import Connection
from batches.models.delivery import Delivery
from batches.models.discovery import Discovery, Walk
from batches.models.rows import ErrorRow, FailedItem, LedgerResponse, Row, SucceededItem
from batches.models.timeline import TimelineEntry
from batches.models.traffic import Traffic, Worker

__all__ = [
    "Answer",
    "Batch",
    "BatchQuerySet",
    "Connection",
    "Delivery",
    "Discovery",
    "ErrorRow",
    "FailedItem",
    "LedgerResponse",
    "Row",
    "SucceededItem",
    "TimelineEntry",
    "Traffic",
    "Walk",
    "Worker",
]
