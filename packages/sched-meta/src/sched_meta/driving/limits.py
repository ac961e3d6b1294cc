"""`--max-failures`: how many jobs may fail before the run is stopped."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sched_core import Job, JobStatus
from sched_core.errors import OptionError, SchedError

from ..wording import count_jobs

__all__ = ["FailureCount", "FailureLimit", "TooManyFailures", "parse_failure_limit"]

_LIMIT = re.compile(r"(\d+)|(\d+(?:\.\d+)?)%", re.ASCII)


class TooManyFailures(SchedError):
    """More jobs have failed than the run is to bear."""

    def __init__(self, failed: int, limit: FailureLimit) -> None:
        super().__init__(f"{count_jobs(failed)} failed (--max-failures {limit.text})")


@dataclass(frozen=True, slots=True)
class FailureLimit:
    """A number of jobs, or a share of all jobs of the list."""

    text: str
    """As it was typed."""
    number: int | None
    percent: float = 100.0

    def is_reached(self, failed: int, jobs: int) -> bool:
        """Tell whether so many failures are the number, or more than the share."""
        if self.number is not None:
            return failed >= self.number
        return failed * 100 > self.percent * jobs


def parse_failure_limit(text: str | None) -> FailureLimit | None:
    """Return what `10` or `5%` means; None for None. Raises OptionError."""
    if text is None:
        return None
    match = _LIMIT.fullmatch(text)
    if not match or float(match[1] or match[2]) == 0:
        raise OptionError(
            f"--max-failures {text}: it must be a number of jobs, or a share of them such as 5%"
        )
    if match[2] and float(match[2]) > 100:
        raise OptionError(f"--max-failures {text}: it must be at most 100%")
    return (
        FailureLimit(text, int(match[1])) if match[1] else FailureLimit(text, None, float(match[2]))
    )


class FailureCount:
    """Counts the jobs that fail in one session, each once."""

    def __init__(self, limit: FailureLimit, jobs: Iterable[Job]) -> None:
        """Leave out those of the jobs that had ended before."""
        self._limit = limit
        known = list(jobs)
        self._jobs = len(known)
        self._before = {job.index for job in known if job.status.final}
        self._failed: set[int] = set()

    def ended(self, job: Job) -> None:
        """Take a job that has ended. Raises TooManyFailures where it is one too many."""
        if job.index in self._before:
            self._before.discard(job.index)
            return
        self._failed.discard(job.index)
        if job.status is JobStatus.FAILED:
            self._failed.add(job.index)
        if self._limit.is_reached(len(self._failed), self._jobs):
            raise TooManyFailures(len(self._failed), self._limit)
