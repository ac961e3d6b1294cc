"""Few empty places are not worth a call at once, but none of them stays empty while jobs wait."""

from __future__ import annotations

from pathlib import Path

from sched_core import Job, JobStatus, Runner

from .helpers import Quick, until

GATE = ["/bin/bash", "-c", "until [[ -e $SCHED_WORKDIR/gate ]]; do sleep 0.05; done"]


def running(jobs: list[Job]) -> int:
    return sum(job.status is JobStatus.RUNNING for job in jobs)


async def test_one_empty_place_goes_to_an_array_that_has_tasks_left(
    slurm: Path, tmp_path: Path
) -> None:
    scheduler = Quick(tmp_path / "run", forks=20)
    async with Runner(scheduler) as runner:
        first = await runner.feed_all([GATE] * 8)
        await until(lambda: running(first) == 8)
        second = await runner.feed_all([GATE] * 20)
        await until(lambda: running(second) == 12)
        await runner.kill(first[0])
        await until(lambda: running(second) == 13)
        assert scheduler.toolbox.calls["sbatch"] == 2
        (tmp_path / "run/gate").touch()
    assert {job.status for job in second} == {JobStatus.FINISHED}


async def test_one_empty_place_is_worth_a_new_array(slurm: Path, tmp_path: Path) -> None:
    scheduler = Quick(tmp_path / "run", forks=20)
    async with Runner(scheduler) as runner:
        first = await runner.feed_all([GATE] * 20)
        await until(lambda: running(first) == 20)
        second = await runner.feed_all([GATE] * 5)
        await runner.kill(first[0])
        await until(lambda: running(second) == 1)
        assert scheduler.toolbox.calls["sbatch"] == 2
        (tmp_path / "run/gate").touch()
    assert {job.status for job in second} == {JobStatus.FINISHED}
