"""What the first submission would be, made by what makes it in a run, with no effect on anything."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..hooks import Hooks
from ..lifecycle.room import full_batch, room_for_jobs
from ..lifecycle.session import Session
from ..model.job import Job
from ..model.status import JobStatus
from ..runfolder import RunFile
from ..scheduler.wishes import check_every_attempt
from .opening import current_directory

if TYPE_CHECKING:
    from ..scheduler import Preview, Scheduler

__all__ = ["preview_jobs"]

_RUN = "0" * 10
_SUBMISSION = "0" * 16
"""Ids are made when a run begins. These look like ids, are no run's, and are the same each time."""


def preview_jobs(
    scheduler: Scheduler,
    jobs: Sequence[Job],
    plugins: Iterable[object] | None = None,
    run: RunFile | None = None,
) -> Preview:
    """Return the first submission; see `Scheduler.preview`."""
    from ..scheduler import Preview

    with _shown(scheduler, Hooks(plugins), run or _new_run(scheduler)) as session:
        for job in jobs:
            check_every_attempt(scheduler, job)
            session.secrets.settle(job)
        batch = _first_batch(session, jobs)
        if not batch:
            return Preview((), ())
        submission = session.submitter.name(batch, _SUBMISSION)
        return Preview(batch, scheduler.preview_submission(batch, submission))


@contextmanager
def _shown(scheduler: Scheduler, hooks: Hooks, run: RunFile) -> Iterator[Session]:
    """Let the scheduler be as in an open run, and then as it was."""
    earlier, mounts = scheduler._session, scheduler.mounts
    scheduler.mounts = mounts.copy()
    try:
        scheduler.mount_volumes()
        scheduler._session = Session(scheduler, scheduler.make_ports(), hooks, run)
        yield scheduler._session
    finally:
        scheduler._session, scheduler.mounts = earlier, mounts


def _new_run(scheduler: Scheduler) -> RunFile:
    return RunFile(_RUN, 1, 0.0, scheduler.name, "", {}, current_directory())


def _first_batch(session: Session, jobs: Sequence[Job]) -> list[Job]:
    """Return the jobs that would go to the engine first, counted as on their way to it."""
    waiting, states = session.waiting, [job.status for job in jobs]
    try:
        for job in jobs:
            job.status = JobStatus.QUEUED
            waiting.add(job, session.scheduler.batch_key(job), 0.0)
        batch = waiting.take(room_for_jobs(session, 0), full_batch(session), math.inf)
    finally:
        for job, status in zip(jobs, states, strict=True):
            job.status = status
    session.submitter.reserve(batch)
    return batch
