"""Tables."""

from batches.models.alert import Alert, AlertWishes, Channel, Digest, Message, Notice, Shape, Watch
from batches.models.answer import Answer
from batches.models.batch import Batch
from batches.models.cause import BatchCause, Cause, CauseDay, CauseOrganization, CauseQuerySet
from batches.models.connection import Connection
from batches.models.delivery import Delivery
from batches.models.discovery import Discovery, Walk
from batches.models.expectation import Expectation
from batches.models.following import BatchQuerySet
from batches.models.index_base import IndexBase
from batches.models.outcome import QUARTERS, Arrival, DayPace, OrganizationPace, OutcomeDay
from batches.models.rows import ErrorRow, FailedItem, LedgerResponse, Row, SucceededItem
from batches.models.saved_view import SavedView
from batches.models.timeline import TimelineEntry
from batches.models.traffic import Traffic, Worker
from batches.models.triage import Triaged, TriageEntry
from batches.models.wall_link import WallLink
from batches.words import NO_ORGANIZATION

__all__ = [
    "NO_ORGANIZATION",
    "QUARTERS",
    "Alert",
    "AlertWishes",
    "Answer",
    "Arrival",
    "Batch",
    "BatchCause",
    "BatchQuerySet",
    "Cause",
    "CauseDay",
    "CauseOrganization",
    "CauseQuerySet",
    "Channel",
    "Connection",
    "DayPace",
    "Delivery",
    "Digest",
    "Discovery",
    "ErrorRow",
    "Expectation",
    "FailedItem",
    "IndexBase",
    "LedgerResponse",
    "Message",
    "Notice",
    "OrganizationPace",
    "OutcomeDay",
    "Row",
    "SavedView",
    "Shape",
    "SucceededItem",
    "TimelineEntry",
    "Traffic",
    "TriageEntry",
    "Triaged",
    "Walk",
    "WallLink",
    "Watch",
    "Worker",
]
