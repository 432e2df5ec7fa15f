"""What is drawn on the scales: bars, lines, the shade of days off, the dates below."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil

from django.utils.formats import date_format

from batches.chart.scales import Panel
from batches.days import is_working_day
from batches.trend import TrendDay
from batches.words import Outcome

WIDTH, HEIGHT = 1000, 500
"""The canvas of the lines, whose paths know no percent."""

LEAST = 0.5  # the height of one batch among a million
GAP = 0.4  # between two outcomes of a day
WORD = 3.2  # the height of one
DENSE = 180  # more days than this are told by months
MOST_NARROW = 5  # dates where there is little room


@dataclass(frozen=True)
class Bar:
    """The batches of a day that ended alike."""

    outcome: Outcome
    y: float
    height: float


@dataclass(frozen=True)
class Line:
    """A number of each day, broken where a day has none: as paths on the canvas."""

    path: str
    dots: str
    end: float | None  # the height of the last number


@dataclass(frozen=True)
class Label:
    """A date below the drawing; the rare ones are enough for a narrow screen."""

    x: float
    text: str
    is_rare: bool


def bars_of(day: TrendDay, panel: Panel) -> list[Bar]:
    """From the axis upwards; whatever there is of any stays visible."""
    bars, bottom = [], panel.bottom
    counts = {Outcome.SUCCEEDED: day.succeeded, Outcome.PARTIAL: day.partial, Outcome.FAILED: day.failed}
    for outcome, count in counts.items():
        if count:
            height = max(panel.height * count / panel.most - GAP, LEAST)
            bars.append(Bar(outcome, round(bottom - height, 2), round(height, 2)))
            bottom -= height + GAP
    return bars


def line_of(values: Sequence[float | None], panel: Panel) -> Line:
    """The values of all days, evenly across the canvas."""
    path, dots, pen = [], [], "M"
    for at, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        point = f"{(at + 0.5) * WIDTH / len(values):.4g} {panel.y(value) * HEIGHT / 100:.4g}"
        path.append(pen + point)
        dots.append(f"M{point}h0")
        pen = "L"
    known = [value for value in values if value is not None]
    return Line("".join(path), "".join(dots), panel.y(known[-1]) if known else None)


def apart(lower: float | None, upper: float | None) -> tuple[float | None, float | None]:
    """Where two words beside the ends of two lines can both be read."""
    if lower is None or upper is None or lower - upper >= WORD:
        return lower, upper
    middle = (lower + upper) / 2
    return round(middle + WORD / 2, 2), round(middle - WORD / 2, 2)


def rest_of(days: Sequence[date], top: float, bottom: float) -> str:
    """Weekends and holidays, as a path on the canvas."""
    width, start, height = WIDTH / len(days), top * HEIGHT / 100, (bottom - top) * HEIGHT / 100
    places = (at * width for at, day in enumerate(days) if not is_working_day(day))
    return "".join(f"M{x:.4g} {start:.4g}v{height:.4g}h{width:.4g}v-{height:.4g}z" for x in places)


def labels_of(days: Sequence[date]) -> list[Label]:
    """Every third day, each Monday, or the first of each month; of these some for a narrow screen, the last surely."""
    places = [at for at, day in enumerate(days) if _has_label(day, days)]
    rare = places[:: -ceil(len(places) / MOST_NARROW)] if places else []
    texts = _texts([days[at] for at in places], by_month=len(days) > DENSE)
    places_and_texts = zip(places, texts, strict=True)
    return [Label(round((at + 0.5) * 100 / len(days), 2), text, at in rare) for at, text in places_and_texts]


def _has_label(day: date, days: Sequence[date]) -> bool:
    if len(days) > DENSE:
        return day.day == 1
    return day.weekday() == 0 if len(days) > 31 else (days[-1] - day).days % 3 == 0


def _texts(days: Sequence[date], *, by_month: bool) -> list[str]:
    """24. Oct, 27., 30., 2. Nov; or Dec, Jan 2027, Feb."""
    if by_month:
        return [date_format(day, "M Y" if day.month == 1 else "M") for day in days]
    starts = [at == 0 or day.month != days[at - 1].month for at, day in enumerate(days)]
    return [date_format(day, "j. M" if is_start else "j.") for day, is_start in zip(days, starts, strict=True)]
