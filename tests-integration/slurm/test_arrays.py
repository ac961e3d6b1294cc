"""Arrays: few submissions, never more at once than forks, few questions."""

from __future__ import annotations

import re
from pathlib import Path

import anyio
import pytest

from sched_core import JobStatus, Runner

from .cluster import SlurmCluster
from .helpers import ONCE, Asked, begun, ran, running, until, waiting

pytestmark = pytest.mark.anyio

_NOTED = f'{ONCE}; echo "+ $(date +%s%N)"; sleep 0.2; echo "- $(date +%s%N)"'


def most_at_once(outputs: list[str]) -> int:
    moments = [
        (int(when), 1 if sign == "+" else -1)
        for text in outputs
        for sign, when in re.findall(r"([+-]) (\d+)", text)
    ]
    level = highest = 0
    for _, step in sorted(moments):
        level += step
        highest = max(highest, level)
    return highest


@pytest.mark.timeout(1200)
async def test_many_jobs_are_few_arrays(
    bare_slurm: SlurmCluster, tmp_path: Path, full: bool
) -> None:
    count, forks = (1000, 100) if full else (400, 40)
    await run_many(Asked(tmp_path / "run", forks=forks), count, -(-count // 101) + 2)


@pytest.mark.timeout(2400)
async def test_ten_thousand_jobs_are_ten_arrays(
    slurm: SlurmCluster, tmp_path: Path, full: bool
) -> None:
    if not full:
        pytest.skip("by --full: takes minutes")
    await run_many(Asked(tmp_path / "run", forks=100), 10_000, 12)


async def run_many(scheduler: Asked, count: int, submissions: int) -> None:
    async with Runner(scheduler, plugins=[]) as runner:
        jobs = await runner.feed_all([["/bin/sh", "-c", _NOTED]] * count)
        await runner.stop_feeding()
    assert {job.status for job in jobs} == {JobStatus.FINISHED}
    assert all(ran(scheduler.workdir, job) == ["1"] for job in jobs)
    assert most_at_once([await job.stdout_file.read_text() for job in jobs]) <= scheduler.forks
    assert scheduler.toolbox.calls["sbatch"] <= submissions
    assert scheduler.toolbox.calls["sacct"] == 0


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
    scheduler = Asked(tmp_path / "run", forks=50)
    async with running(scheduler) as runner:
        jobs = await runner.feed_all([waiting()] * 50)
        for job in jobs:
            await begun(job)
        before = scheduler.toolbox.calls["squeue"]
        await anyio.sleep(6)
        assert 1 <= scheduler.toolbox.calls["squeue"] - before <= 6
        await (scheduler.workdir / "gate").write_text("")
        await runner.stop_feeding()
    assert scheduler.toolbox.calls["sacct"] == 0


async def test_killing_is_a_matter_of_few_calls(slurm: SlurmCluster, tmp_path: Path) -> None:
    scheduler = Asked(tmp_path / "run", forks=20)
    async with running(scheduler) as runner:
        jobs = await runner.feed_all([waiting()] * 200)
        await begun(jobs[0])
        await runner.cancel()
    assert not any(job.status is JobStatus.FINISHED for job in jobs)
    assert scheduler.toolbox.calls["scancel"] <= 4
    assert slurm.run("squeue", "--noheader", f"--name={_name_of(scheduler)}") == ""


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
