"""Leaving a run before its end: everything is ended, and nobody is told otherwise."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from sched_core import JobStatus, RunClosed, RunLocked, clean_run, read_run

from .rig import Rig, needs

__all__ = ["ClosingContract"]


class Mine(Exception):
    """What a host may raise."""


class ClosingContract(Rig):
    """Closing."""

    @needs("kills")
    async def test_t24_an_exception_in_the_block_ends_what_runs(self, workdir: Any) -> None:
        marker = self.marker()
        with pytest.raises(Mine, match="as it is"):
            async with self.run(self.make(workdir, forks=1)) as runner:
                runs = await runner.feed(self.waiting(marker))
                waits = await runner.feed(self.waiting(marker))
                await self.until_running(runs)
                raise Mine("as it is")
        assert runs.status is JobStatus.KILLED
        assert not waits.status.active
        assert not await self.alive(marker)

    @needs("kills")
    async def test_t24_cancelling_the_block_ends_what_runs(self, workdir: Any) -> None:
        marker = self.marker()
        with anyio.CancelScope() as scope:
            async with self.run(self.make(workdir)) as runner:
                job = await runner.feed(self.waiting(marker))
                await self.until_running(job)
                scope.cancel()
                await anyio.sleep_forever()
        assert scope.cancelled_caught
        assert job.status is JobStatus.KILLED
        assert not await self.alive(marker)

    @needs("kills")
    async def test_t24_what_is_cancelled_is_recorded(self, workdir: Any) -> None:
        scheduler = self.make(workdir, forks=1)
        with pytest.raises(Mine):
            async with self.run(scheduler) as runner:
                jobs = [await runner.feed(self.waiting()) for _ in range(2)]
                await self.until_running(jobs[0])
                raise Mine
        view = await anyio.to_thread.run_sync(read_run, scheduler.workdir)
        assert view.driver is None
        assert view.jobs[0].status is JobStatus.KILLED
        assert view.jobs[0].interrupted
        assert not view.jobs[1].status.active

    @needs("kills")
    async def test_a_run_can_be_cancelled(self, workdir: Any) -> None:
        marker = self.marker()
        async with self.run(self.make(workdir, forks=1)) as runner:
            jobs = [await runner.feed(self.waiting(marker)) for _ in range(3)]
            await self.until_running(jobs[0])
            await runner.cancel()
            assert not await self.alive(marker)
            with pytest.raises(RunClosed):
                await runner.feed(["/bin/true"])
        assert jobs[0].status is JobStatus.KILLED
        assert not any(job.status.active for job in jobs)

    async def test_a_finished_run_can_be_cleaned(self, workdir: Any) -> None:
        scheduler = self.make(workdir)
        async with self.run(scheduler) as runner:
            job = await runner.feed(self.shell("echo kept"))
            with pytest.raises(RunLocked):
                await clean_run(self.make(workdir))
        found = await clean_run(scheduler)
        assert [remains.problem for remains in found] == [""] * len(found)
        assert list(await clean_run(self.make(workdir))) == []
        assert await job.stdout_file.read_text() == "kept\n"
