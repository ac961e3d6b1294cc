"""Arrays: few submissions, never more at once than forks, few questions."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import anyio
import pytest

from sched_core import AttemptId, Job, JobStatus, Observation, Runner
from sched_core.testing.contract.driver import driver_command, driver_killed_at_end
from sched_hpc.cluster import ClusterScheduler

from ..jobs import NOTED, Clock, begun, most_at_once, ran, running, until, waiting
from .engine import Engine

__all__ = ["Arrays", "run_many"]


async def run_many(engine: Engine, folder: Path, count: int, submissions: int) -> None:
    class Usual(engine.scheduler_class):  # type: ignore[name-defined,misc]  # known at run time
        # Asked more often, it may miss a job in two answers before it has read of its end.
        poll_interval = ClusterScheduler.poll_interval

    scheduler: ClusterScheduler = Usual(folder, forks=100)
    begun_at = time.monotonic()
    async with Runner(scheduler, plugins=[]) as runner:
        jobs = await runner.feed_all([["/bin/bash", "-c", NOTED]] * count)
        await runner.stop_feeding()
    seconds = time.monotonic() - begun_at
    at_once = most_at_once([await job.stdout_file.read_text() for job in jobs])
    calls = scheduler.toolbox.calls
    sys.stdout.write(f"{count} jobs: {seconds:.1f} s, {at_once} at once, {dict(calls)}\n")
    assert {job.status for job in jobs} == {JobStatus.FINISHED}
    assert all(ran(scheduler.workdir, job) == ["1"] for job in jobs)
    assert at_once <= scheduler.forks
    assert calls[engine.submits] <= submissions
    # For the jobs' memory, when all have ended; once more for those of which it did not know yet.
    assert calls[engine.looks_back] <= 2 * (submissions if engine.looks_into_each_array else 1)


async def _count(folder: anyio.Path, pattern: str, wanted: int) -> bool:
    return len([path async for path in folder.glob(pattern)]) >= wanted


class Arrays:
    pytestmark = pytest.mark.timeout(300)

    @pytest.mark.timeout(1200)
    async def test_t17_many_jobs_are_few_arrays(self, small_arrays: Engine, tmp_path: Path) -> None:
        await run_many(small_arrays, tmp_path / "run", 1000, 12)

    async def test_t17_fewer_forks_on_resume(self, small_arrays: Engine, tmp_path: Path) -> None:
        first = small_arrays.scheduler_class(tmp_path / "run", forks=20)
        commands = [waiting()] * 60
        argv = driver_command(first, {"forks": 20}, commands, "asyncio")
        async with driver_killed_at_end(argv):
            marks = anyio.Path(tmp_path / "run")
            await until(lambda: _count(marks, "*/begun", 20))
        scheduler = small_arrays.scheduler_class(tmp_path / "run", forks=5)
        async with running(scheduler, existing="resume") as runner:
            jobs = await runner.feed_all(commands)
            await until(lambda: small_arrays.has_limit(jobs[0], 5))
            resumed = time.time()
            await (scheduler.workdir / "gate").write_text("")
            await runner.stop_feeding()
        assert {job.status for job in jobs} == {JobStatus.FINISHED}
        assert all(ran(scheduler.workdir, job) == ["1"] for job in jobs)
        outputs = [await job.stdout_file.read_text() for job in jobs]
        assert most_at_once(outputs) == 20
        assert 1 <= most_at_once(outputs, since=resumed) <= 5

    async def test_t17_all_places_are_used_though_arrays_are_small(
        self, small_arrays: Engine, tmp_path: Path
    ) -> None:
        scheduler = small_arrays.scheduler_class(tmp_path / "run", forks=20)
        async with running(scheduler) as runner:
            first = await runner.feed_all([waiting()] * 8)
            for job in first:
                await begun(job)
            # their array has 12 places, and all of its tasks run; then the first ones end
            second = await runner.feed_all([waiting()] * 30)
            await until(lambda: sum(job.status is JobStatus.RUNNING for job in second) == 12)
            async with anyio.create_task_group() as group:
                for job in first:
                    group.start_soon(runner.kill, job)
            await until(lambda: sum(job.status is JobStatus.RUNNING for job in second) == 20)
            assert scheduler.toolbox.calls[small_arrays.submits] == 2
            await (scheduler.workdir / "gate").write_text("")
            await runner.stop_feeding()
        assert {job.status for job in second} == {JobStatus.FINISHED}

    async def test_t03_one_question_for_all_jobs_at_intervals_that_grow(
        self, engine: Engine, tmp_path: Path
    ) -> None:
        clock = Clock()
        asked: list[float] = []

        class Patient(engine.scheduler_class):  # type: ignore[name-defined,misc]  # at run time
            poll_interval = (0.25, 1.5)
            spool_interval = 0.05

            async def query_jobs(self, jobs: Sequence[Job]) -> Mapping[AttemptId, Observation]:
                asked.append(clock.read)  # for which it was time now
                seen: Mapping[AttemptId, Observation] = await super().query_jobs(jobs)
                return seen

        def gaps(since: int = 0) -> list[float]:
            return [later - earlier for earlier, later in pairwise(asked[since:])]

        scheduler: ClusterScheduler = Patient(tmp_path / "run", forks=50)
        calls = scheduler.toolbox.calls
        async with running(scheduler, ports=clock) as runner:
            jobs = await runner.feed_all([waiting()] * 50)
            for job in jobs:
                await begun(job)
            quiet = len(asked)
            await until(lambda: max(gaps(quiet), default=0.0) >= 1.5)
            assert calls[engine.looks_back] == 0
            await (scheduler.workdir / "gate").write_text("")
            await runner.stop_feeding()
        assert min(gaps()) >= 0.25
        assert 1 <= calls[engine.asks] <= len(asked)
        assert calls[engine.submits] == 1

    async def test_t20_killing_is_a_matter_of_few_calls(
        self, engine: Engine, tmp_path: Path
    ) -> None:
        scheduler = engine.scheduler_class(tmp_path / "run", forks=20)
        async with running(scheduler) as runner:
            jobs = await runner.feed_all([waiting()] * 200)
            await begun(jobs[0])
            await runner.cancel()
        assert not any(job.status is JobStatus.FINISHED for job in jobs)
        assert scheduler.toolbox.calls[engine.kills] <= 4
        await until(lambda: scheduler.session.run not in engine.queue())

    async def test_jobs_of_other_options_are_other_arrays(
        self, engine: Engine, tmp_path: Path
    ) -> None:
        scheduler = engine.scheduler_class(tmp_path / "run", forks=50)
        command = ["/bin/sh", "-c", engine.told_cores]
        async with running(scheduler) as runner:
            await runner.feed_all(
                {"cmd": command, "resources": {"cpus": cpus}} for cpus in (1, 2, 1, 2)
            )
            await runner.stop_feeding()
            seen = [(await job.stdout_file.read_text()).split()[0] for job in runner.jobs]
        assert seen == ["1", "2", "1", "2"]
        assert {job.status for job in runner.jobs} == {JobStatus.FINISHED}
        assert scheduler.toolbox.calls[engine.submits] == 2
