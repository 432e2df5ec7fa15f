"""Pages of batches, newest first, turned by the key of the last one shown."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet


def key_of(submitted_at: datetime, batch_id: UUID) -> str:
    """The key of a batch, for an address."""
    return f"{submitted_at.isoformat()}_{batch_id}"


def older_than[Rows: QuerySet[Any]](rows: Rows, key: str, name: str = "pk") -> Rows:
    """The rows that come after the one with this key; what is no key is no limit. `name` is that of the batch's ID."""
    at, _, batch_id = key.partition("_")
    try:
        submitted_at, last_id = datetime.fromisoformat(at.replace(" ", "+")).astimezone(UTC), UUID(batch_id)
    except (ValueError, OverflowError):
        return rows
    return rows.filter(
        Q(submitted_at__lt=submitted_at) | Q(("submitted_at", submitted_at), (f"{name}__lt", last_id)),
        submitted_at__lte=submitted_at,  # told again, lest PostgreSQL read the index from its beginning
    )
