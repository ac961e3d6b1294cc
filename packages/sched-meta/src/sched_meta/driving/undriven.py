"""Killing jobs of a run that has no driver."""

from __future__ import annotations

from collections.abc import Collection

import anyio

from sched_core import RunClosed, Runner

from ..console import say, warnings_go_to
from ..reading.runfolder import RunFolder

__all__ = ["kill_undriven"]


def kill_undriven(folder: RunFolder, indexes: Collection[int]) -> None:
    """Kill jobs of a run that nobody drives; what waits besides them is left to a resume."""
    with warnings_go_to(say):
        anyio.run(_kill, folder, indexes)


async def _kill(folder: RunFolder, indexes: Collection[int]) -> None:
    scheduler = folder.scheduler()
    runner = Runner(scheduler, plugins=None, existing="resume", submits=False)
    try:
        async with runner:
            jobs = [job for job in runner.jobs if job.index in indexes]
            for job in jobs:
                await scheduler.kill_job_and_update_status(job)
            for job in jobs:
                await runner.wait(job)
            await runner.cancel()
    except RunClosed:
        pass  # jobs that still wait
