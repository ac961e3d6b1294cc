"""A runner that submits nothing: for whoever only ends jobs that an earlier driver has left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio

from sched_core import Job, JobStatus, Runner, scheduler_of

from .backend import session_scheduler

Session: Any = session_scheduler()


async def kill_the_first(runner: Runner) -> list[Job]:
    async with runner:
        first, second = runner.jobs
        await anyio.wait_all_tasks_blocked()
        assert (first.status, second.status) == (JobStatus.QUEUED, JobStatus.QUEUED)
        await runner.kill(first)
        assert (first.status, second.status) == (JobStatus.KILLED, JobStatus.QUEUED)
        await runner.cancel()
    return runner.jobs


async def test_what_waits_is_left_to_a_driver(tmp_path: Path) -> None:
    with anyio.fail_after(60):
        async with Runner(Session(tmp_path / "run", forks=3), plugins=[], submits=False) as runner:
            for _ in range(2):
                await runner.feed(["true"])
            await runner.cancel()
        scheduler = scheduler_of(tmp_path / "run")
        await kill_the_first(Runner(scheduler, plugins=[], existing="resume", submits=False))
        resumed = Runner.resume(tmp_path / "run", plugins=[])
        async with resumed:
            pass
        assert [job.status for job in resumed.jobs] == [JobStatus.KILLED, JobStatus.FINISHED]
        assert resumed.scheduler.forks == 3
