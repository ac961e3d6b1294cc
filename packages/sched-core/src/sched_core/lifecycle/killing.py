"""Killing jobs: what waits can never start any more, what runs is ended by the engine."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TypeAlias

import anyio

from ..errors import EngineUnavailable
from ..model.failure import Failure
from ..model.job import Job
from ..model.status import JobStatus

if TYPE_CHECKING:
    from .active import Active
    from .session import Session

__all__ = ["Killer"]

log = logging.getLogger("sched")

_ASK_AGAIN_AFTER = 2.0
_REMIND_AFTER = 5.0
"""Seconds after which a job should have ended that an engine is told again to end it."""


class _Batch:
    """Attempts that are ended together."""

    def __init__(self) -> None:
        self.active: dict[int, Active] = {}
        self.told = anyio.Event()

    def add(self, active: Iterable[Active]) -> None:
        self.active.update((entry.job.index, entry) for entry in active)


Spawn: TypeAlias = Callable[[Callable[[_Batch], Awaitable[None]], _Batch], None]


class Killer:
    """Kills jobs wherever they are."""

    def __init__(self, session: Session) -> None:
        """Kill jobs of that session."""
        self._session = session
        self._gathered: _Batch | None = None
        self.spawn: Spawn | None = None
        """Starts a task of the run; None where nobody drives it."""

    async def kill(self, jobs: Sequence[Job], *, ask: bool = True) -> None:
        """Kill jobs and return when the engine was told to; their ends are seen later.

        A plugin's `on_job_killing` may keep a job alive, where it is asked. An engine that cannot
        be told now is told again until it can, also when nobody waits for it any longer.
        """
        willing = [job for job in jobs if await self._may_kill(job, ask)]
        if ask:
            self._want_no_more(jobs, willing)
        for job in willing:
            if not job.status.active:
                await self._kill_waiting(job)
        if active := [a for job in willing if (a := self._active(job)) is not None]:
            await self._end_together(active)

    async def kill_unbegun(self) -> None:
        """Kill what is only in the engine's queue: a resumed run goes on with it. What runs is left."""
        session = self._session
        submitted = [a for a in session.active.values() if a.job.status is JobStatus.SUBMITTED]
        fenced = await session.reconciler.fence([a for a in submitted if a.job.started is None])
        session.interrupted_before.update(a.job.index for a in fenced)
        await self.kill([a.job for a in fenced], ask=False)

    async def _end_together(self, active: Sequence[Active]) -> None:
        """End these with all that others kill at this moment: thousands of kills are one for the engine."""
        batch = self._gathered or _Batch()
        batch.add(active)
        if self.spawn is None:
            await self._end_batch(batch)
            return
        if self._gathered is None:
            self._gathered = batch
            self.spawn(self._end_batch, batch)
        await batch.told.wait()

    async def _end_batch(self, batch: _Batch) -> None:
        self._gathered = None
        try:
            active = [a for a in batch.active.values() if self._active(a.job) is a]
            for entry in active:
                await self._move(entry.job, JobStatus.KILLING)
            if active:
                await self._flush()
                await self._end(active)
        finally:
            batch.told.set()

    async def _flush(self) -> None:
        try:
            # What another driver has taken over is not for this one to kill.
            await self._session.journal.flush_with(self._session.check_lease)
        except OSError as error:
            # A full disk must not keep anything alive.
            self._session.warn(f"that jobs are killed cannot be recorded: {error}")

    def _want_no_more(self, jobs: Sequence[Job], willing: Sequence[Job]) -> None:
        """Have no further attempt made: what is to be killed may fail first."""
        session = self._session
        for job in filter(session.goes_on, jobs):
            # It ends with the run, or has done so: now it is not to go on with the run either.
            session.unwanted.add(job.index)
            if job.status.final:
                session.journal.note_state(job)
        failing = [job for job in jobs if job.status is JobStatus.FAILED]
        for job in [*willing, *failing]:
            if not session.is_done(job):
                session.unwanted.add(job.index)
                session.interrupted_before.discard(job.index)
                job.will_retry = False

    async def _may_kill(self, job: Job, ask: bool) -> bool:
        if job.status.final or job.status is JobStatus.KILLING or self._is_gathered(job):
            return False
        if not self._session.hooks.has("on_job_killing"):
            return True
        answers = await self._session.transitions.fire("on_job_killing", job)
        return not (ask and False in answers) and not job.status.final

    async def _kill_waiting(self, job: Job) -> None:
        """Kill a job that the engine does not have. One on its way there is waited for."""
        while job.index in self._session.active and not job.status.active:
            if job.status.final:
                return
            await self._session.change(0.05)
        if not job.status.active and not job.status.final:
            # Its files are written before its state changes: it must not leave meanwhile.
            self._session.waiting.drop(job)
            job.failure = Failure.CANCELLED
            await self._move(job, JobStatus.KILLED)

    def _is_gathered(self, job: Job) -> bool:
        return self._gathered is not None and job.index in self._gathered.active

    def _active(self, job: Job) -> Active | None:
        if not job.status.active or job.status is JobStatus.KILLING:
            return None
        return self._session.active.get(job.index)

    async def _end(self, active: Sequence[Active]) -> None:
        """Fence what has not started, and have the engine end the rest."""
        session = self._session
        withdrawn = await session.scheduler.withdraw_jobs([a.job for a in active])
        waiting = [a for a in active if a.job.started is None and a.id not in withdrawn]
        fenced = {a.id for a in await session.reconciler.fence(waiting)}
        await self.tell_engine([a.job for a in active if a.id not in withdrawn])
        for entry in active:
            if entry.id in withdrawn or entry.id in fenced:
                entry.job.failure, entry.job.reason = Failure.CANCELLED, ""
                await self._move(entry.job, JobStatus.KILLED)

    async def tell_engine(self, jobs: Sequence[Job]) -> None:
        """Tell the engine to end these jobs, again and again until it listens."""
        session = self._session
        while jobs := [job for job in jobs if not job.status.final]:
            if session.ousted:
                return
            try:
                await session.scheduler.kill_jobs(jobs)
                self._note_told(jobs)
                break
            except EngineUnavailable as error:
                session.backoff.refused(error)
                session.warn(f"{session.scheduler.name} cannot kill now, trying again: {error}")
                await session.ports.sleep(error.retry_after or _ASK_AGAIN_AFTER)
            except Exception as error:
                log.exception("the scheduler %s failed at a kill", session.scheduler.name)
                session.fail(error)
                return

    def _note_told(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            active = self._session.active.get(job.index)
            if active is not None:
                active.told = self._session.ports.monotonic()

    async def remind(self) -> None:
        """Tell the engine once more to end what should have ended: it may have lost the order."""
        session = self._session
        if not session.scheduler.outlives_driver:
            return
        before = session.ports.monotonic() - session.scheduler.time_to_end() - _REMIND_AFTER
        late = [a.job for a in session.active.values() if a.told is not None and a.told <= before]
        if late := [job for job in late if job.status is JobStatus.KILLING]:
            try:
                await session.scheduler.kill_jobs(late)
            except EngineUnavailable as error:
                session.backoff.refused(error)
                session.warn(f"{session.scheduler.name} cannot kill now, trying again: {error}")
            else:
                self._note_told(late)

    async def _move(self, job: Job, status: JobStatus) -> None:
        if not job.status.final:
            await self._session.scheduler.transition_job_status(job, status)
