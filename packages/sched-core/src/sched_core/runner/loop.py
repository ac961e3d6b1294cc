"""What goes on behind the runner's block, in one task group."""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVarTuple

import anyio
from anyio.abc import TaskGroup

from ..errors import RunLocked
from ..lifecycle.pace import Pace
from ..lifecycle.room import full_batch, room_for_jobs
from ..model.job import Job
from ..model.status import JobStatus
from ..ports import StoreUnavailable
from ..runfolder import HEARTBEAT_INTERVAL, AttemptId
from .listening import listen

if TYPE_CHECKING:
    from ..lifecycle.session import Session
    from ..scheduler import Observation

__all__ = ["Loop"]

Args = TypeVarTuple("Args")

log = logging.getLogger("sched")

_FLUSH_INTERVAL = 0.25
_HOOK_INTERVAL = 1.0
_TICK = 0.1
"""Seconds of one tick of `recheck_interval`."""
_STOP_MARGIN = 10.0
"""Seconds that ends may take to be seen after the grace period."""
_SHORTEST = 0.001


class Loop:
    """Submits what waits, takes in what is seen, and keeps the run's records."""

    def __init__(self, session: Session) -> None:
        """Drive that session."""
        self._session = session
        self._group: TaskGroup = anyio.create_task_group()
        self._tasks: set[anyio.CancelScope] = set()
        self._ended = anyio.Event()
        self._submitting = 0
        self._pumped = 0.0
        self._held = 0
        self._stopping = False
        self._stopped = anyio.Event()
        self._leaving = False
        # Neither changes while a run is open.
        self._concurrent = session.hooks.any_for_jobs() or session.mirror is not None
        self.left: list[Job] = []
        """Jobs that may still run after the loop was stopped."""

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        session = self._session
        session.killer.spawn = self._spawn
        self._spawn(self._drive)
        self._spawn(self._flush)
        self._spawn(self._watch)
        self._spawn(self._reconcile)
        if session.scheduler.events == "always":
            self._spawn(self._read_spool)
        self._spawn(listen, session)
        if session.lease is not None:
            self._spawn(self._beat)
        if session.mirror is not None:
            self._spawn(session.mirror.keep_in_step)
        # What was being killed when an earlier driver died; it may take until the engine listens.
        dying = [a.job for a in session.active.values() if a.job.status is JobStatus.KILLING]
        if dying:
            self._spawn(session.killer.tell_engine, dying)
        if session.hooks.has("on_job_polling"):
            self._spawn(self._poll)
        return self

    async def finish(self) -> None:
        """End all tasks; call it shielded, since they may have something to end themselves."""
        while self._tasks:
            for scope in list(self._tasks):
                scope.cancel()
            await self._ended.wait()
            self._ended = anyio.Event()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        self._group.cancel_scope.cancel()
        return await self._group.__aexit__(exc_type, exc, traceback)

    def _spawn(self, function: Callable[[*Args], Awaitable[None]], *args: *Args) -> None:
        # Shielded: when the block is cancelled from outside, the ends of what is then killed must
        # still be seen. `finish` ends the tasks.
        scope = anyio.CancelScope(shield=True)
        self._tasks.add(scope)
        self._group.start_soon(self._run, scope, function, args)

    async def _run(
        self,
        scope: anyio.CancelScope,
        function: Callable[[*Args], Awaitable[None]],
        args: tuple[*Args],
    ) -> None:
        try:
            with scope:
                await function(*args)
        except Exception as error:
            log.debug("a task of the run has failed", exc_info=error)
            self._session.fail(error)
            # Nobody may be left who would see the jobs end.
            self._spawn(self.stop)
        finally:
            self._tasks.discard(scope)
            self._ended.set()

    # --- holding and stopping --------------------------------------------------------------------

    def hold(self) -> None:
        """Submit nothing until `release`."""
        self._held += 1

    def release(self) -> None:
        """Undo one `hold`."""
        self._held -= 1
        self._session.wake()

    def leave(self) -> None:
        """Do not wait any longer for what still runs."""
        self._leaving = True
        self._session.notify()

    async def stop(self) -> None:
        """Submit nothing more, kill what runs, and wait for it, within the grace period."""
        await self._stop(self._end_all)

    async def part(self) -> None:
        """Submit nothing more, and leave what runs to the engine and to whoever goes on with the run."""
        await self._stop(self._withdraw)

    async def _stop(self, end: Callable[[], Awaitable[None]]) -> None:
        session = self._session
        if self._stopping:
            await self._stopped.wait()
            return
        self._stopping = session.closing = True
        try:
            await end()
        finally:
            self.left = [active.job for active in session.active.values()]
            session.abandoned = True
            self._stopped.set()
            session.notify()

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
        while self._submitting and not self._leaving:
            await session.change(_TICK)
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

    async def _wait_for_ends(self) -> None:
        session = self._session
        until = session.ports.monotonic() + session.scheduler.time_to_end() + _STOP_MARGIN
        while (session.active or self._submitting) and not (self._leaving or session.ousted):
            left = until - session.ports.monotonic()
            if left <= 0:
                return
            await session.change(min(left, _TICK))

    # --- the tasks -------------------------------------------------------------------------------

    async def _drive(self) -> None:
        session = self._session
        while True:
            await self._take_in()
            self._pump()
            if session.halted is not None and not self._stopping:
                self._spawn(self.stop)
            await session.sleep(self._until_next())

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
            self._spawn(self._observe_all, attempt, seens)

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

    def _pump(self) -> None:
        """Send off the batches that may leave."""
        session = self._session
        now = self._pumped = session.ports.monotonic()
        session.waiting.due(now)
        if session.closing or self._held or now < session.backoff.submissions_until:
            return
        scheduler = session.scheduler
        full = full_batch(session)
        patient = session.feeding and full > 1
        leaves_before = now - scheduler.batch_delay if patient else math.inf
        while self._submitting < scheduler.submission_batch:
            room = room_for_jobs(session, self._submitting)
            batch = session.waiting.take(room, full, leaves_before) if room > 0 else []
            if not batch:
                break
            session.submitter.reserve(batch)
            self._submitting += 1
            self._spawn(self._submit, batch)

    async def _submit(self, batch: list[Job]) -> None:
        try:
            await self._session.submitter.submit(batch)
        finally:
            self._submitting -= 1
            self._session.wake()
            self._session.notify()

    async def _flush(self) -> None:
        """Make safe what was noted, all that comes within a moment at once."""
        session = self._session
        while True:
            await session.journal.noted()
            await session.ports.sleep(max(_FLUSH_INTERVAL, session.ports.files.interval))
            try:
                await session.journal.flush()
            except StoreUnavailable as error:
                session.warn(f"the run's records cannot be written now, trying again: {error}")
            except OSError as error:
                session.fail(error)

    def _until_next(self) -> float | None:
        session = self._session
        moments = []
        if not session.closing and not self._held:
            later = session.waiting.next_moment()
            oldest = session.waiting.oldest()
            if later is not None:
                moments.append(later)
            delay = session.scheduler.batch_delay
            # Computed as in `_pump`: rounding must not lose a wake-up.
            may_submit = self._submitting < session.scheduler.submission_batch
            if oldest is not None and may_submit and oldest > self._pumped - delay:
                moments.append(self._pumped + max(oldest + delay - self._pumped, _SHORTEST))
            if oldest is not None:
                moments.append(session.backoff.submissions_until)
        now = session.ports.monotonic()
        # Nor may what has become due since then.
        coming = [max(moment - now, _SHORTEST) for moment in moments if moment > self._pumped]
        return min(coming) if coming else None

    async def _reconcile(self) -> None:
        """Ask about all jobs at intervals that grow while nothing changes."""
        session = self._session
        scheduler = session.scheduler
        shortest = scheduler.poll_interval[0]
        pace = Pace(*scheduler.poll_interval)
        asked_at = session.ports.monotonic()
        ended = len(session.finals)
        while True:
            await session.ports.sleep(scheduler.spool_interval)
            if session.ousted:
                return
            try:
                now, kills = session.ports.monotonic(), self._kills()
                due = asked_at + (shortest if kills else pace.seconds)
                due = max(due, session.backoff.questions_until)
                if now >= due and (kills or await session.may_poll()):
                    asked_at = session.ports.monotonic()
                    await session.reconciler.settle_lookups()
                    await session.reconciler.reconcile(self._silent_jobs())
                    await session.killer.remind()
                    news = len(session.finals) != ended or session.reconciler.impatient
                    ended = len(session.finals)
                    pace.note(found=news)
            except StoreUnavailable as error:
                session.warn(f"the records of jobs cannot be read now, trying again: {error}")
            except Exception as error:
                # The run stops, but not this task: the ends of what still runs must be seen.
                log.debug("a look at the jobs has failed", exc_info=error)
                session.fail(error)
                await session.ports.sleep(shortest)

    async def _read_spool(self) -> None:
        """Take in what wrappers tell, also while the engine lets its answer be waited for."""
        session = self._session
        pace = Pace.in_store(session.ports.files, session.scheduler.spool_interval)
        while True:
            await session.ports.sleep(pace.seconds)
            if session.ousted:
                return
            try:
                found = await session.reconciler.read_spool()
                pace.note(found=found or self._kills())
            except StoreUnavailable as error:
                session.warn(f"what jobs tell cannot be taken in now, trying again: {error}")
            except Exception as error:
                log.debug("a look at the spool has failed", exc_info=error)
                session.fail(error)
                await session.ports.sleep(session.scheduler.poll_interval[0])

    def _kills(self) -> bool:
        """Tell whether jobs are being killed: then somebody waits for the answer."""
        return any(a.job.status is JobStatus.KILLING for a in self._session.active.values())

    def _silent_jobs(self) -> list[Job]:
        """Return those that it is time to ask about: all where the engine is only polled."""
        session = self._session
        if not session.scheduler.pushes:
            return [active.job for active in session.active.values()]
        patience = session.scheduler.recheck_interval * _TICK
        now = session.ports.monotonic()
        return [a.job for a in session.active.values() if now - a.seen >= patience]

    async def _beat(self) -> None:
        session = self._session
        assert session.lease is not None
        while True:
            await session.ports.sleep(HEARTBEAT_INTERVAL)
            try:
                await session.ports.offload(session.lease.beat)
            except RunLocked as error:
                session.fail(error)
                return
            except OSError as error:
                session.warn(f"the run's heartbeat cannot be written: {error}")

    async def _poll(self) -> None:
        session = self._session
        counter = 0
        while True:
            await session.ports.sleep(_HOOK_INTERVAL)
            counter += 1
            running = [a.job for a in list(session.active.values())]
            await session.reconciler.poll_hooks(running, counter)
