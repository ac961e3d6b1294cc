"""Which recorded job a command is, when a run is gone on with by feeding the same list again."""

from __future__ import annotations

from collections import deque

from ..model.command import job_key
from ..model.job import Job

__all__ = ["RecordedJobs"]


class RecordedJobs:
    """The jobs that a run had when it was opened, each to be matched once."""

    def __init__(self) -> None:
        """Start empty."""
        self._jobs: dict[tuple[object, ...], deque[Job]] = {}

    def add(self, job: Job) -> None:
        """Let a job be found; equal ones are found in the order of their indexes."""
        self._jobs.setdefault(job_key(job.cmd, job.envs), deque()).append(job)

    def take(self, job: Job) -> Job | None:
        """Return the recorded job of the same command and environment, None where none is left."""
        same = self._jobs.get(job_key(job.cmd, job.envs)) if self._jobs else None
        return same.popleft() if same else None
