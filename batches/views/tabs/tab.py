"""What all tabs of a batch's page have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise

from batches.models import Batch
from batches.views.versions import is_unread_kept


@dataclass(frozen=True)
class Tab:
    """One tab: its place in the address, and its word."""

    name: str
    label: str | Promise

    def count(self, batch: Batch) -> int | None:
        """How many rows it has, where that is worth a number in the tab."""
        return None

    def shown(self, batch: Batch) -> bool:
        return True

    def context(self, batch: Batch, asked: Mapping[str, str]) -> dict[str, Any]:
        """What the template needs beside the batch; `asked` is the address's query."""
        return {"is_answer_kept": is_unread_kept(batch), **self.details(batch, asked)}

    def details(self, batch: Batch, asked: Mapping[str, str]) -> dict[str, Any]:
        """What its own part of it needs."""
        raise NotImplementedError
