"""What is wrong with a batch: the causes behind its error rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator

from batches.bars import SPARK_DAYS, Bar, bars_of
from batches.models import NO_ORGANIZATION, Batch, BatchCause, Cause
from batches.views.tabs.tab import Tab

PER_PAGE = 30


@dataclass(frozen=True)
class CauseLine:
    """What the batch has of a cause, and what all batches have."""

    here: BatchCause
    cause: Cause
    bars: Sequence[Bar]

    @property
    def other_batches(self) -> int:
        return self.cause.batch_count - 1

    @property
    def other_organizations(self) -> int:
        return self.cause.organization_count - (self.here.organization_id != NO_ORGANIZATION)


class CausesTab(Tab):
    """The causes, the one with most rows first."""

    def shown(self, batch: Batch) -> bool:
        return batch.error_count > 0

    def details(self, batch: Batch, asked: Mapping[str, str]) -> dict[str, Any]:
        page = Paginator(batch.causes.order_by("-rows", "cause_id"), PER_PAGE).get_page(asked.get("page"))
        return {"causes": page, "cause_lines": list(_lines(list(page))) if batch.error_count else []}


def _lines(shares: Sequence[BatchCause]) -> Iterator[CauseLine]:
    ids = [share.cause_id for share in shares]
    causes = Cause.objects.select_related("owner").in_bulk(ids)
    bars = bars_of(ids, SPARK_DAYS)
    for share in shares:
        yield CauseLine(share, causes[share.cause_id], bars[share.cause_id])
