"""Pages of what is listed newest first, turned by the key of the last line shown: the last page costs what the first does."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet


def key_of(at: datetime, pk: UUID | int) -> str:
    """The key of a line, for an address."""
    return f"{at.isoformat()}_{pk}"


def older_than[Rows: QuerySet[Any]](
    rows: Rows, key: str, at: str = "submitted_at", pk: str = "pk", read: Callable[[str], UUID | int] = UUID
) -> Rows:
    """The rows that come after the one with this key; what is no key is no limit. `at` and `pk` are the fields it is made of."""
    moment, _, last = key.partition("_")
    try:
        last_at, last_pk = datetime.fromisoformat(moment.replace(" ", "+")).astimezone(UTC), read(last)
    except (ValueError, OverflowError):
        return rows
    older = Q((f"{at}__lt", last_at)) | Q((at, last_at), (f"{pk}__lt", last_pk))
    # The first condition told again, lest PostgreSQL read the index from its beginning.
    return rows.filter(older, **{f"{at}__lte": last_at})
