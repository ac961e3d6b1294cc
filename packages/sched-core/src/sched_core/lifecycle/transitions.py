"""Moves of jobs from state to state: the only place where one changes."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING

import anyio

from ..errors import HookError
from ..model.failure import Failure
from ..model.job import Job
from ..model.status import JobStatus, steps_between
from .files import append_text

if TYPE_CHECKING:
    from .session import Session

__all__ = ["Transitions"]

log = logging.getLogger("sched")

_HOOK_OF = {
    JobStatus.QUEUED: "on_job_queued",
    JobStatus.SUBMITTED: "on_job_submitted",
    JobStatus.RUNNING: "on_job_started",
    JobStatus.FINISHED: "on_job_succeeded",
    JobStatus.FAILED: "on_job_failed",
    JobStatus.KILLED: "on_job_killed",
}


class Transitions:
    """Moves jobs, fires their hooks, and sees to what follows from their ends."""

    def __init__(self, session: Session) -> None:
        """Move the jobs of that session."""
        self._session = session
        self._moving: dict[int, anyio.Event | None] = {}
        self._fired: dict[int, set[str]] = {}

    async def move(
        self,
        job: Job,
        new: JobStatus,
        rc: int | str | None = None,
        error_msg: str | None = None,
        is_killed: bool = False,
    ) -> None:
        """Move a job, filling in what was skipped, then see to what follows from it."""
        if is_killed and new.final:
            new = JobStatus.KILLED
        waited = await self._begin(job)
        try:
            if waited and job.status.final and new in (JobStatus.KILLING, JobStatus.KILLED):
                return  # it has ended first
            steps = steps_between(job.status, new)
            await self._record(job, rc, error_msg)
            if new.final:
                await self._publish(job)
            await self._pass_through(job, steps)
        finally:
            self._end(job)
        if job.status.final:
            await self._settle(job)

    def resumed(self, job: Job) -> None:
        """Take it that the hooks of the states which the attempt has reached have been fired."""
        reached = (hook for status, hook in _HOOK_OF.items() if status <= job.status)
        self._fired[job.index] = set(reached)

    def forget(self, job: Job) -> None:
        """Have all hooks fire again, for the job's next attempt."""
        self._fired.pop(job.index, None)

    # --- one move at a time for each job ---------------------------------------------------------

    async def _begin(self, job: Job) -> bool:
        """Have this move be the only one of the job; tell whether another one was waited for."""
        waited = False
        while job.index in self._moving:
            waited = True
            waiting = self._moving[job.index]
            if waiting is None:
                waiting = self._moving[job.index] = anyio.Event()
            await waiting.wait()
        self._moving[job.index] = None
        return waited

    def _end(self, job: Job) -> None:
        waiting = self._moving.pop(job.index)
        if waiting is not None:
            waiting.set()

    async def _pass_through(self, job: Job, steps: tuple[JobStatus, ...]) -> None:
        for step in steps[:-1]:
            await self._enter(job, step)
        last = steps[-1]
        if last is JobStatus.FINISHED and not await self._verified(job):
            last = JobStatus.FAILED
        if last.final:
            await self._conclude(job, last)
        await self._enter(job, last)

    def is_moving(self, index: int) -> bool:
        """Tell whether a move of that job waits for something."""
        return index in self._moving

    def arrive(self, job: Job, step: JobStatus) -> None:
        """Have a job be in a state, and record it."""
        job.status = step
        if step is JobStatus.QUEUED:
            job.queued = job.queued or self._since(job)
        elif step is JobStatus.SUBMITTED:
            job.submitted = job.submitted or self._since(job)
        self._session.journal.note_state(job)
        if log.isEnabledFor(logging.DEBUG):
            log.debug("job %d is %s", job.index, step.name, extra=self._session.log_fields(job))

    def _since(self, job: Job) -> float:
        """Tell since when the job waits: since its submission was recorded, where it has one. The
        engine may have started it before it said that it has it.
        """
        active = self._session.active.get(job.index)
        submission = None if active is None else active.submission
        recorded_at = None if submission is None else submission.recorded_at
        return self.moment() if recorded_at is None else recorded_at

    def moment(self) -> float:
        """Tell the time to the millisecond, since the journal says it again and again; never a later
        one, so that what follows within it stays what follows.
        """
        return math.floor(self._session.ports.now() * 1000) / 1000

    async def _enter(self, job: Job, step: JobStatus) -> None:
        self.arrive(job, step)
        hook = _HOOK_OF.get(step)
        if hook is not None and self._session.hooks.has(hook):
            await self.fire(hook, job)

    async def fire(self, hook: str, job: Job) -> list[object]:
        """Fire a hook about a job, once an attempt: it may be submitted or started again.

        Whether it may be killed is asked each time. Where hooks are to raise, the run stops, never
        the job.
        """
        fired = self._fired.setdefault(job.index, set())
        if hook in fired:
            return []
        if hook != "on_job_killing":
            fired.add(hook)
        try:
            return await self._session.hooks.fire(hook, scheduler=self._session.scheduler, job=job)
        except HookError as error:
            self._session.fail(error)
            return []

    async def _verified(self, job: Job) -> bool:
        if not self._session.hooks.has("on_job_verify"):
            return True
        complaints = [said for said in await self.fire("on_job_verify", job) if said]
        if not complaints:
            return True
        job.failure, job.reason = Failure.OUTPUT, str(complaints[0])
        return False

    async def _conclude(self, job: Job, last: JobStatus) -> None:
        """Fill in what every job that has ended has."""
        session = self._session
        job.ended = job.ended or session.ports.now()
        if last is JobStatus.FINISHED:
            job.rc = 0 if job.rc is None else job.rc
        elif last is JobStatus.KILLED:
            job.failure = job.failure or Failure.CANCELLED
        else:
            job.failure = job.failure or Failure.EXIT
            again = session.retries.may_follow(job, job.failure)
            job.will_retry = again and not session.closing
            if again and session.closing:
                session.cut_short.add(job.index)
        active = session.active.get(job.index)
        recorded = active is not None and active.recorded and job.failure is not Failure.OUTPUT
        if last is JobStatus.KILLED and self._is_spared(job):
            return
        if last is JobStatus.KILLED or not recorded:
            await session.ports.offload(self._write_copies, job, last)
            await self._publish(job)

    def _is_spared(self, job: Job) -> bool:
        """Tell whether a job that never began is to leave nothing where each file is a request."""
        session = self._session
        dear = session.ports.files.interval > 0 and session.mirror is None
        return dear and job.started is None

    async def _publish(self, job: Job) -> None:
        """Have what the job left be where everybody finds it, before anybody is told of its end."""
        if self._session.mirror is not None:
            await self._session.mirror.publish(job)

    def _write_copies(self, job: Job, status: JobStatus) -> None:
        """Write the copies for people and hosts, where the wrapper did not. Never essential."""
        files, metadir = self._session.ports.files, str(job.metadir)
        try:
            files.make_folder(metadir)
            files.write(f"{metadir}/job.status", str(int(status)).encode())
            if job.rc is not None:
                files.write(f"{metadir}/job.rc", f"{job.rc}\n".encode())
        except OSError as error:
            self._session.warn(f"the records of job {job.index} cannot be written: {error}")

    async def _record(self, job: Job, rc: int | str | None, error_msg: str | None) -> None:
        if rc is not None:
            job.rc = int(rc)
        if error_msg:
            error_msg = self._session.secrets.redactor.redact(error_msg)
            job.reason = error_msg
            path = f"{job.metadir}/job.stderr"
            files = self._session.ports.files
            try:
                await self._session.ports.offload(append_text, files, path, f"{error_msg}\n")
            except OSError as error:
                self._session.warn(f"job {job.index}: {error_msg} (not in its stderr: {error})")

    def _goes_on(self, job: Job) -> bool:
        """Tell whether the job was killed only because the run was interrupted."""
        session = self._session
        interrupted = job.index in session.interrupted_before and not session.closing
        return interrupted and job.status is JobStatus.KILLED

    async def _settle(self, job: Job) -> None:
        session = self._session
        session.let_go(job)
        self.forget(job)
        session.scheduler.attempt_ended(job)
        if job.status is JobStatus.FAILED:
            session.journal.note_state(job)  # a plugin may have changed whether it is retried
        if job.status is JobStatus.FAILED and job.will_retry:
            await session.scheduler.retry_job(job)
        elif self._goes_on(job):
            session.interrupted_before.discard(job.index)
            session.retries.next_attempt(job, charged=False)
            await self.move(job, JobStatus.QUEUED)
            session.enqueue(job)
        else:
            session.ended(job)
