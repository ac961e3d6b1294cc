"""What is said at the end."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

__all__ = ["Figures", "as_json", "table"]

_COUNTED = ("lost", "twice", "left over", "wrong")


@dataclass(slots=True)
class Figures:
    """What one backend went through."""

    backend: str
    seconds: float = 0.0
    rounds: int = 0
    jobs: int = 0
    starts: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    """By kind; those of drivers among them."""
    drivers_killed: int = 0
    violations: Counter[str] = field(default_factory=Counter)
    """By kind: lost, twice, left over, wrong."""
    note: str = ""
    """Why there is nothing to tell."""

    @property
    def sound(self) -> bool:
        """Whether nothing was found that must not be."""
        return not self.violations and not self.note


def table(rows: Sequence[Figures]) -> str:
    """Return the report as a table in Markdown."""
    head = "backend|minutes|rounds|jobs|starts|drivers killed|faults|lost|twice|left over|wrong"
    lines = [_row(head.split("|")), _row(["---", *["---:"] * 9, "---:"])]
    lines += [_row(_cells(row)) for row in [*rows, *_total(rows)]]
    kinds = [f"{row.backend}: {row.note or _listed(row.faults)}" for row in rows]
    return "\n".join([*lines, "", *kinds])


def as_json(rows: Sequence[Figures], seed: int) -> str:
    """Return the same for programs."""
    backends = [
        {
            "backend": row.backend,
            "minutes": round(row.seconds / 60, 2),
            "rounds": row.rounds,
            "jobs": row.jobs,
            "starts": row.starts,
            "drivers_killed": row.drivers_killed,
            "faults": dict(row.faults),
            "note": row.note,
            **{kind.replace(" ", "_"): row.violations[kind] for kind in _COUNTED},
        }
        for row in rows
    ]
    return json.dumps({"schema": 1, "seed": seed, "backends": backends}, indent=1) + "\n"


def _total(rows: Sequence[Figures]) -> list[Figures]:
    if len(rows) < 2:
        return []
    total = Figures("all")
    for row in rows:
        total.seconds += row.seconds
        total.rounds += row.rounds
        total.jobs += row.jobs
        total.starts += row.starts
        total.drivers_killed += row.drivers_killed
        total.faults += row.faults
        total.violations += row.violations
    return [total]


def _cells(row: Figures) -> list[str]:
    numbers = [row.rounds, row.jobs, row.starts, row.drivers_killed, row.faults.total()]
    numbers += [row.violations[kind] for kind in _COUNTED]
    return [row.backend, f"{row.seconds / 60:.1f}", *(f"{number:,}" for number in numbers)]


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _listed(faults: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(faults.items())) or "nothing"
