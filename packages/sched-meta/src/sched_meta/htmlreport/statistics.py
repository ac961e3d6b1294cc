"""Numbers about many jobs: quantiles, histograms, how many there were of something over time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "Histogram",
    "Kind",
    "Spread",
    "average_over_time",
    "count_over_time",
    "histogram",
    "quantile",
    "spread",
]

Kind = Literal["time", "memory"]

_FEWEST_BINS, _MOST_BINS = 5, 24
_WIDE = 200
"""From that many times the smallest value on, a histogram's bins grow."""
_SMALLEST: dict[Kind, float] = {"time": 1e-3, "memory": 1.0}
"""What nobody looks closer than."""
_MINUTES = (1, 2, 5, 10, 15, 30)
_HOURS = (1, 2, 4, 6, 12, 24)


@dataclass(frozen=True, slots=True)
class Spread:
    """Where values lie."""

    count: int
    least: float
    median: float
    p95: float
    p99: float
    most: float
    total: float


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many values lie where."""

    spread: Spread
    edges: tuple[float, ...]
    """Of the bins, one more than there are bins."""
    bins: tuple[int, ...]

    @property
    def bins_grow(self) -> bool:
        """Whether each bin is wider than the one before."""
        first, last = self.edges[1] - self.edges[0], self.edges[-1] - self.edges[-2]
        return last > 1.5 * first


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest of the ordered values that at least that share of them does not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered) - 1e-9) - 1)]


def spread(values: Iterable[float]) -> Spread | None:
    """Return where the values lie; None where there are none."""
    ordered = sorted(values)
    return _spread(ordered) if ordered else None


def _spread(ordered: Sequence[float]) -> Spread:
    median, p95, p99 = (quantile(ordered, share) for share in (0.5, 0.95, 0.99))
    total = math.fsum(ordered)
    return Spread(len(ordered), ordered[0], median, p95, p99, ordered[-1], total)


def histogram(values: Iterable[float], kind: Kind) -> Histogram | None:
    """Return how many of the seconds or bytes lie where; None where there are none."""
    ordered = sorted(values)
    if not ordered:
        return None
    bins = min(max(math.isqrt(len(ordered)) * 2, _FEWEST_BINS), _MOST_BINS)
    edges = _edges(ordered[0], ordered[-1], kind, bins)
    return Histogram(_spread(ordered), tuple(edges), tuple(_bins(ordered, edges)))


def _bins(ordered: Sequence[float], edges: Sequence[float]) -> list[int]:
    counts = [0] * (len(edges) - 1)
    current = 0
    for value in ordered:
        while current < len(counts) - 1 and value >= edges[current + 1]:
            current += 1
        counts[current] += 1
    return counts


def _edges(least: float, most: float, kind: Kind, bins: int) -> list[float]:
    if least >= _SMALLEST[kind] and most / least > _WIDE:
        return _growing_edges(least, most, bins)
    span = (most - least) or most or 1.0
    step = _step(max(span / bins, _SMALLEST[kind]), kind)
    first = math.floor(least / step)
    last = max(first + 1, math.floor(most / step) + 1)
    return [number * step for number in range(first, last + 1)]


def _growing_edges(least: float, most: float, bins: int) -> list[float]:
    """Bins that each end at the same multiple of where they begin."""
    ratio = (most / least * 1.0001) ** (1 / bins)
    return [least * ratio**number for number in range(bins + 1)]


def _step(least: float, kind: Kind) -> float:
    """Return the smallest step that people count in, of at least that."""
    if kind == "memory":
        return float(2 ** max(0, math.ceil(math.log2(least))))
    if least > 1:
        for step in _round_times():
            if step >= least:
                return float(step)
    scale = 10.0 ** math.floor(math.log10(least))
    return next(scale * factor for factor in (1, 2, 5, 10) if scale * factor >= least * 0.999999)


def _round_times() -> Iterable[int]:
    yield from _MINUTES
    yield from (60 * minutes for minutes in _MINUTES)
    yield from (3600 * hours for hours in _HOURS)


def average_over_time(
    spans: Iterable[tuple[float, float]], begin: float, end: float, parts: int
) -> list[float]:
    """Return how many of the spans held at a time, on average, in each of so many equal parts."""
    width = (end - begin) / parts or 1.0
    changes = [0.0] * (parts + 1)
    edges = [0.0] * (parts + 1)
    for start, stop in spans:
        first, last = _part(start, begin, width, parts), _part(stop, begin, width, parts)
        # What begins within a part counts from there on in full, but for what it missed of it.
        changes[int(first)] += 1
        edges[int(first)] -= first - int(first)
        changes[int(last)] -= 1
        edges[int(last)] += last - int(last)
    averages, running = [], 0.0
    for number in range(parts):
        running += changes[number]
        averages.append(max(0.0, running + edges[number]))
    return averages


def _part(at: float, begin: float, width: float, parts: int) -> float:
    return min(max((at - begin) / width, 0.0), float(parts))


def count_over_time(moments: Iterable[float], begin: float, end: float, parts: int) -> list[int]:
    """Return how many of the moments lie in each of so many equal parts."""
    width = (end - begin) / parts or 1.0
    counts = [0] * parts
    for moment in moments:
        counts[min(int(_part(moment, begin, width, parts)), parts - 1)] += 1
    return counts
