"""How much of something jobs were given that had too little of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sched_core.errors import SchedError
from sched_core.model.failure import Failure
from sched_core.model.resources import format_memory, format_time
from sched_core.runfolder import require_run

from .jobstate import JobState
from .runfolder import RunFolder
from .wishes import resources_of

__all__ = ["SHORT_OF", "most_given", "options_of", "twice"]

SHORT_OF = {Failure.OUT_OF_MEMORY: "memory", Failure.TIMEOUT: "time"}
"""What a job had too little of, by the class of its failure."""


def options_of(folder: RunFolder) -> Mapping[str, Any]:
    """Return the options of a run's scheduler, none where they cannot be read. Blocks."""
    try:
        return require_run(folder.files, folder.layout).options
    except (SchedError, OSError):
        return {}


def most_given(jobs: Iterable[JobState], name: str, options: Mapping[str, Any]) -> float | None:
    """Return the most memory (bytes) or time (seconds) that one of the jobs had; None if unlimited."""
    amounts = [_given(job, name, options) for job in jobs]
    return max((amount for amount in amounts if amount), default=None)


def _given(job: JobState, name: str, options: Mapping[str, Any]) -> float | None:
    amount: float | None = getattr(resources_of(options, job.resources).after(job.raised), name)
    if name != "time":
        return amount
    return amount or job.timeout or options.get("timeout")


def twice(name: str, amount: float) -> str:
    """Return twice an amount as an option takes it: '--memory 8GiB', '--time 2h'."""
    text = format_memory(round(2 * amount)) if name == "memory" else format_time(2 * amount)
    return f"--{name} {text.replace(' ', '')}"
