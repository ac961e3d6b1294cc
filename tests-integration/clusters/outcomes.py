"""What becomes of jobs that the engine refuses, or its user ends."""

from __future__ import annotations

import anyio

from sched_core import Failure, Job, JobStatus, read_run
from sched_hpc.cluster import ClusterScheduler

from ..jobs import begun, running, until, waiting
from .engine import Engine

__all__ = ["cancel_what_runs", "is_refused", "tells_memory"]

_TAKES_MEMORY = (
    'printf -v taken "%50000000s"; until [[ -e $SCHED_WORKDIR/gate ]]; do sleep 0.1; done'
)
"""Bash that has 50 MB until it may end."""


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


async def tells_memory(engine: Engine, scheduler: ClusterScheduler) -> None:
    """Run an array whose jobs need memory, one of them fails; the engine tells how much they had."""
    async with running(scheduler) as runner:
        script = f': >"$SCHED_JOB_METADIR/begun"; {_TAKES_MEMORY}'
        jobs = await runner.feed_all([["/bin/bash", "-c", f"{script}; exit {n}"] for n in range(2)])
        for job in jobs:
            await begun(job)
        await until(lambda: all(engine.has_seen_memory(job) for job in jobs))
        await (scheduler.workdir / "gate").write_text("")
        await until(lambda: all(engine.has_accounted(job) for job in jobs))
    view = await anyio.to_thread.run_sync(read_run, scheduler.workdir)
    for job in jobs:
        told = view.jobs[job.index].max_rss
        assert told is not None
        assert 40e6 < told < 200e6
        assert told == job.max_rss
    assert [job.rc for job in jobs] == [0, 1]
    assert scheduler.toolbox.calls[engine.looks_back] == 1
