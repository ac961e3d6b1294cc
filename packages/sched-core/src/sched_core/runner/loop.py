"""What goes on behind the runner's block."""

from __future__ import annotations

import logging
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ..model.status import JobStatus
from ..runfolder import AttemptId
from .listening import listen
from .pump import Pump
from .rounds import ask_engine, beat, fire_polling_hooks, keep_flushed, read_spool
from .stopping import Stopping
from .tasks import Tasks

if TYPE_CHECKING:
    from ..lifecycle.session import Session
    from ..scheduler import Observation

__all__ = ["Loop"]

log = logging.getLogger("sched")


class Loop:
    """Submits what waits, takes in what is seen, and has the rest done in tasks of their own."""

    def __init__(self, session: Session) -> None:
        """Drive that session."""
        self._session = session
        self.tasks = Tasks(session, self._stop)
        self.pump = Pump(session, self.tasks)
        self.stopping = Stopping(session, self.tasks, self.pump)
        # Neither changes while a run is open.
        self._concurrent = session.hooks.any_for_jobs() or session.mirror is not None

    async def __aenter__(self) -> Self:
        await self.tasks.__aenter__()
        session, spawn = self._session, self.tasks.spawn
        session.killer.spawn = spawn
        spawn(self._drive)
        spawn(keep_flushed, session)
        spawn(self._watch)
        spawn(ask_engine, session)
        if session.scheduler.events == "always":
            spawn(read_spool, session)
        spawn(listen, session)
        if session.lease is not None:
            spawn(beat, session, session.lease)
        if session.mirror is not None:
            spawn(session.mirror.keep_in_step)
        # What was being killed when an earlier driver died; it may take until the engine listens.
        dying = [a.job for a in session.active.values() if a.job.status is JobStatus.KILLING]
        if dying:
            spawn(session.killer.tell_engine, dying)
        if session.hooks.has("on_job_polling"):
            spawn(fire_polling_hooks, session)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        return await self.tasks.__aexit__(exc_type, exc, traceback)

    async def _stop(self) -> None:
        await self.stopping.stop()

    async def _drive(self) -> None:
        session = self._session
        while True:
            await self._take_in()
            self.pump.send()
            if session.halted is not None:
                self.stopping.halt()
            await session.sleep(self.pump.until_next())

    async def _watch(self) -> None:
        await self._session.scheduler.watch(self._session.report)

    async def _take_in(self) -> None:
        inbox = self._session.inbox
        while inbox:
            if self._concurrent:
                self._observe_side_by_side()
            else:
                await self._observe(*inbox.popleft())

    def _observe_side_by_side(self) -> None:
        """Look at each attempt in a task of its own, at what was seen of one in its order: tasks that
        are spawned together may run in any.
        """
        inbox = self._session.inbox
        told: dict[AttemptId, list[Observation]] = {}
        while inbox:
            attempt, seen = inbox.popleft()
            told.setdefault(attempt, []).append(seen)
        for attempt, seens in told.items():
            self.tasks.spawn(self._observe_all, attempt, seens)

    async def _observe_all(self, attempt: AttemptId, seens: list[Observation]) -> None:
        for seen in seens:
            await self._observe(attempt, seen)

    async def _observe(self, attempt: AttemptId, seen: Observation) -> None:
        try:
            await self._session.evidence.observe(attempt, seen)
        except Exception as error:
            # One job's trouble ends the run, but not this loop: it sees the others' ends.
            log.exception("what was seen of job %d cannot be taken in", attempt.job_index)
            self._session.fail(error)
