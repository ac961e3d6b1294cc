"""What a report tells, collected from a run's folder."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from sched_core.model.status import JobStatus

from ..reading.attempts import Attempt, attempts_of
from ..reading.states import is_interrupted, is_running, state_counts

if TYPE_CHECKING:
    from sched_core.model.resources import Resources
    from sched_core.runfolder import JobRecord, RunFile

    from ..reading.failuregroup import FailureGroup
    from ..reading.runfolder import RunFolder

__all__ = ["STATES", "Report", "read_report", "state_of"]

STATES = ("finished", "failed", "killed", "interrupted", "running", "waiting", "retried")
"""What an attempt can have come to. One that failed, and that another one follows, is retried."""


@dataclass(frozen=True)
class Report:
    """A run at one moment, as far as its folder tells."""

    folder: str
    """As one types it."""
    name: str
    run: RunFile
    driver: str | None
    """Who drives it; None where nobody does."""
    jobs: Mapping[int, JobRecord]
    attempts: Mapping[int, Sequence[Attempt]]
    failures: Sequence[FailureGroup] = ()
    now: float = field(default_factory=time.time)
    known_wishes: dict[str, Resources] = field(default_factory=dict)
    """What jobs ask for in all, by what they ask for by themselves."""

    def called(self, folder: str) -> Report:
        """Return the report as of a run in another folder: one that was moved, or is to be shown."""
        return replace(self, folder=folder, name=folder.rpartition("/")[2])

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many jobs are in each state."""
        return state_counts(self.jobs.values())

    @cached_property
    def all_attempts(self) -> list[Attempt]:
        """The attempts of all jobs, by job and number."""
        return [attempt for of_job in self.attempts.values() for attempt in of_job]

    @cached_property
    def last_attempts(self) -> list[Attempt]:
        """What became of each job in the end."""
        return [of_job[-1] for of_job in self.attempts.values() if of_job]

    @cached_property
    def begun(self) -> float:
        """When the first job could start: when the run was begun, if none ever could."""
        known = (a.queued or a.started for a in self.all_attempts)
        return min((at for at in known if at), default=self.run.created)

    @property
    def goes_on(self) -> bool:
        """Whether something of it waits or runs."""
        return bool(self.counts["waiting"] or self.counts["running"])

    @cached_property
    def until(self) -> float:
        """When the last job ended, or now."""
        if self.counts["running"]:
            return max(self.now, self.begun)
        ends = (a.ended or a.started or a.queued or 0.0 for a in self.all_attempts)
        return max(ends, default=self.begun)

    @property
    def took(self) -> float:
        """Seconds from the beginning to the last end, pauses between drivers included."""
        return max(0.0, self.until - self.begun)

    def end_of(self, attempt: Attempt) -> float:
        """When an attempt that has started ended; one that runs goes on until now."""
        if attempt.ended is not None:
            return attempt.ended
        return self.until if not attempt.status.final else attempt.started or self.begun

    def group_of_jobs(self) -> dict[int, FailureGroup]:
        """With what others each job failed."""
        return {index: group for group in self.failures for index in group.indexes}


def read_report(folder: RunFolder) -> Report:
    """Return what there is to report of a run. Blocks.

    Raises RunNotFound, RunCorrupt.
    """
    from sched_core.runfolder import read_journal

    from ..reading.failures import group_failures

    view = folder.read()
    attempts = attempts_of(read_journal(folder.files, folder.layout))
    failures = group_failures(view.jobs.values(), folder)
    name = folder.absolute.rpartition("/")[2]
    return Report(str(folder), name, view.run, view.driver, view.jobs, attempts, failures)


def state_of(attempt: Attempt, *, last: bool = True) -> str:
    """One of STATES."""
    if attempt.status in _ENDED:
        if not last or attempt.will_retry:
            return "retried"
        return "interrupted" if is_interrupted(attempt) else _ENDED[attempt.status]
    if attempt.status is JobStatus.FINISHED:
        return "finished"
    return "running" if is_running(attempt) and last else "waiting"


_ENDED = {JobStatus.FAILED: "failed", JobStatus.KILLED: "killed"}
