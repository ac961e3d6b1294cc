"""How a run that goes on compares with the list that was given for it, in words."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ..reading.jobstate import JobState
from ..wording import count_jobs

__all__ = ["goes_on_with", "not_in_list"]


def goes_on_with(jobs: Sequence[JobState], new: int) -> str:
    """Say how many of a run's jobs are done, how many of them are left, and how many are new."""
    done = sum(job.status.final for job in jobs)
    if not new:
        return f"{done:,} of them ended before"
    left = len(jobs) - done - new
    return f"{done:,} done, " + (f"{left:,} left, " if left else "") + f"{new:,} new"


def not_in_list(jobs: Sequence[JobState], listed: Collection[int]) -> str | None:
    """Say what becomes of jobs of the run that the list has no more; None where it has them all."""
    others = [job for job in jobs if job.index not in listed]
    if not others:
        return None
    are = "is" if len(others) == 1 else "are"
    if all(job.status.final for job in others):
        it = "it stays as it is" if len(others) == 1 else "they stay as they are"
        return f"{count_jobs(len(others))} of the run {are} not in this list; {it}"
    return (
        f"{count_jobs(len(others))} of the run {are} not in this list; what has not ended runs, too"
    )
