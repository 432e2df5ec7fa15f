"""The trend as a drawing: where everything stands, in percent of its width and height, so that it fits any screen.

Three panels share the days' axis: batches by outcome, the share of objects that failed, and the time to finish.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from batches.chart.scales import Panel, counts, shares, times
from batches.chart.shapes import DENSE, Bar, Label, Line, apart, bars_of, labels_of, line_of, rest_of
from batches.days import holiday
from batches.trend import TrendDay

__all__ = ["Chart", "Day", "chart_of"]


@dataclass(frozen=True)
class Day:
    """A column of the drawing, its numbers, and where it leads."""

    numbers: TrendDay
    href: str
    x: float
    bar_x: float
    bars: Sequence[Bar]
    is_shown: bool  # on the page of the chart

    @property
    def holiday(self) -> str:
        return holiday(self.numbers.day)

    @property
    def median(self) -> timedelta | None:
        return _length(self.numbers.median)

    @property
    def p95(self) -> timedelta | None:
        return _length(self.numbers.p95)


def _length(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


@dataclass(frozen=True)
class Chart:
    """The whole drawing. Paths are on the canvas; everything else is in percent."""

    days: Sequence[Day]
    column: float  # the width of a day
    bar: float  # the width of its bar, in the middle
    batches: Panel
    share: Panel
    time: Panel
    share_line: Line
    median_line: Line
    p95_line: Line
    rest: str  # weekends and holidays
    labels: Sequence[Label]

    @property
    def panels(self) -> Sequence[Panel]:
        return (self.batches, self.share, self.time)

    @property
    def median_label(self) -> float | None:
        return apart(self.median_line.end, self.p95_line.end)[0]

    @property
    def p95_label(self) -> float | None:
        return apart(self.median_line.end, self.p95_line.end)[1]

    @property
    def dot(self) -> int:
        """How wide a dot is; among many days it is as thin as the lines, and shows only where it stands alone."""
        return 2 if self.is_dense else 6 if len(self.days) <= 31 else 4

    @property
    def is_dense(self) -> bool:
        return len(self.days) > DENSE

    @property
    def is_empty(self) -> bool:
        return not any(each.numbers.batches for each in self.days)


def chart_of(days: Sequence[TrendDay], address: Callable[[date], str]) -> Chart:
    """The drawing of these days, the last of which is the one that the page shows; each leads to its address."""
    batches = counts(12, 54, max(each.batches for each in days))
    share = shares(62.4, 74.4, max(each.share or 0 for each in days))
    time = times(82.8, 94.4, max(each.p95 or 0 for each in days))
    width, bar = 100 / len(days), 76 / len(days)
    dates = [each.day for each in days]
    return Chart(
        days=[
            Day(
                numbers=each,
                href=address(each.day),
                x=round(at * width, 2),
                bar_x=round(at * width + (width - bar) / 2, 2),
                bars=bars_of(each, batches),
                is_shown=each is days[-1],
            )
            for at, each in enumerate(days)
        ],
        column=round(width, 2),
        bar=round(bar, 2),
        batches=batches,
        share=share,
        time=time,
        share_line=line_of([each.share for each in days], share),
        median_line=line_of([each.median for each in days], time),
        p95_line=line_of([each.p95 for each in days], time),
        rest=rest_of(dates, batches.top, time.bottom),
        labels=labels_of(dates),
    )
