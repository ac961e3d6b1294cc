"""What the samples of a field come to: numbers that the page and the plots share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from ..table import number

__all__ = ["Line", "lines_of"]


@dataclass(frozen=True, slots=True)
class Line:
    """One program: milliseconds a job, where it could be measured."""

    name: str
    version: str
    jobs: int
    ours: bool
    each: tuple[float, ...]
    """By round."""
    cpu: float | None
    ratio: float | None
    """How many times as long as ours, by the medians."""
    keeps: str
    note: str
    manual: str
    failure: str

    @property
    def typical(self) -> float | None:
        """The median."""
        return median(self.each) if self.each else None

    @property
    def spread(self) -> str:
        """The least and the most."""
        return f"{number(min(self.each))} to {number(max(self.each))}" if self.each else ""


def lines_of(field: Mapping[str, Any]) -> list[Line]:
    """Return the programs of a field, the fastest first, those that could not be measured last."""
    rows = field["rows"]
    ours = next((row for row in rows if row["ours"] and row["samples"]), None)
    base = median(_each(ours)) if ours else None
    lines = [_line(row, base) for row in rows]
    return sorted(lines, key=lambda line: (line.typical is None, line.typical or 0.0))


def _each(row: Mapping[str, Any]) -> tuple[float, ...]:
    return tuple(sample["seconds"] / row["jobs"] * 1e3 for sample in row["samples"])


def _line(row: Mapping[str, Any], base: float | None) -> Line:
    each = _each(row)
    cpus = [s["cpu"] / row["jobs"] * 1e3 for s in row["samples"] if s["cpu"] is not None]
    told = {name: row[name] for name in ("name", "version", "jobs", "ours", "keeps", "note")}
    return Line(
        **told,
        each=each,
        cpu=median(cpus) if cpus else None,
        ratio=median(each) / base if each and base else None,
        manual=row["manual"],
        failure=row["failure"],
    )
