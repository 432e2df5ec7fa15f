"""How much of a cause each of the last days had, as bars that the server draws."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils import timezone

from batches.models import CauseDay

SPARK_DAYS, CHART_DAYS = 30, 90


@dataclass(frozen=True)
class Bar:
    """A day: its numbers, its place, and its height in percent of the highest."""

    day: date
    rows: int
    batches: int
    x: int
    height: int

    @property
    def top(self) -> int:
        """Where the bar begins, as SVG counts: from above."""
        return 100 - self.height


def bars_of(cause_ids: Collection[int], count: int) -> Mapping[int, Sequence[Bar]]:
    """For each cause the last `count` days, today last."""
    today = timezone.localdate()
    days = [today - timedelta(days=ago) for ago in reversed(range(count))]
    known = CauseDay.objects.filter(cause__in=cause_ids, day__gte=days[0], day__lte=today)
    numbers = {(each.cause_id, each.day): (each.rows, each.batches) for each in known}
    return {pk: _bars([(day, *numbers.get((pk, day), (0, 0))) for day in days]) for pk in cause_ids}


def _bars(days: Sequence[tuple[date, int, int]]) -> list[Bar]:
    most = max(rows for _, rows, _ in days) or 1
    return [
        Bar(day, rows, batches, place * 10, max(100 * rows // most, 4) if rows else 0)
        for place, (day, rows, batches) in enumerate(days)
    ]
