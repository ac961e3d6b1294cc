"""A driver that is quick to ask the small Slurm, and waiting for what it sees."""

from __future__ import annotations

from collections.abc import Callable

import anyio

from sched_core import Job, JobStatus
from sched_hpc import SlurmScheduler


class Quick(SlurmScheduler):
    poll_interval = (0.3, 0.6)
    spool_interval = 0.05


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(90):
        while not condition():  # noqa: ASYNC110  # nothing announces it
            await anyio.sleep(0.02)


async def until_running(job: Job) -> None:
    await until(lambda: job.status is JobStatus.RUNNING)
