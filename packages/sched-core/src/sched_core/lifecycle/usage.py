"""What attempts have used, of which only the engine tells, and only after their end."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import anyio

from ..model.job import Job
from ..scheduler.jobtext import attempt_id

if TYPE_CHECKING:
    from .session import Session

__all__ = ["learn_usage"]

log = logging.getLogger("sched")

_PATIENCE = 20.0
"""Seconds at most for which the end of a run waits for the answer."""
_SOON = 2.0
"""Seconds after which the engine is asked once more about what it did not know yet, if it ran as long."""
_LATE = 60.0
"""Seconds after its end from which on an attempt that the engine does not know is not asked about again."""


async def learn_usage(session: Session) -> None:
    """Ask the engine once what attempts have used of which nobody has told, and record it.

    Never essential: an engine that cannot be asked, or does not know, costs nothing but the time.
    """
    if not session.scheduler.tells_usage() or session.closing:
        return
    jobs = [job for job in session.jobs.values() if _is_untold(job)]
    try:
        with anyio.move_on_after(_PATIENCE) as patience:
            if late := await _ask(session, jobs):
                await session.ports.sleep(_SOON)
                await _ask(session, late)
    except Exception as error:  # noqa: BLE001  # the run is over, and all else is recorded
        log.debug("what jobs have used cannot be asked: %s", error, extra={"run": session.run})
    else:
        if patience.cancelled_caught:
            log.debug("the engine does not say what jobs have used", extra={"run": session.run})


def _is_untold(job: Job) -> bool:
    if job.max_rss is not None or job.jid is None or not job.status.final:
        return False
    # An engine may tell the same moment for both of what was cancelled before it started.
    return None not in (job.started, job.ended) and job.started != job.ended


async def _ask(session: Session, jobs: Sequence[Job]) -> list[Job]:
    """Take in what the engine tells of these jobs; return those of which it may know more soon."""
    if not jobs:
        return []
    told = await session.scheduler.query_usage(jobs)
    for job in jobs:
        used = told.get(attempt_id(job))
        if used is not None and used.max_rss is not None:
            job.max_rss = used.max_rss
            session.journal.note_state(job)
    now = session.ports.now()
    return [job for job in jobs if attempt_id(job) not in told and _is_worth_a_wait(job, now)]


def _is_worth_a_wait(job: Job, now: float) -> bool:
    started, ended = job.started or now, job.ended or now
    return ended - started >= _SOON and now - ended < _LATE
