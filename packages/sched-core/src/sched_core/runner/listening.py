"""What other processes ask of the run's driver: kills and retries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import anyio

from ..errors import OptionError
from ..lifecycle.pace import Pace
from ..model.job import Job
from ..model.resources import Resources
from ..model.status import JobStatus
from ..runfolder import Request, read_requests

if TYPE_CHECKING:
    from ..lifecycle.session import Session

__all__ = ["listen"]

_INTERVAL = 0.5
_PATIENCE = 2
"""Looks for what is rarely there are so many times rarer than the store's interval demands."""


async def listen(session: Session) -> None:
    """Do what other processes ask for, as long as this driver is the run's."""
    pace = Pace.in_store(session.ports.files, _INTERVAL, _PATIENCE)
    while True:
        await session.ports.sleep(pace.seconds)
        if session.ousted:
            return
        try:
            requests = await session.ports.offload(
                read_requests, session.ports.files, session.layout
            )
        except OSError:
            continue  # the folder is gone or cannot be read: the flush says so
        pace.note(found=bool(requests))
        for request in requests:
            if not session.listening:
                return
            await _answer(session, request)


async def _answer(session: Session, request: Request) -> None:
    indexes = session.jobs if request.jobs is None else request.jobs
    jobs = [session.jobs[index] for index in indexes if index in session.jobs]
    try:
        if request.verb == "kill":
            await session.killer.kill(jobs)
        elif request.verb == "retry":
            await _retry(session, jobs, request)
    finally:
        # Shielded: what was asked for may have ended the run, and with it this loop.
        with anyio.CancelScope(shield=True):
            await _close_request(session, request)


async def _retry(session: Session, jobs: Sequence[Job], request: Request) -> None:
    """Take up again what failed; whoever asked has checked before what this may be refused for."""
    try:
        wanted = Resources.from_value(request.resources) if request.resources else None
        for job in jobs:
            if session.is_done(job) and job.status is not JobStatus.FINISHED:
                await session.retries.reopen(job, wanted)
    except OptionError as error:
        session.warn(f"a request to retry jobs cannot be done: {error}")


async def _close_request(session: Session, request: Request) -> None:
    try:
        await session.journal.flush_with(session.ports.files.remove, request.path)
    except OSError as error:
        session.warn(f"a request to {request.verb} jobs cannot be answered: {error}")
