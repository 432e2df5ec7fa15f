"""How much there is of each cause among the batches that finished on a day, and whether that is more than usual."""

from collections.abc import Sequence
from datetime import date
from statistics import median
from typing import NamedTuple

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, OuterRef, Subquery, Window

from batches.models import Cause, CauseDay

NOTABLE = 20  # per cent: a smaller change is as usual


class CauseOfDay(NamedTuple):
    """How much of a cause the batches of a day have."""

    cause: Cause
    rows: int
    batches: int
    usual: float | None  # rows
    is_new: bool  # no batch that finished before this day has it

    @property
    def trend(self) -> str:
        """One of `new`, `more`, `less` and `as_usual`."""
        if self.is_new:
            return "new"
        if self.usual is None:
            return "as_usual"
        change = 100 * (self.rows - self.usual)
        notable = NOTABLE * self.usual
        return "more" if change > notable else "less" if change < -notable else "as_usual"


def causes_of(day: date, weeks: Sequence[date], most: int | None) -> tuple[list[CauseOfDay], int]:
    """The first of the day's causes, or all; and how many there are in all."""
    known = CauseDay.objects.filter(cause=OuterRef("cause"), rows__gt=0)
    found = CauseDay.objects.filter(day=day, rows__gt=0).order_by("-rows", "cause").select_related("cause")
    found = found.annotate(
        first_day=Subquery(known.order_by("day").values("day")[:1]),
        before=ArraySubquery(known.filter(day__in=weeks).values("rows")),
        count=Window(Count("*")),
    )
    found = found.defer("cause__example", "cause__advice")[:most]  # long, and on no page of a day
    # Where there are no weeks, Django asks for no array.
    causes = [_cause_of_day(each, each.before or [], len(weeks), each.first_day == day) for each in found]
    return causes, found[0].count if found else 0


def _cause_of_day(each: CauseDay, before: list[int], weeks: int, is_new: bool) -> CauseOfDay:
    rows = before + [0] * (weeks - len(before))  # of a week without it there is no row
    return CauseOfDay(each.cause, each.rows, each.batches, median(rows) if rows else None, is_new)
