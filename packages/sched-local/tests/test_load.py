"""Many jobs: they keep flowing, and nothing is left of them in the driver."""

from __future__ import annotations

import os
from pathlib import Path

import anyio
import pytest

from sched_core import JobStatus

from .processes import zombies
from .running import outcome, runner, until_running

pytestmark = pytest.mark.once


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


async def test_t23_jobs_keep_flowing_while_more_are_fed(tmp_path: Path) -> None:
    async with runner(tmp_path / "run", forks=2) as running:
        await running.run_until_complete(keep_feeding=True)
        jobs = []
        for number in range(1000):
            jobs.append(await running.feed(["true"]))
            if number % 50 == 49:
                # Feeding goes on only because what was fed ends meanwhile.
                await running.wait(jobs[-1])
        assert sum(job.status.final for job in jobs) >= 950
    assert {outcome(job) for job in jobs} == {("FINISHED", 0, None)}


@pytest.mark.timeout(240)
async def test_t20_each_of_thousands_is_killed_and_no_other(tmp_path: Path, full: bool) -> None:
    count = 10_000 if full else 500
    async with runner(tmp_path / "run", forks=3, grace=1) as running:
        ended = await running.wait(await running.feed(["true"]))
        go = tmp_path / "go"
        waits = ["sh", "-c", 'until [ -e "$1" ]; do sleep 0.05; done', "sh", str(go)]
        kept, *others = await running.feed_all([waits] * count)
        for job in (kept, *others[:2]):
            await until_running(job)
        async with anyio.create_task_group() as group:
            for job in [ended, *others]:
                group.start_soon(running.kill, job)
        assert (outcome(ended), kept.status) == (("FINISHED", 0, None), JobStatus.RUNNING)
        go.touch()
    assert {outcome(job)[::2] for job in others} == {("KILLED", "CANCELLED")}
    assert outcome(kept) == ("FINISHED", 0, None)


async def test_t42_one_job_at_a_time_is_not_waited_for_longer_than_it_takes(tmp_path: Path) -> None:
    async with runner(tmp_path / "run", forks=2) as running:
        for _ in range(50):
            job = await running.feed(["true"])
            await running.wait(job)
            assert outcome(job) == ("FINISHED", 0, None)


@pytest.mark.timeout(240)
async def test_t29_many_jobs_leave_nothing_in_the_driver(
    tmp_path: Path, anyio_backend_name: str
) -> None:
    count = 5000 if anyio_backend_name == "asyncio" else 1000
    samples = []
    ended = 0
    before = zombies()
    async with runner(tmp_path / "run", forks=4) as running:
        jobs = [await running.feed(["sh", "-c", f"exit {n % 3}"]) for n in range(count)]
        async for _ in running.as_completed():
            ended += 1
            if ended % (count // 10) == 0:
                samples.append((descriptors(), [z for z in zombies() if z not in before]))
    assert [job.rc for job in jobs] == [n % 3 for n in range(count)]
    assert [found for _, found in samples if found] == []
    open_files = [number for number, _ in samples]
    assert max(open_files) - min(open_files) <= 4  # a thread may be reading a file just then
    assert [zombie for zombie in zombies() if zombie not in before] == []
