"""Which jobs a run takes, and how one comes into it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import anyio.lowlevel

from ..errors import CommandError, RunClosed, RunExists
from ..model.job import Job
from ..model.status import JobStatus
from .matching import RecordedJobs
from .opening import current_directory
from .stopping import what_stopped

if TYPE_CHECKING:
    from ..lifecycle.session import Session
    from ..runfolder import JobRecord

__all__ = ["Feeding"]

_YIELD_EVERY = 64
"""Jobs after which feeding lets others run, so that the first one starts while the rest is fed."""


class Feeding:
    """Takes jobs into a run, and finds those that it has already."""

    def __init__(self, session: Session) -> None:
        """Take jobs into the run of that session."""
        self._session = session
        self._recorded = RecordedJobs()
        self._earlier: dict[int, int] = {}
        self._fed = 0
        self.next_index = 0
        """The index of the next job that names none of its own."""

    def recall(self, jobs: Iterable[Job], earlier: Mapping[int, JobRecord]) -> None:
        """Let jobs that the run has be found; `earlier` are those of lists before this one."""
        for job in jobs:
            self._recorded.add(job)
            self.next_index = max(self.next_index, job.index + 1)
        self._earlier = {index: record.attempt for index, record in earlier.items()}

    def check_open(self) -> None:
        """See that the run takes jobs, and from here.

        Raises RunClosed, or what stops the run; RunExists where the same relative paths mean other
        files than for the jobs that the run has.
        """
        session = self._session
        if not session.feeding or session.closing:
            why = RunClosed("the run takes no more jobs: feeding was stopped")
            raise what_stopped(session) or why
        if session.scheduler.job_cwd() is None and session.directory != current_directory():
            raise RunExists(
                f"the run in {session.scheduler.workdir} was begun in {session.directory}; feed it "
                "from there, or give the commands' folder (cwd)"
            )

    def find(self, job: Job) -> Job | None:
        """Return the job of the run that this one is, once for each; None where it is a new one."""
        if (known := self._recorded.take(job)) is not None:
            self._session.secrets.renew(known, job)
        return known

    async def add(self, job: Job) -> Job:
        """Take a new job in, and put it into the queue. Raises CommandError."""
        session = self._session
        self._check(job)
        await session.added(job)
        self.next_index = max(self.next_index, job.index + 1)
        if (earlier := self._earlier.get(job.index)) is not None:
            job.attempt = earlier + 1
        session.journal.note_job(job)
        session.expect(job)
        await session.scheduler.transition_job_status(job, JobStatus.QUEUED)
        session.enqueue(job)
        self._fed += 1
        if self._fed % _YIELD_EVERY == 0:
            await anyio.lowlevel.checkpoint()
        return job

    def _check(self, job: Job) -> None:
        workdir = self._session.layout.workdir
        if not job.cmd:
            raise CommandError(f"job {job.index} has no command yet: fill it in before it is fed")
        if job.status is not JobStatus.INIT:
            raise CommandError(f"job {job.index} was fed before: it is {job.status.name}")
        if str(job.workdir) != workdir:
            raise CommandError(
                f"job {job.index} was made for the run in {job.workdir}, "
                f"and this one is in {workdir}: make jobs when the folder is settled"
            )
