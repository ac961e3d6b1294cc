"""What the tests on the real Grid Engine share."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

import anyio

from sched_core import Job, JobStatus, Runner
from sched_hpc import SgeScheduler

__all__ = ["ONCE", "Asked", "begun", "pending", "ran", "running", "until", "waiting"]


class Asked(SgeScheduler):
    """Asked more often, for tests."""

    poll_interval: ClassVar[tuple[float, float]] = (0.5, 2.0)


ONCE = 'echo "$SCHED_ATTEMPT" >>"$SCHED_WORKDIR/ran.$SCHED_JOB_INDEX"'
"""Shell code that counts the starts of a job."""

_BEGUN = ': >"$SCHED_JOB_METADIR/begun"'


def ran(workdir: str | os.PathLike[str], job: Job) -> list[str]:
    """Return the attempts that have started, in order."""
    path = Path(workdir) / f"ran.{job.index}"
    return path.read_text().split() if path.exists() else []


def waiting(after: str = "") -> list[str]:
    """Return a command that waits for the file `gate` in the run's folder."""
    loop = 'while [ ! -e "$SCHED_WORKDIR/gate" ]; do sleep 0.3; done'
    return ["/bin/sh", "-c", f"{ONCE}; {_BEGUN}; echo begun; {loop}; {after}"]


@asynccontextmanager
async def running(
    scheduler: SgeScheduler, patience: float = 100, **options: Any
) -> AsyncIterator[Runner]:
    with anyio.fail_after(patience):
        async with Runner(scheduler, **{"plugins": [], **options}) as runner:
            yield runner


async def until(condition: Callable[[], bool | Awaitable[bool]], patience: float = 60) -> None:
    with anyio.fail_after(patience):
        while True:
            holds = condition()
            if await holds if isinstance(holds, Awaitable) else holds:
                return
            await anyio.sleep(0.05)


async def begun(job: Job) -> None:
    """Wait until the job's command runs and the driver knows it."""
    await until((job.metadir / "begun").exists)
    await until(lambda: job.status is JobStatus.RUNNING)


async def pending(job: Job) -> None:
    await until(lambda: job.status is JobStatus.SUBMITTED)
