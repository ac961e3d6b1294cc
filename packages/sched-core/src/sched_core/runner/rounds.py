"""What a driver does again and again while a run is open, each as a task that never ends by itself."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ..errors import RunLocked
from ..lifecycle.pace import Pace
from ..model.job import Job
from ..model.status import JobStatus
from ..ports import StoreUnavailable
from ..runfolder import HEARTBEAT_INTERVAL

if TYPE_CHECKING:
    from ..lifecycle.session import Session
    from ..runfolder import Lease

__all__ = ["ask_engine", "beat", "fire_polling_hooks", "keep_flushed", "read_spool"]

log = logging.getLogger("sched")

_FLUSH_INTERVAL = 0.25
_HOOK_INTERVAL = 1.0
_TICK = 0.1
"""Seconds of one tick of `recheck_interval`."""


async def keep_flushed(session: Session) -> None:
    """Make safe what was noted, all that comes within a moment at once."""
    while True:
        await session.journal.noted()
        await session.ports.sleep(max(_FLUSH_INTERVAL, session.ports.files.interval))
        try:
            await session.journal.flush()
        except StoreUnavailable as error:
            session.warn(f"the run's records cannot be written now, trying again: {error}")
        except OSError as error:
            session.fail(error)


async def beat(session: Session, lease: Lease) -> None:
    """Show other drivers that this one lives, as long as the lease is its own."""
    while True:
        await session.ports.sleep(HEARTBEAT_INTERVAL)
        try:
            await session.ports.offload(lease.beat)
        except RunLocked as error:
            session.fail(error)
            return
        except OSError as error:
            session.warn(f"the run's heartbeat cannot be written: {error}")


async def ask_engine(session: Session) -> None:
    """Ask about all jobs at intervals that grow while nothing changes."""
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
            now, kills = session.ports.monotonic(), _kills(session)
            due = asked_at + (shortest if kills else pace.seconds)
            due = max(due, session.backoff.questions_until)
            if now >= due and (kills or await session.may_poll()):
                asked_at = session.ports.monotonic()
                await _ask(session)
                news = len(session.finals) != ended or session.reconciler.impatient
                ended = len(session.finals)
                pace.note(found=news)
        except StoreUnavailable as error:
            session.warn(f"the records of jobs cannot be read now, trying again: {error}")
        except Exception as error:
            log.debug("a look at the jobs has failed", exc_info=error)
            await _go_on(session, error)


async def _ask(session: Session) -> None:
    await session.reconciler.settle_lookups()
    await session.reconciler.reconcile(_silent_jobs(session))
    await session.killer.remind()


async def read_spool(session: Session) -> None:
    """Take in what wrappers tell, also while the engine lets its answer be waited for."""
    pace = Pace.in_store(session.ports.files, session.scheduler.spool_interval)
    while True:
        await session.ports.sleep(pace.seconds)
        if session.ousted:
            return
        try:
            found = await session.reconciler.read_spool()
            pace.note(found=found or _kills(session))
        except StoreUnavailable as error:
            session.warn(f"what jobs tell cannot be taken in now, trying again: {error}")
        except Exception as error:
            log.debug("a look at the spool has failed", exc_info=error)
            await _go_on(session, error)


async def _go_on(session: Session, error: Exception) -> None:
    """Stop the run, but not the task: the ends of what still runs must be seen."""
    session.fail(error)
    await session.ports.sleep(session.scheduler.poll_interval[0])


def _kills(session: Session) -> bool:
    """Tell whether jobs are being killed: then somebody waits for the answer."""
    return any(a.job.status is JobStatus.KILLING for a in session.active.values())


def _silent_jobs(session: Session) -> list[Job]:
    """Return those that it is time to ask about: all where the engine is only polled."""
    if not session.scheduler.pushes:
        return [active.job for active in session.active.values()]
    patience = session.scheduler.recheck_interval * _TICK
    now = session.ports.monotonic()
    return [a.job for a in session.active.values() if now - a.seen >= patience]


async def fire_polling_hooks(session: Session) -> None:
    """Fire `on_job_polling`, each second for each job that runs."""
    counter = 0
    while True:
        await session.ports.sleep(_HOOK_INTERVAL)
        counter += 1
        running = [a.job for a in list(session.active.values())]
        await session.reconciler.poll_hooks(running, counter)
