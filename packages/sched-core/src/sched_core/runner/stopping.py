"""How a run comes to its end before all of its jobs have ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import anyio

from ..errors import RunClosed, RunHalted
from ..model.job import Job
from ..model.status import JobStatus
from ..runfolder import AttemptId

if TYPE_CHECKING:
    from ..lifecycle.session import Session
    from .pump import Pump
    from .tasks import Tasks

__all__ = ["Stopping", "raise_what_stopped", "what_stopped"]

_STEP = 0.1
_MARGIN = 10.0
"""Seconds that ends may take to be seen after the grace period."""


class Stopping:
    """Ends a run once, however many ask for it."""

    def __init__(self, session: Session, tasks: Tasks, pump: Pump) -> None:
        """End the run of that session."""
        self._session, self._tasks, self._pump = session, tasks, pump
        self._begun = self._draining = self._killed = False
        self._done = anyio.Event()
        self._leaving = False
        self.left: list[Job] = []
        """Jobs that may still run after the run was stopped."""

    def leave(self) -> None:
        """Do not wait any longer for what still runs."""
        self._leaving = True
        self._session.notify()

    def halt(self) -> None:
        """Stop after a failure, as the scheduler's `halt` says."""
        if self._session.scheduler.halt == "soon":
            self.drain()
        elif not self._begun:
            self._tasks.spawn(self.stop)

    def drain(self) -> None:
        """Submit nothing more and take back what has not begun; what runs ends by itself."""
        if not (self._begun or self._draining):
            self._draining = self._session.closing = True
            self._tasks.spawn(self._take_back)

    async def stop(self) -> None:
        """Submit nothing more, kill what runs, and wait for it, within the grace period."""
        await self._stop(self._end_all)

    async def part(self) -> None:
        """Submit nothing more, and leave what runs to the engine and to whoever goes on with the run."""
        await self._stop(self._withdraw)

    async def _stop(self, end: Callable[[], Awaitable[None]]) -> None:
        session = self._session
        if self._begun:
            await self._done.wait()
            return
        self._begun = session.closing = session.stopping = True
        try:
            await end()
        finally:
            self.left = [active.job for active in session.active.values()]
            session.abandoned = True
            self._done.set()
            session.notify()

    async def _take_back(self) -> None:
        session = self._session
        await self._withdraw()
        session.notify()
        # What is on its way to the engine, or was started unseen, is known later.
        while not (self._begun or session.ousted) and self._may_begin():
            await session.killer.kill_unbegun()
            await session.ports.sleep(session.scheduler.poll_interval[0])

    def _may_begin(self) -> bool:
        return any(a.job.status < JobStatus.RUNNING for a in self._session.active.values())

    async def _end_all(self) -> None:
        self._session.interrupted = True
        async with anyio.create_task_group() as group:
            group.start_soon(self._kill_all)
            await self._wait_for_ends()
            group.cancel_scope.cancel()

    async def _withdraw(self) -> None:
        """Take back what no engine has begun; what is being submitted is waited for."""
        session = self._session
        if session.ousted:
            # The jobs are the other driver's now: it has found them by their claims.
            self.leave()
            return
        while self._pump.submitting and not self._leaving:
            await session.change(_STEP)
        jobs = [active.job for active in session.active.values()]
        withdrawn = await session.scheduler.withdraw_jobs(jobs)
        for job in jobs:
            active = session.active.get(job.index)
            if active is not None and AttemptId(job.index, job.attempt) in withdrawn:
                session.submitter.release(active)

    async def _kill_all(self) -> None:
        session = self._session
        await self._withdraw()
        if not session.ousted:
            await session.killer.kill([a.job for a in session.active.values()], ask=False)
        self._killed = True
        session.notify()

    async def _wait_for_ends(self) -> None:
        session = self._session
        until = session.ports.monotonic() + session.scheduler.time_to_end() + _MARGIN
        # A job's record may be there while processes that it has left behind are still being ended.
        while session.active or self._pump.submitting or not self._killed:
            left = until - session.ports.monotonic()
            if self._leaving or session.ousted or left <= 0:
                return
            await session.change(min(left, _STEP))


def raise_what_stopped(session: Session) -> None:
    """Raise what keeps the run from ever ending its jobs, once nothing runs any more."""
    if not session.closing or (session.active and not (session.abandoned or session.ousted)):
        return
    why = what_stopped(session)
    if why is None and session.unfinished:
        why = RunClosed("the run was cancelled before all its jobs had ended")
    if why is not None:
        raise why


def what_stopped(session: Session) -> BaseException | None:
    """Return why the run stops, None where it does not, or was cancelled."""
    return session.failure if session.halted is None else RunHalted(session.halted)
