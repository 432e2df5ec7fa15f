"""How the benchmarks measure and what they say of it."""

from collections.abc import Callable
from statistics import median
from time import perf_counter


def seconds(deed: Callable[[], object]) -> float:
    """How long one call takes."""
    start = perf_counter()
    deed()
    return perf_counter() - start


def medians(rounds: int, *measurements: Callable[[], float]) -> list[float]:
    """The median of each measurement. They take turns, so that a slow moment of the machine meets them all alike."""
    results = [[measure() for measure in measurements] for _ in range(rounds)]
    return [median(column) for column in zip(*results, strict=True)]


def at_most(limit: float, name: str, figure: float, unit: str = "") -> bool:
    """Print the figure beside its limit; whether it keeps to it."""
    return _verdict(name, figure, "at most", limit, unit, figure <= limit)


def at_least(limit: float, name: str, figure: float, unit: str = "") -> bool:
    """Print the figure beside its limit; whether it reaches it."""
    return _verdict(name, figure, "at least", limit, unit, figure >= limit)


def _verdict(name: str, figure: float, bound: str, limit: float, unit: str, kept: bool) -> bool:
    print(f"  {name}: {figure:.3g}{unit}, {bound} {limit:g}{unit}: {'ok' if kept else 'MISSED'}", flush=True)
    return kept
