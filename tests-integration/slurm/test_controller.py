"""A controller that is down, hangs, or loses what it had taken: nothing lost, nothing twice."""

from __future__ import annotations

import signal
from pathlib import Path

import anyio
import pytest

from sched_core import JobStatus

from .cluster import SlurmCluster
from .helpers import ONCE, Asked, begun, pending, ran, running, until, waiting

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(200)]


async def test_a_controller_that_is_down_is_waited_for(slurm: SlurmCluster, tmp_path: Path) -> None:
    scheduler = Asked(tmp_path / "run", forks=5)
    async with running(scheduler) as runner:
        first = await runner.feed(waiting())
        await begun(first)
        slurm.controller.stop()
        second = await runner.feed(["/bin/sh", "-c", ONCE])
        await anyio.sleep(8)
        assert (first.status, second.status) == (JobStatus.RUNNING, JobStatus.QUEUED)
        slurm.controller.start()
        await anyio.to_thread.run_sync(slurm.until_ready)
        await (scheduler.workdir / "gate").write_text("")
        await runner.stop_feeding()
    assert [(job.status, job.attempt) for job in runner.jobs] == [(JobStatus.FINISHED, 1)] * 2
    assert ran(scheduler.workdir, first) == ran(scheduler.workdir, second) == ["1"]


async def test_a_submission_whose_answer_was_lost_is_found(
    slurm: SlurmCluster, tmp_path: Path
) -> None:
    scheduler = Asked(tmp_path / "run", forks=5)
    async with running(scheduler) as runner:
        slurm.controller.signal(signal.SIGSTOP)
        try:
            jobs = await runner.feed_all([["/bin/sh", "-c", ONCE]] * 5)
            await until(lambda: scheduler.session.reconciler.looking_up)
        finally:
            slurm.controller.signal(signal.SIGCONT)
        await runner.stop_feeding()
    assert [job.status for job in jobs] == [JobStatus.FINISHED] * 5
    assert [len(ran(scheduler.workdir, job)) for job in jobs] == [1] * 5


async def test_jobs_that_the_controller_has_forgotten_are_submitted_again(
    slurm: SlurmCluster, tmp_path: Path
) -> None:
    class Seldom(Asked):
        poll_interval = (6.0, 6.0)

    scheduler = Seldom(tmp_path / "run", begin="now+15")
    saved = slurm.root / "state"
    slurm.controller.stop()
    before = {path: path.read_bytes() for path in saved.iterdir() if path.is_file()}
    slurm.controller.start()
    await anyio.to_thread.run_sync(slurm.until_ready)
    async with running(scheduler) as runner:
        job = await runner.feed(["/bin/sh", "-c", ONCE])
        await pending(job)
        taken = str(job.jid)
        slurm.crash_controller()
        for path, content in before.items():  # as if it had not come to saving
            path.write_bytes(content)
        slurm.controller.start()
        await anyio.to_thread.run_sync(slurm.until_ready)
        other = slurm.run("sbatch", "--parsable", "-o", "/dev/null", "--wrap", "sleep 20").strip()
        assert other == taken
        await runner.wait(job)
        assert (job.status, job.attempt, job.trial_count) == (JobStatus.FINISHED, 2, 0)
        assert job.jid != taken
    assert ran(scheduler.workdir, job) == ["2"]
    assert slurm.run("squeue", "-h", "-j", other, "-o", "%T").strip() == "RUNNING"
    slurm.run("scancel", other)


async def test_a_controller_that_dies_while_jobs_run(slurm: SlurmCluster, tmp_path: Path) -> None:
    scheduler = Asked(tmp_path / "run", forks=10)
    async with running(scheduler) as runner:
        jobs = await runner.feed_all([["/bin/sh", "-c", f"{ONCE}; sleep 1"]] * 40)
        for _ in range(3):
            await anyio.sleep(1.5)
            slurm.crash_controller()
            slurm.controller.start()
            await anyio.to_thread.run_sync(slurm.until_ready)
        await runner.stop_feeding()
    assert {job.status for job in jobs} == {JobStatus.FINISHED}
    assert [len(ran(scheduler.workdir, job)) for job in jobs] == [1] * 40
