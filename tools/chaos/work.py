"""The jobs of a round: what each does, and what must come of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

__all__ = ["DISK_WAS_FULL", "KINDS", "RETRIES", "Work", "jobs_file", "output_of", "plan_work"]

RETRIES = 1
DISK_WAS_FULL = 74
"""What a command ends with that could not write."""

_SCRIPT = Path(__file__).with_name("job.bash")
_WEIGHTS = {
    "plain": 5,
    "short": 5,
    "long": 4,
    "flaky": 2,
    "broken": 1,
    "lines": 3,
    "parent": 2,
    "stubborn": 1,
    "victim": 1,
}
KINDS = tuple(_WEIGHTS)


@dataclass(frozen=True, slots=True)
class Work:
    """What one job does."""

    kind: str
    seconds: float


def plan_work(chance: Random, count: int, pause: float) -> list[Work]:
    """Choose kinds for jobs; those that sleep do so for `pause` seconds on the average."""
    kinds = [*KINDS, *chance.choices(KINDS, list(_WEIGHTS.values()), k=count)][:count]
    chance.shuffle(kinds)
    return [Work(kind, round(_seconds(chance, kind, pause), 3)) for kind in kinds]


def _seconds(chance: Random, kind: str, pause: float) -> float:
    return chance.uniform(pause, 3 * pause) if kind == "long" else chance.uniform(0.0, pause)


def jobs_file(work: Sequence[Work], marks: Path) -> str:
    """Return the list for `sched run --from`."""
    text = _SCRIPT.read_text()
    argv = ["/bin/bash", "-c", text, "job"]
    rows = [{"cmd": [*argv, one.kind, f"{one.seconds}", str(marks)]} for one in work]
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def output_of(index: int, kind: str) -> tuple[str, str]:
    """Return what a job of that kind that finished has written to stdout and stderr."""
    if kind == "lines":
        out = "".join(f"job {index}, line {n}\n" for n in range(2000))
        return out, "".join(f"job {index}, error {n}\n" for n in range(50))
    return (f"plain {index}\n" if kind == "plain" else ""), ""
