"""Feeding: before, while and after jobs run, by one task or by many."""

from __future__ import annotations

from typing import Any

import anyio
import anyio.lowlevel
import pytest

from sched_core import CommandError, JobStatus, RunClosed, Runner

from .rig import Rig

__all__ = ["FeedingContract"]


class FeedingContract(Rig):
    """Feeding."""

    async def test_t23_jobs_flow_while_feeding_goes_on(self, workdir: Any) -> None:
        async with self.run(self.make(workdir, forks=2)) as runner:
            await runner.run_until_complete(keep_feeding=True)
            for number in range(12):
                job = await runner.feed(self.shell(f"echo {number}"))
                if number % 4 == 3:
                    await runner.wait(job)  # although feeding has not ended
                    assert job.status is JobStatus.FINISHED
            await runner.stop_feeding()
            outputs = [await self.output(job) for job in runner.jobs]
            assert outputs == [f"{number}\n" for number in range(12)]

    async def test_several_tasks_feed(self, workdir: Any) -> None:
        async def feed(runner: Runner, who: int) -> None:
            for number in range(4):
                await runner.feed(self.shell(f"echo {who} {number}"))
                await anyio.lowlevel.checkpoint()

        async with self.run(self.make(workdir, forks=3)) as runner:
            async with anyio.create_task_group() as group:
                for who in range(3):
                    group.start_soon(feed, runner, who)
            await runner.stop_feeding()
            assert [job.index for job in runner.jobs] == list(range(12))
            outputs = {await self.output(job) for job in runner.jobs}
            assert outputs == {f"{who} {number}\n" for who in range(3) for number in range(4)}

    async def test_jobs_keep_the_indexes_they_were_made_with(self, workdir: Any) -> None:
        scheduler = self.make(workdir, forks=2)
        jobs = [await scheduler.create_job(index, "/bin/true") for index in (7, 2, 11)]
        async with self.run(scheduler) as runner:
            for job in jobs:
                assert await runner.feed(job) is job
            after = await runner.feed(["/bin/true"])
            await runner.stop_feeding()
            assert [job.index for job in runner.jobs] == [2, 7, 11, 12]
            assert after.index == 12
            assert {job.status for job in runner.jobs} == {JobStatus.FINISHED}

    async def test_as_completed_hands_out_each_job_once_and_ends(self, workdir: Any) -> None:
        async with self.run(self.make(workdir, forks=2)) as runner:
            for _ in range(6):
                await runner.feed(self.shell("exit 0"))
            seen = [job async for job in runner.as_completed()]
            assert sorted(job.index for job in seen) == list(range(6))
            assert all(job.status.final for job in seen)
            again = [job.index async for job in runner.as_completed()]
            assert sorted(again) == list(range(6))

    async def test_as_completed_of_nothing_ends(self, workdir: Any) -> None:
        async with self.run(self.make(workdir)) as runner:
            assert [job async for job in runner.as_completed()] == []

    async def test_leaving_the_block_waits_for_all(self, workdir: Any) -> None:
        async with self.run(self.make(workdir)) as runner:
            job = await runner.feed(self.shell("sleep 0.3; echo done"))
        assert job.status is JobStatus.FINISHED
        assert await self.output(job) == "done\n"

    async def test_nothing_can_be_fed_once_feeding_has_stopped(self, workdir: Any) -> None:
        async with self.run(self.make(workdir)) as runner:
            await runner.stop_feeding()
            with pytest.raises(RunClosed):
                await runner.feed(["/bin/true"])

    async def test_a_job_is_fed_once(self, workdir: Any) -> None:
        async with self.run(self.make(workdir)) as runner:
            job = await runner.feed(["/bin/true"])
            with pytest.raises(CommandError, match="was fed before"):
                await runner.feed(job)

    async def test_a_finite_list_is_recorded_before_any_of_it_starts(self, workdir: Any) -> None:
        count = 'cat "$SCHED_WORKDIR"/.sched/journal/* | grep -c \'"job":\''
        async with self.run(self.make(workdir, forks=2)) as runner:
            jobs = await runner.feed_all([self.shell(count)] * 5)
            await runner.stop_feeding()
            assert [await self.output(job) for job in jobs] == ["5\n"] * 5
