"""What a case has found out: rows of the table, and the statistics that they are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

__all__ = ["Figure", "ratio_of_best", "ratio_of_medians", "unavailable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One row: a value, and the most that it may be where there is a target, or the least.

    `judged` is False where the counts were too small for the target to mean anything.
    """

    case: str
    what: str
    value: float | None
    unit: str = ""
    target: float | None = None
    least: bool = False
    judged: bool = True
    note: str = ""
    samples: tuple[float, ...] = ()

    @property
    def verdict(self) -> str:
        """`met`, `not met`, `failed` where there is no value, or nothing."""
        if self.value is None:
            return "failed"
        if self.target is None:
            return ""
        if not self.judged:
            return "too small"
        met = self.value >= self.target if self.least else self.value <= self.target
        return "met" if met else "not met"

    def to_json(self) -> dict[str, Any]:
        """Return what the JSON file says of it."""
        return asdict(self) | {"verdict": self.verdict}


def unavailable(case: str, what: str, why: str) -> Figure:
    """Return the row of something that could not be measured."""
    return Figure(case=case, what=what, value=None, note=why)


def ratio_of_medians(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return how many times longer ours take, typically."""
    return median(ours) / median(theirs)


def ratio_of_best(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return how many times longer ours take at best: what others do on the machine is out of it."""
    return min(ours) / min(theirs)
