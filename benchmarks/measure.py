"""How the benchmarks measure and what they say of it."""

from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import NamedTuple


def seconds(deed: Callable[[], object]) -> float:
    """How long one call takes."""
    start = perf_counter()
    deed()
    return perf_counter() - start


class Comparison(NamedTuple):
    """Medians of all rounds. The ratio is that of the two figures of one round, not that of the medians."""

    base: float
    ours: float
    ratio: float


def compare(rounds: int, base: Callable[[], float], ours: Callable[[], float]) -> Comparison:
    """Measure both again and again. They take turns, so that a slow moment of the machine meets both alike."""
    results = [(base(), ours()) for _ in range(rounds)]
    bases, all_ours = zip(*results, strict=True)
    return Comparison(median(bases), median(all_ours), median(ours / base for base, ours in results))


def at_most(limit: float, name: str, figure: float, unit: str = "") -> bool:
    """Print the figure beside its limit; whether it keeps to it."""
    return _verdict(name, figure, "at most", limit, unit, figure <= limit)


def at_least(limit: float, name: str, figure: float, unit: str = "") -> bool:
    """Print the figure beside its limit; whether it reaches it."""
    return _verdict(name, figure, "at least", limit, unit, figure >= limit)


def _verdict(name: str, figure: float, bound: str, limit: float, unit: str, kept: bool) -> bool:
    print(f"  {name}: {figure:.3g}{unit}, {bound} {limit:g}{unit}: {'ok' if kept else 'MISSED'}", flush=True)
    return kept
