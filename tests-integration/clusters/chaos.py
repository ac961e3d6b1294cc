"""The driver is killed at random while many jobs run, and the run is resumed: exactly once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import anyio

from sched_core import JobStatus
from sched_core.testing.contract.driver import driver_command, driver_killed_at_end

from ..jobs import ONCE, ran, running
from .engine import Engine

__all__ = ["kill_and_resume"]


async def kill_and_resume(
    engine: Engine, folder: Path, count: int, forks: int, after: float
) -> int:
    """Kill a driver after so many seconds, and resume; return how many jobs had ended by then."""
    # A node may be too busy to start thirty at once: then they are started again, on nobody's account.
    options: dict[str, Any] = {"forks": forks, "error_strategy": "retry", "num_retries": 0}
    scheduler = engine.scheduler_class(folder, **options)
    commands = [["/bin/sh", "-c", f"{ONCE}; sleep 1.$SCHED_JOB_INDEX"]] * count
    argv = driver_command(scheduler, options, commands, "asyncio")
    async with driver_killed_at_end(argv):
        await anyio.sleep(after)
    ended = len([path async for path in anyio.Path(folder).glob("*/job.rc")])
    async with running(scheduler, patience=400, existing="resume") as runner:
        await runner.feed_all(commands)
        await runner.stop_feeding()
        jobs = runner.jobs
    assert Counter(job.status for job in jobs) == {JobStatus.FINISHED: count}
    assert Counter(len(ran(folder, job)) for job in jobs) == {1: count}
    return ended
