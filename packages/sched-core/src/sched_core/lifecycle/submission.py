"""From the queue to the engine: recorded first, never repeated blindly."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import anyio.lowlevel

from ..errors import EngineUnavailable, SchedError, SubmitOutcomeUnknown, SubmitRejected
from ..model.failure import Failure
from ..model.job import Job
from ..model.status import JobStatus
from ..ports import StoreUnavailable
from ..runfolder.submissions import AttemptId, Submission, write_submission
from .active import Active
from .files import Preparation

if TYPE_CHECKING:
    from .session import Session

__all__ = ["Submitter"]

log = logging.getLogger("sched")

_YIELD_EVERY = 500
"""Scripts that are written before others of the event loop have their turn."""


class Submitter:
    """Hands jobs to the engine, in batches where it can."""

    def __init__(self, session: Session) -> None:
        """Submit the jobs of that session."""
        self._session = session
        self._count = 0

    async def submit(self, jobs: Sequence[Job]) -> None:
        """Submit jobs that are QUEUED (or just created) and move them accordingly."""
        self.reserve(jobs)
        willing = await self._ask_hooks(jobs)
        if not willing:
            return
        submission = self._name_submission(willing)
        ready = await self._prepare(submission, willing)
        if not ready:
            return
        try:
            await self._call_engine(submission, ready)
        except Exception as error:
            log.exception("the scheduler %s failed at a submission", self._session.scheduler.name)
            self._session.fail(error)
            await self._give_up(ready)

    def reserve(self, jobs: Sequence[Job]) -> None:
        """Count jobs as on their way to the engine, unless they do already."""
        active, now = self._session.active, self._session.ports.monotonic()
        for job in jobs:
            if job.index not in active:
                active[job.index] = Active(job, job.attempt, now)

    # --- before the engine is called -------------------------------------------------------------

    async def _ask_hooks(self, jobs: Sequence[Job]) -> list[Job]:
        session = self._session
        if not session.hooks.has("on_job_submitting"):
            return list(jobs)
        willing = []
        for job in jobs:
            if False in await session.transitions.fire("on_job_submitting", job):
                job.failure, job.reason = Failure.CANCELLED, "a plugin did not want it submitted"
                await session.scheduler.transition_job_status(job, JobStatus.KILLED)
            elif not job.status.final:
                willing.append(job)
        return willing

    def _name_submission(self, jobs: Sequence[Job]) -> Submission:
        session = self._session
        self._count += 1
        epoch = session.lease.epoch if session.lease is not None else 0
        sid = f"{epoch:04x}{self._count:06x}{session.ports.random.getrandbits(24):06x}"
        return self.name(jobs, sid)

    def name(self, jobs: Sequence[Job], sid: str) -> Submission:
        """Give jobs that are reserved the submission of that id."""
        session = self._session
        name = f"{session.scheduler.jobname_prefix}-{session.run}-{sid}"
        tasks = tuple(AttemptId(job.index, job.attempt) for job in jobs)
        chunk = session.scheduler.chunk if session.by_hand is None else 1
        at = session.transitions.moment()
        submission = Submission(sid, name, session.scheduler.name, tasks, chunk, at)
        for job in jobs:
            session.submissions.bind(session.active[job.index], submission)
        return submission

    async def _prepare(self, submission: Submission, jobs: list[Job]) -> list[Job]:
        """Write everything down; return the jobs whose files could be made."""
        session = self._session
        try:
            preparations, jobs = await self._write_scripts(jobs)
            problems = await session.journal.flush_with(self._write, submission, preparations)
        except StoreUnavailable as error:
            for job in jobs:
                self._put_off(job, error)
            return []
        except Exception as error:
            if not isinstance(error, OSError | SchedError):
                log.exception("the scheduler %s failed to prepare jobs", session.scheduler.name)
            for job in jobs:
                self._return_to_queue(job)
            session.fail(error)
            return []
        ready = []
        for job, problem in zip(jobs, problems, strict=True):
            if problem is None:
                ready.append(job)
            elif isinstance(problem, StoreUnavailable):
                self._put_off(job, problem)
            else:
                await self._refuse(job, Failure.SETUP, f"its files cannot be made: {problem}")
        return ready

    async def _write_scripts(self, jobs: list[Job]) -> tuple[list[Preparation], list[Job]]:
        scheduler = self._session.scheduler
        preparations, writable = [], []
        for number, job in enumerate(jobs, 1):
            if number % _YIELD_EVERY == 0:
                await anyio.lowlevel.checkpoint()
            try:
                script = os.fsencode(scheduler.wrap_job_script(job))
            except Exception as error:
                # A host's own text for one job must not stop the others.
                log.exception("the wrapper script of job %d cannot be made", job.index)
                await self._refuse(job, Failure.SETUP, f"its script cannot be made: {error!r}")
                continue
            metadir, path = str(job.metadir), scheduler.script_path(job)
            task = AttemptId(job.index, job.attempt)
            preparations.append(Preparation(task, metadir, path, script))
            writable.append(job)
        return preparations, writable

    def _write(
        self, submission: Submission, preparations: list[Preparation]
    ) -> list[OSError | None]:
        session = self._session
        files = session.ports.files
        if not session.journal.is_kept:
            session.make_folders()
        write_submission(files, session.layout, submission)
        # In this order: a driver that takes over from now on finds the record.
        session.check_lease()
        return session.scheduler.store_scripts(submission, preparations)

    # --- the engine ------------------------------------------------------------------------------

    async def _call_engine(self, submission: Submission, jobs: list[Job]) -> None:
        session = self._session
        actives = [session.active[job.index] for job in jobs]
        for active in actives:
            active.seen = session.ports.monotonic()
        try:
            await session.scheduler.prepare(jobs)
            ids = await self._submit(submission, jobs)
        except SubmitRejected as error:
            for active in self._current(actives):
                await self._refuse(active.job, Failure.REJECTED, str(error), error.returncode)
        except EngineUnavailable as error:
            session.backoff.refused_jobs(error)
            for active in self._current(actives):
                self._return_to_queue(active.job)
        except SubmitOutcomeUnknown as error:
            session.warn(f"a submission's outcome is unknown, looking it up: {error}")
            session.reconciler.look_up(submission, [a.job for a in self._current(actives)])
        else:
            session.backoff.took_jobs()
            await self._accepted(actives, ids)

    def _current(self, actives: Iterable[Active]) -> Iterator[Active]:
        """Leave out what has ended, and may have its next attempt, since the engine was called."""
        return (a for a in actives if self._session.active.get(a.job.index) is a)

    async def _give_up(self, jobs: Sequence[Job]) -> None:
        """Deal with jobs of which the backend's own mistake leaves open how far they came.

        What can be fenced never starts; what cannot has started, and ends with the run.
        """
        session = self._session
        actives = [a for job in jobs if (a := session.active.get(job.index)) and not a.accepted]
        fenced = await session.reconciler.fence(actives)
        for active in actives:
            if active in fenced:
                self.supersede(active)
                session.enqueue(active.job)
            else:
                await self.accept(active, None)

    async def _submit(
        self, submission: Submission, jobs: list[Job]
    ) -> Mapping[AttemptId, str | None]:
        scheduler = self._session.scheduler
        if scheduler.submits_in_bulk() and self._session.by_hand is None:
            return await scheduler.submit_jobs(jobs, submission)
        (job,) = jobs
        return {AttemptId(job.index, job.attempt): str(await scheduler.submit_job(job))}

    async def _accepted(
        self, actives: Iterable[Active], ids: Mapping[AttemptId, str | None]
    ) -> None:
        for active in self._current(actives):
            attempt = active.id
            if attempt in ids:
                await self.accept(active, ids[attempt])
            else:
                self._return_to_queue(active.job)

    async def accept(self, active: Active, jid: str | None) -> None:
        """Note that the engine has the job, unless the job was faster than the engine's answer."""
        active.accepted = True
        active.job.jid = jid or active.job.jid
        if active.job.status in (JobStatus.INIT, JobStatus.QUEUED):
            await self._session.scheduler.transition_job_status(active.job, JobStatus.SUBMITTED)

    async def _refuse(self, job: Job, failure: Failure, reason: str, rc: int | None = None) -> None:
        job.failure = failure
        await self._session.scheduler.transition_job_status(
            job, JobStatus.FAILED, rc=rc, error_msg=reason
        )

    def release(self, active: Active) -> None:
        """Let go of an attempt that certainly did not start; it is for the queue again."""
        job = active.job
        self._session.let_go(job)
        if job.status is not JobStatus.QUEUED:
            job.status, job.submitted = JobStatus.QUEUED, None
            self._session.journal.note_state(job)

    def resubmit(self, active: Active) -> None:
        """Put an attempt that certainly did not start into the queue again."""
        self.release(active)
        self._session.enqueue(active.job)

    def supersede(self, active: Active) -> None:
        """Have a job's next attempt wait in place of one that was fenced: that number is used."""
        session, job = self._session, active.job
        session.let_go(job)
        session.retries.next_attempt(job, charged=False)
        job.queued = session.transitions.moment()
        if job.status is not JobStatus.QUEUED:
            job.status = JobStatus.QUEUED
        session.journal.note_state(job)

    def _return_to_queue(self, job: Job) -> None:
        """Have a job that the engine certainly did not take wait on, under the same attempt."""
        self._session.let_go(job)
        if job.status is JobStatus.QUEUED:
            self._session.enqueue(job)

    def _put_off(self, job: Job, error: StoreUnavailable) -> None:
        """Have a job wait until its files can be made: the store cannot be used now."""
        backoff = self._session.backoff
        if backoff.submissions_until <= self._session.ports.monotonic():
            backoff.refused_jobs(EngineUnavailable(str(error)))
        self._return_to_queue(job)
