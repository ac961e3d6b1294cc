"""A scheduler that no runner drives: it goes round whenever one of its methods is called."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from ..errors import RunHalted
from ..model.job import Job
from ..model.status import JobStatus

if TYPE_CHECKING:
    from .session import Session

__all__ = ["ByHand"]

_STEP = 0.05


class ByHand:
    """Does, on call, what the runner's loop does by itself."""

    def __init__(self, session: Session) -> None:
        """Drive that session."""
        self._session = session
        self._stack: AsyncExitStack | None = None

    async def open(self) -> None:
        """Open the backend, once."""
        if self._stack is None:
            stack = AsyncExitStack()
            await stack.enter_async_context(self._session.scheduler.open())
            self._stack = stack

    async def close(self) -> None:
        """Close the backend, if it was opened."""
        if self._stack is not None:
            stack, self._stack = self._stack, None
            await stack.aclose()
            if self._session.mirror is not None:
                await self._session.mirror.finish()
        await self._session.secrets.tidy()

    async def go_round(self) -> None:
        """Take in what the engine and the jobs have told, and submit what is to be tried again.

        Raises RunHalted, and what else has stopped the run.
        """
        session = self._session
        await self.open()
        await session.scheduler.poll()
        await self._take_in()
        if session.scheduler.events == "always":
            await session.reconciler.read_spool()
        if session.mirror is not None:
            await session.mirror.look()
        await self._submit_waiting()
        await self.raise_what_stopped()

    async def settle(self, jobs: Sequence[Job]) -> None:
        """Wait until those that are being killed have ended."""
        session = self._session
        while dying := [job for job in jobs if job.status is JobStatus.KILLING]:
            await session.scheduler.poll()
            await self._take_in()
            await session.reconciler.reconcile(dying)
            await session.change(_STEP)

    async def raise_what_stopped(self) -> None:
        """Raise what a runner's block would raise."""
        session = self._session
        if session.failure is not None:
            raise session.failure
        if session.halted is not None and session.scheduler.halt == "soon":
            await session.killer.kill_unbegun()
            if not session.active:
                raise RunHalted(session.halted)
        elif session.halted is not None:
            running = [active.job for active in session.active.values()]
            await session.killer.kill([job for job in running if job.status.active])
            await self.settle(running)
            raise RunHalted(session.halted)

    async def _take_in(self) -> None:
        inbox = self._session.inbox
        while inbox:
            attempt, seen = inbox.popleft()
            await self._session.evidence.observe(attempt, seen)

    async def _submit_waiting(self) -> None:
        session = self._session
        now = session.ports.monotonic()
        session.waiting.due(now)
        while not session.closing and (room := session.scheduler.forks - len(session.active)) > 0:
            batch = session.waiting.take(room, 1, now)
            if not batch:
                return
            await session.submitter.submit(batch)
