"""What becomes of jobs that the engine refuses, or its user ends."""

from __future__ import annotations

from sched_core import Failure, Job, JobStatus
from sched_hpc.cluster import ClusterScheduler

from ..jobs import begun, running, waiting
from .engine import Engine

__all__ = ["cancel_what_runs", "is_refused"]


async def is_refused(scheduler: ClusterScheduler, words: str) -> None:
    """Have the engine refuse a job, and say why in these words of its own."""
    async with running(scheduler) as runner:
        job = await runner.wait(await runner.feed(["/bin/true"]))
    assert (job.status, job.failure, job.attempt) == (JobStatus.FAILED, Failure.REJECTED, 1)
    assert words in job.reason
    assert words in await job.stderr_file.read_text()


async def cancel_what_runs(engine: Engine, scheduler: ClusterScheduler) -> Job:
    """Run a job, end it by hand, and return it."""
    async with running(scheduler) as runner:
        job = await runner.feed(waiting())
        await begun(job)
        engine.cancel(job)
        return await runner.wait(job)
