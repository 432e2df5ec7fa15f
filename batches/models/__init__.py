"""Tables."""

from batches.models.answer import Answer
from batches.models.batch import Batch
from batches.models.cause import NO_ORGANIZATION, BatchCause, Cause, CauseDay, CauseOrganization, CauseQuerySet
from batches.models.connection import Connection
from batches.models.delivery import Delivery
from batches.models.discovery import Discovery, Walk
from batches.models.following import BatchQuerySet
from batches.models.index_base import IndexBase
from batches.models.rows import ErrorRow, FailedItem, LedgerResponse, Row, SucceededItem
from batches.models.saved_view import SavedView
from batches.models.timeline import TimelineEntry
from batches.models.traffic import Traffic, Worker
from batches.models.triage import Triaged, TriageEntry

__all__ = [
    "NO_ORGANIZATION",
    "Answer",
    "Batch",
    "BatchCause",
    "BatchQuerySet",
    "Cause",
    "CauseDay",
    "CauseOrganization",
    "CauseQuerySet",
    "Connection",
    "Delivery",
    "Discovery",
    "ErrorRow",
    "FailedItem",
    "IndexBase",
    "LedgerResponse",
    "Row",
    "SavedView",
    "SucceededItem",
    "TimelineEntry",
    "Traffic",
    "TriageEntry",
    "Triaged",
    "Walk",
    "Worker",
]
