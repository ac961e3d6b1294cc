"""Arrays: few submissions, never more at once than forks, few questions."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import anyio
import pytest

from sched_core import AttemptId, Failure, Job, JobStatus, Observation, Runner
from sched_core.testing.contract.driver import driver_command

from .cluster import SlurmCluster
from .helpers import (
    NOTED,
    Asked,
    Clock,
    Purged,
    begun,
    most_at_once,
    pending,
    ran,
    running,
    until,
    waiting,
)

pytestmark = pytest.mark.anyio


@pytest.mark.timeout(1200)
async def test_many_jobs_are_few_arrays(bare_slurm: SlurmCluster, tmp_path: Path) -> None:
    await run_many(Asked(tmp_path / "run", forks=100), 1000, 12)


@pytest.mark.full
@pytest.mark.timeout(2400)
async def test_ten_thousand_jobs_are_ten_arrays(slurm: SlurmCluster, tmp_path: Path) -> None:
    await run_many(Asked(tmp_path / "run", forks=100), 10_000, 12)


async def run_many(scheduler: Asked, count: int, submissions: int) -> None:
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
    assert calls["sbatch"] <= submissions
    assert calls["sacct"] == 0


async def test_fewer_forks_on_resume(bare_slurm: SlurmCluster, tmp_path: Path) -> None:
    first = Asked(tmp_path / "run", forks=20)
    commands = [waiting()] * 60
    argv = driver_command(first, {"forks": 20}, commands, "asyncio")
    async with await anyio.open_process(argv, stdout=None, stderr=None) as driver:
        marks = anyio.Path(tmp_path / "run")
        await until(lambda: _count(marks, "*/begun", 20))
        driver.kill()
    scheduler = Asked(tmp_path / "run", forks=5)
    async with running(scheduler, existing="resume") as runner:
        jobs = await runner.feed_all(commands)
        queue = ("squeue", "--noheader", "--states=PENDING", "--format=%i")
        await until(lambda: "%5]" in bare_slurm.run(*queue))
        resumed = time.time()
        await (scheduler.workdir / "gate").write_text("")
        await runner.stop_feeding()
    assert {job.status for job in jobs} == {JobStatus.FINISHED}
    assert all(ran(scheduler.workdir, job) == ["1"] for job in jobs)
    outputs = [await job.stdout_file.read_text() for job in jobs]
    assert most_at_once(outputs) == 20
    assert 1 <= most_at_once(outputs, since=resumed) <= 5


async def _count(folder: anyio.Path, pattern: str, wanted: int) -> bool:
    return len([path async for path in folder.glob(pattern)]) >= wanted


async def test_all_places_are_used_though_arrays_are_small(
    bare_slurm: SlurmCluster, tmp_path: Path
) -> None:
    scheduler = Asked(tmp_path / "run", forks=20)
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
        assert scheduler.toolbox.calls["sbatch"] == 2
        await (scheduler.workdir / "gate").write_text("")
        await runner.stop_feeding()
    assert {job.status for job in second} == {JobStatus.FINISHED}


async def test_one_question_for_all_jobs_at_intervals_that_grow(
    slurm: SlurmCluster, tmp_path: Path
) -> None:
    clock = Clock()
    asked: list[float] = []

    class Patient(Asked):
        poll_interval = (0.25, 1.5)
        spool_interval = 0.05

        async def query_jobs(self, jobs: Sequence[Job]) -> Mapping[AttemptId, Observation]:
            asked.append(clock.read)  # for which it was time now
            return await super().query_jobs(jobs)

    def gaps(since: int = 0) -> list[float]:
        return [later - earlier for earlier, later in pairwise(asked[since:])]

    scheduler = Patient(tmp_path / "run", forks=50)
    async with running(scheduler, ports=clock) as runner:
        jobs = await runner.feed_all([waiting()] * 50)
        for job in jobs:
            await begun(job)
        quiet = len(asked)
        await until(lambda: max(gaps(quiet), default=0.0) >= 1.5)
        calls = scheduler.toolbox.calls
        assert calls["sacct"] == 0
        await (scheduler.workdir / "gate").write_text("")
        await runner.stop_feeding()
    assert min(gaps()) >= 0.25
    assert 1 <= calls["squeue"] <= len(asked)
    assert calls["sbatch"] == 1


async def test_the_accounting_is_asked_only_about_what_the_queue_does_not_know(
    start_slurm: Callable[..., SlurmCluster], slurm: SlurmCluster, tmp_path: Path
) -> None:
    cluster = start_slurm(beside=slurm, name="north", nodes=1, settings={"MinJobAge": 2})

    class Recorded(Purged):
        async def query_tasks(self, jobs: Sequence[Job]) -> Mapping[AttemptId, Observation]:
            command = ("sacct", "--noheader", "--allocations", f"--jobs={jobs[0].jid}")
            await until(lambda: "CANCELLED" in cluster.run(*command, "--format=State"))
            return await super().query_tasks(jobs)

    scheduler = Recorded(tmp_path / "run", begin="now+1hour")
    calls = scheduler.toolbox.calls
    async with running(scheduler) as runner:
        job = await runner.feed(waiting())
        await pending(job)
        cluster.run("scancel", str(job.jid))
        await runner.wait(job)
    assert (job.status, job.failure) == (JobStatus.FAILED, Failure.CANCELLED)
    assert calls["sacct"] == 1


async def test_killing_is_a_matter_of_few_calls(slurm: SlurmCluster, tmp_path: Path) -> None:
    scheduler = Asked(tmp_path / "run", forks=20)
    async with running(scheduler) as runner:
        jobs = await runner.feed_all([waiting()] * 200)
        await begun(jobs[0])
        await runner.cancel()
    assert not any(job.status is JobStatus.FINISHED for job in jobs)
    assert scheduler.toolbox.calls["scancel"] <= 4
    queue = ("squeue", "--noheader", f"--name={_name_of(scheduler)}")
    await until(lambda: not slurm.run(*queue))  # it tells of a job until its node has cleaned up


def _name_of(scheduler: Asked) -> str:
    return f"slurm-{scheduler.session.run}"


async def test_jobs_of_other_options_are_other_arrays(slurm: SlurmCluster, tmp_path: Path) -> None:
    scheduler = Asked(tmp_path / "run", forks=50)
    async with running(scheduler) as runner:
        for cpus in (1, 2, 1, 2):
            await runner.feed(
                ["/bin/sh", "-c", "echo $SLURM_CPUS_ON_NODE; nproc; srun nproc"],
                resources={"cpus": cpus},
            )
        await runner.stop_feeding()
        seen = [(await job.stdout_file.read_text()).split()[0] for job in runner.jobs]
    assert seen == ["1", "2", "1", "2"]
    assert scheduler.toolbox.calls["sbatch"] == 2
