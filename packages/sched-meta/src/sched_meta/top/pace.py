"""How many jobs end in a time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

__all__ = ["Pace", "PaceMeter", "sparkline"]

_SPANS = (60, 600, 3600, 6 * 3600, 86400, 7 * 86400)
_ENOUGH = 30
"""Ends that tell a pace: the shortest span is taken that has so many."""
_BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Pace:
    """How jobs have ended lately."""

    seconds: int
    """The time that is looked at, up to the last moment."""
    ends: tuple[int, ...]
    """How many jobs have ended in each of its parts, which are of one length."""

    @property
    def rate(self) -> float:
        """Jobs a second."""
        return sum(self.ends) / self.seconds


class PaceMeter:
    """Counts ends by the second."""

    def __init__(self) -> None:
        self._ends: Counter[int] = Counter()
        self._began: float | None = None

    def started(self, at: float) -> None:
        """Take a moment at which a job has started."""
        self._began = at if self._began is None else min(self._began, at)

    def ended(self, at: float, jobs: int = 1) -> None:
        """Count a job that has ended then; -1 for one that has not, after all."""
        self._ends[int(at)] += jobs

    def last(self) -> float | None:
        """When the last job has ended."""
        return max((second for second, jobs in self._ends.items() if jobs), default=None)

    def pace(self, now: float, parts: int) -> Pace | None:
        """Return the pace up to `now`, None before anything has ended.

        It has at most so many parts, of whole seconds.
        """
        ends = [(second, jobs) for second, jobs in self._ends.items() if jobs and second <= now]
        if not ends:
            return None
        seconds = self._span(ends, now)
        each = -(-seconds // parts)
        counts = [0] * -(-seconds // each)
        for second, jobs in ends:
            age = int(now) - second
            if age < seconds:
                counts[-1 - age // each] += jobs
        return Pace(seconds, tuple(counts))

    def _span(self, ends: list[tuple[int, int]], now: float) -> int:
        first = min(second for second, _ in ends)
        began = first if self._began is None else min(first, self._began)
        age = int(now) - int(began) + 1
        for span in _SPANS:
            if span >= age:
                break
            if sum(jobs for second, jobs in ends if int(now) - second < span) >= _ENOUGH:
                return span
        return age


def sparkline(counts: tuple[int, ...]) -> str:
    """Return a bar for each number; none is a space."""
    most = max(counts, default=0)
    return "".join(_BARS[-(-count * len(_BARS) // most) - 1] if count else " " for count in counts)
