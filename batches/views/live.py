"""Polls of pages that change by themselves: a stamp comes in, and 204 goes out while it still holds."""

from collections.abc import Iterable
from hashlib import blake2s

from batches.models import Batch
from staff.http import StaffRequest


def nothing_new(request: StaffRequest, stamp: str) -> bool:
    """Whether this is a poll by a page that already shows `stamp`."""
    return bool(request.htmx) and request.GET.get("stamp") == stamp


def stamp_of_text(shown: str) -> str:
    """Changes whenever what is shown does."""
    return blake2s(shown.encode(), digest_size=8).hexdigest()


def stamp_of(batches: Iterable[Batch]) -> str:
    """Changes whenever one of these batches does, or their order."""
    stamps = " ".join(f"{batch.pk}:{stamp_of_one(batch)}" for batch in batches)
    return stamp_of_text(stamps)


def stamp_of_one(batch: Batch) -> str:
    """Changes with the batch, and when it gets stuck, which nobody writes down: `mark_stuck` has to have looked."""
    return f"{batch.revision}stuck" if batch.limit else f"{batch.revision}"
