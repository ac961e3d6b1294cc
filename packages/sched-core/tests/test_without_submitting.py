"""A runner that submits nothing: for whoever only ends jobs that an earlier driver has left."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from sched_core import Job, JobStatus, OptionError, Runner, scheduler_of

from .backend import session_scheduler

Session: Any = session_scheduler()


class Refuses(Session):  # type: ignore[misc]  # a class that is only known when this runs
    """A scheduler that lacks what jobs need to start."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        if self.session.submits:
            raise OptionError("it lacks a secret")
        async with super().open():
            yield


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


async def test_what_jobs_need_to_start_is_not_needed_to_kill_them(tmp_path: Path) -> None:
    with anyio.fail_after(60):
        async with Runner(Session(tmp_path / "run"), plugins=[], submits=False) as runner:
            await runner.feed(["true"])
            await runner.cancel()
        with pytest.raises(OptionError, match="lacks a secret"):
            async with Runner(Refuses(tmp_path / "run"), plugins=[], existing="resume"):
                raise AssertionError("it was opened")
        refuses = Refuses(tmp_path / "run")
        async with Runner(refuses, plugins=[], existing="resume", submits=False) as runner:
            (job,) = runner.jobs
            await runner.kill(job)
    assert job.status is JobStatus.KILLED
