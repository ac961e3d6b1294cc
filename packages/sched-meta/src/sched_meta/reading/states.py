"""The states of jobs and of runs, in the words that all commands have for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from sched_core.model.status import JobStatus

from .jobstate import JobState

if TYPE_CHECKING:
    from sched_core.runfolder import Tally

__all__ = ["STATES", "is_interrupted", "is_running", "run_state", "state_counts", "state_word"]

_BY_STATE = {
    "finished": (JobStatus.FINISHED,),
    "failed": (JobStatus.FAILED,),
    "killed": (JobStatus.KILLED,),
    "interrupted": (),
    "running": (JobStatus.RUNNING, JobStatus.KILLING),
    "waiting": (JobStatus.INIT, JobStatus.QUEUED, JobStatus.SUBMITTED),
}
STATES = tuple(_BY_STATE)
"""Interrupted are jobs that ended because the run did: a resume runs them again."""
_WORDS = {status: word for word, statuses in _BY_STATE.items() for status in statuses}


def state_word(job: JobState) -> str:
    """Return which of STATES the job is in."""
    return "interrupted" if is_interrupted(job) else _WORDS[job.status]


def is_interrupted(job: JobState) -> bool:
    """Tell whether the job ended with its run, so that it goes on with it; only records know."""
    return job.status.final and getattr(job, "interrupted", False)


def is_running(job: JobState) -> bool:
    """Tell whether the job has started and not ended, be it told to end."""
    return job.status in _BY_STATE["running"]


def state_counts(jobs: Iterable[JobState], others: Tally | None = None) -> dict[str, int]:
    """Return how many jobs are in each of STATES, zeros included; `others` are only counted."""
    counts = dict.fromkeys(STATES, 0)
    if others is not None:
        counts["finished"], counts["waiting"] = others.finished, others.waiting
        counts["interrupted"] = others.unbegun
    for job in jobs:
        counts[state_word(job)] += 1
    return counts


def run_state(counts: Mapping[str, int], *, driven: bool) -> str:
    """Return what a run is whose jobs are in these states: running, interrupted, empty, failed, killed
    or finished.
    """
    if driven:
        return "running"
    if counts["running"] or counts["waiting"] or counts["interrupted"]:
        return "interrupted"
    ended = ("failed", "killed", "finished")
    return next((word for word in ended if counts[word]), "empty")
