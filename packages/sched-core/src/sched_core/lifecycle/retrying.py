"""Whether another attempt follows, on whose account, and with what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..model.failure import Failure
from ..model.job import Job
from ..model.resources import Resources
from ..model.status import JobStatus
from ..scheduler.wishes import change_resources
from .backoff import delay_after

if TYPE_CHECKING:
    from .session import Session

__all__ = ["Retries"]


class Retries:
    """Decides about further attempts of jobs, and counts them."""

    def __init__(self, session: Session) -> None:
        """Decide about the jobs of that session."""
        self._session = session

    def may_follow(self, job: Job, failure: Failure) -> bool:
        """Tell whether a job that has failed like this is to be tried again."""
        session = self._session
        if job.index in session.unwanted:
            return False
        if session.scheduler.next_amount(job, failure) is not None:
            return True
        wanted = job.error_retry
        if wanted is None:
            wanted = session.scheduler.error_strategy == "retry"
        wanted = wanted or self._never_began(job, failure)
        if not wanted or not failure.retriable:
            return False
        if failure.infrastructure:
            return job.infrastructure_retries < session.scheduler.infrastructure_retries
        limit = session.scheduler.num_retries if job.num_retries is None else job.num_retries
        return job.trial_count < limit

    def _never_began(self, job: Job, failure: Failure) -> bool:
        """Tell whether the job's record says that its engine was away: no fault of the command."""
        active = self._session.active.get(job.index)
        return failure is Failure.UNAVAILABLE and active is not None and active.recorded

    async def retry(self, job: Job) -> None:
        """Put a job that has ended into the queue once more, as a new attempt."""
        session = self._session
        session.revive(job)
        self.next_attempt(job)
        await session.transitions.move(job, JobStatus.QUEUED)
        if job.index not in session.unwanted:
            session.enqueue(job, self._delay(job))
        elif job.status is JobStatus.QUEUED:
            job.failure = Failure.CANCELLED
            await session.transitions.move(job, JobStatus.KILLED)

    async def reopen(self, job: Job, resources: Resources | None = None) -> None:
        """Have a job that ended for good tried once more, on nobody's account.

        `resources` are what it gets in place of what it asked for. Raises OptionError where the
        backend cannot promise them; then nothing has happened.
        """
        session = self._session
        session.secrets.require(job)
        if resources is not None:
            change_resources(session.scheduler, job, resources)
            session.journal.note_job(job)
        session.revive(job)
        session.unwanted.discard(job.index)
        session.cut_short.discard(job.index)
        raised = job.raised
        self.next_attempt(job, charged=False)
        if resources is not None:
            job.raised = raised  # it gets what was asked for now
        job.trial_count = 0
        await session.scheduler.transition_job_status(job, JobStatus.QUEUED)
        session.enqueue(job)

    def next_attempt(self, job: Job, *, charged: bool = True) -> None:
        """Count a new attempt, on the account of whom the last one failed for.

        One that gets more of what the last one had too little of is on nobody's.
        """
        raised = self._session.scheduler.raise_resources(job)
        if charged and job.failure is not None and job.failure.infrastructure:
            job.infrastructure_retries += 1
        elif charged and not raised:
            job.trial_count += 1
        self._session.transitions.forget(job)
        job.attempt += 1
        job.restart = 0
        job.rc = job.failure = job.jid = job.host = None
        job.queued = job.submitted = job.started = job.ended = None
        job.cpu = job.max_rss = None
        job.reason = ""
        job.will_retry = False

    def _delay(self, job: Job) -> float:
        retries = job.infrastructure_retries
        return delay_after(retries, self._session.ports.random) if retries else 0.0
