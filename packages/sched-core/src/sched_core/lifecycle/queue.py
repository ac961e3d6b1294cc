"""The jobs that wait to be submitted: no task, event or timer each."""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field
from itertools import count

from ..model.job import Job
from ..model.status import JobStatus

__all__ = ["WaitingJobs"]


@dataclass(slots=True)
class _Line:
    """Jobs that may share a submission."""

    jobs: deque[tuple[Job, int]] = field(default_factory=deque)
    """With the attempt that waits: a job may have been killed here, and tried again since."""
    since: float = 0.0
    """When the oldest began to wait, on the monotonic clock; later, when it was passed over."""


class WaitingJobs:
    """Lines of jobs, one a batch key, and jobs that wait for a moment."""

    def __init__(self) -> None:
        """Start empty."""
        self._lines: dict[object, _Line] = {}
        self._later: list[tuple[float, int, object, Job, int]] = []
        self._tie = count()
        self._size = 0
        self._dropped: set[tuple[int, int]] = set()

    def __len__(self) -> int:
        return self._size + len(self._later)

    def indexes(self) -> set[int]:
        """Return the indexes of all jobs that wait."""
        in_line = {job.index for line in self._lines.values() for job, _ in line.jobs}
        return in_line | {job.index for _, _, _, job, _ in self._later}

    def add(self, job: Job, key: object, now: float) -> None:
        """Put a job at the end of its line."""
        self._add(job, job.attempt, key, now)

    def _add(self, job: Job, attempt: int, key: object, now: float) -> None:
        line = self._lines.setdefault(key, _Line())
        if not line.jobs:
            line.since = now
        line.jobs.append((job, attempt))
        self._size += 1

    def drop(self, job: Job) -> None:
        """Never hand out the job's present attempt."""
        self._dropped.add((job.index, job.attempt))

    def add_later(self, job: Job, key: object, at: float) -> None:
        """Have a job join its line at that moment."""
        heapq.heappush(self._later, (at, next(self._tie), key, job, job.attempt))

    def due(self, now: float) -> None:
        """Let those join their lines whose moment has come."""
        while self._later and self._later[0][0] <= now:
            _, _, key, job, attempt = heapq.heappop(self._later)
            self._add(job, attempt, key, now)

    def next_moment(self) -> float | None:
        """Return when the next job joins its line."""
        return self._later[0][0] if self._later else None

    def oldest(self) -> float | None:
        """Return since when the first line waits."""
        since = [line.since for line in self._lines.values() if line.jobs]
        return min(since) if since else None

    def take(self, room: int, full: int, leaves_before: float) -> list[Job]:
        """Take a batch that may leave: a full one, or one that has waited since `leaves_before`.

        At most `room` jobs; what has been killed meanwhile is dropped.
        """
        for key, line in list(self._lines.items()):
            limit = min(room, full)
            if len(line.jobs) < full and line.since > leaves_before:
                continue
            batch: list[Job] = []
            while line.jobs and len(batch) < limit:
                job, attempt = line.jobs.popleft()
                self._size -= 1
                dropped = self._dropped and (job.index, attempt) in self._dropped
                current = attempt == job.attempt and job.status is JobStatus.QUEUED
                if current and not dropped:
                    batch.append(job)
            # To the end: the others' turn comes before this line's next.
            del self._lines[key]
            if line.jobs:
                self._lines[key] = line
            if batch:
                return batch
        return []
