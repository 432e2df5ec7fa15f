"""Scales with round steps, and what is written beside them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from django.utils.formats import number_format

MOST_STEPS, FEW_STEPS = 4, 3
TIME_STEPS = (1, 2, 5, 15, 30, 60, 120, 300, 900, 1_800, 3_600, 7_200, 21_600, 43_200)  # seconds
MINUTE, HOUR, DAY = 60, 3_600, 86_400


@dataclass(frozen=True)
class Tick:
    """A line across a panel, with its value."""

    y: float
    text: str


@dataclass(frozen=True)
class Panel:
    """A part of the drawing with a scale of its own, which ends with the last tick."""

    top: float
    bottom: float
    most: float
    ticks: Sequence[Tick]

    @property
    def height(self) -> float:
        return self.bottom - self.top

    def y(self, value: float) -> float:
        return round(self.bottom - self.height * value / self.most, 2)


def counts(top: float, bottom: float, most: int) -> Panel:
    """A panel for numbers up to this one."""
    step = _round(max(most / MOST_STEPS, 1))
    return _panel(top, bottom, max(most, 1), step, _count_text)


def shares(top: float, bottom: float, most: float) -> Panel:
    """A panel for parts of a whole; of 1 % where there is nothing to show."""
    most = most or 0.01
    return _panel(top, bottom, most, _round(most / FEW_STEPS), _percent)


def times(top: float, bottom: float, most: int) -> Panel:
    """A panel for seconds, with the steps that a clock has."""
    return _panel(top, bottom, max(most, 1), _round_time(most / FEW_STEPS), _time_text)


def _panel(top: float, bottom: float, most: float, step: float, text_of: Callable[[float], str]) -> Panel:
    count = ceil(round(most / step, 6))
    ticks = [Tick(round(bottom - (bottom - top) * n / count, 2), text_of(n * step)) for n in range(count + 1)]
    return Panel(top, bottom, count * step, ticks)


def _round(least: float) -> float:
    """The smallest of 1, 2 and 5, times a power of ten, that is no less."""
    power = 10.0 ** floor(log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power > least * (1 - 1e-9))


def _round_time(least: float) -> float:
    return next((step for step in TIME_STEPS if step >= least), DAY * _round(max(least / DAY, 1)))


def _count_text(number: float) -> str:
    """20 000, 500k, 1.5m: short."""
    for size, unit in ((10**9, "bn"), (10**6, "m"), (10**3, "k")):
        if number >= max(size, 100_000):
            return f"{number / size:g}{unit}"
    return number_format(number, decimal_pos=0, force_grouping=True)


def _percent(share: float) -> str:
    return f"{100 * share:g}\xa0%"


def _time_text(seconds: float) -> str:
    """In the largest unit that makes it a whole number."""
    size, unit = next(each for each in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (1, "s")) if seconds % each[0] == 0)
    return f"{number_format(seconds / size, decimal_pos=0, force_grouping=True)}\xa0{unit}" if seconds else "0"
