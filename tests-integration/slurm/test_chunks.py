"""Several jobs in one task of the real Slurm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sched_core import Failure, JobStatus

from .cluster import SlurmCluster
from .helpers import ONCE, Asked, begun, ran, running, started_again, until, waiting


async def test_short_jobs_share_tasks(slurm: SlurmCluster, tmp_path: Path) -> None:
    script = f'{ONCE}; [ "$SCHED_ATTEMPT" -gt $((SCHED_JOB_INDEX % 2)) ]'
    options: dict[str, Any] = {"error_strategy": "retry", "num_retries": 1}
    scheduler = Asked(tmp_path / "run", forks=4, chunk=10, **options)
    async with running(scheduler) as runner:
        jobs = [await runner.feed(["/bin/sh", "-c", script]) for _ in range(100)]
    assert {job.status for job in jobs} == {JobStatus.FINISHED}
    assert [ran(scheduler.workdir, job) for job in jobs] == [["1"], ["1", "2"]] * 50
    first = {job.jid for job in jobs[::2]}
    assert len(first) == 10
    assert scheduler.toolbox.calls["sbatch"] < 10


async def test_one_of_a_task_is_killed_alone(slurm: SlurmCluster, tmp_path: Path) -> None:
    scheduler = Asked(tmp_path / "run", chunk=3, grace=1)
    async with running(scheduler) as runner:
        killed, *others = [await runner.feed(waiting()) for _ in range(3)]
        await begun(killed)
        await runner.kill(killed)
        await until(lambda: killed.status.final)
        await (scheduler.workdir / "gate").write_text("")
    assert (killed.status, killed.failure) == (JobStatus.KILLED, Failure.CANCELLED)
    assert {job.status for job in others} == {JobStatus.FINISHED}
    assert len({job.jid for job in [killed, *others]}) == 1
    assert scheduler.toolbox.calls["scancel"] == 0


async def test_a_task_that_is_cancelled_by_hand_takes_all_its_jobs_along(
    slurm: SlurmCluster, tmp_path: Path
) -> None:
    async with running(Asked(tmp_path / "run", forks=2, chunk=2)) as runner:
        first, second, other = [await runner.feed(waiting()) for _ in range(3)]
        await begun(first)
        await begun(other)
        slurm.run("scancel", str(first.jid))
        await until(lambda: first.status.final and second.status.final)
        await (runner.scheduler.workdir / "gate").write_text("")
    assert {(job.status, job.failure) for job in (first, second)} == {
        (JobStatus.FAILED, Failure.CANCELLED)
    }
    assert ran(runner.scheduler.workdir, second) == []
    assert other.status is JobStatus.FINISHED


async def test_a_task_that_is_requeued_goes_on_where_it_was(
    slurm: SlurmCluster, tmp_path: Path
) -> None:
    async with running(Asked(tmp_path / "run", chunk=3, requeue=True)) as runner:
        done = await runner.feed(["/bin/sh", "-c", ONCE])
        again, later = [await runner.feed(waiting()) for _ in range(2)]
        await begun(again)
        await (again.metadir / "begun").unlink()
        slurm.run("scontrol", "requeue", str(again.jid))
        await started_again(slurm, again)
        await (runner.scheduler.workdir / "gate").write_text("")
    assert {job.status for job in (done, again, later)} == {JobStatus.FINISHED}
    starts = [ran(runner.scheduler.workdir, job) for job in (done, again, later)]
    assert starts == [["1"], ["1", "1"], ["1"]]
    assert (again.restart, again.trial_count) == (1, 0)
