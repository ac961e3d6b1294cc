"""How long imports take, in fresh processes."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

__all__ = ["Times", "over_bare", "time_import"]

_ROUNDS = 9


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds of a processor over those of a Python that imports nothing."""

    imports: int
    on_first_use: Mapping[str, int] = field(default_factory=dict)


def time_import(python: Path, statement: str, later: Mapping[str, str]) -> Times:
    """Time an import, and what each of the modules that are loaded later takes by itself."""
    statements = ["pass", statement, *(f"import {modules}" for modules in later.values())]
    for each in statements:
        _seconds(python, each)  # the first one compiles
    # In turn, so that what else the machine does strikes all of them.
    rounds = [[_seconds(python, each) for each in statements] for _ in range(_ROUNDS)]
    imports, *others = over_bare(rounds)
    return Times(imports, dict(zip(later, others, strict=True)))


def over_bare(rounds: Sequence[Sequence[float]]) -> list[int]:
    """Return the medians of all columns but the first, less that of the first, in milliseconds."""
    bare, *others = (median(column) for column in zip(*rounds, strict=True))
    return [round((seconds - bare) * 1000) for seconds in others]


def _seconds(python: Path, statement: str) -> float:
    """Return the processor time of a process, which is its time on an idle machine."""
    before = _used()
    subprocess.run([python, "-I", "-c", statement], check=True)
    return _used() - before


def _used() -> float:
    """Return the processor time of all processes that were waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
