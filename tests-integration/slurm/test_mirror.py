"""Runs in a bucket whose jobs Slurm starts: its nodes see a mirror of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from sched_core import Runner, SpecPath
from sched_core.testing.contract.driver import driver_command, driver_killed_at_end

from ..gbatch.mirrors import BucketRun, bucket_run
from ..jobs import until
from .cluster import SlurmCluster
from .helpers import Asked

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

COUNTED = 'echo run >>"$SCHED_WORKDIR/ran.$SCHED_JOB_INDEX"; '
GATE = 'until [ -e "$SCHED_WORKDIR/gate" ]; do sleep 0.1; done; '


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BucketRun]:
    with bucket_run(tmp_path, monkeypatch) as run:
        yield run


def runner_of(run: BucketRun, existing: Any = "error", **options: Any) -> Runner:
    return Runner(Asked(run.workdir, forks=4, **options), existing=existing, plugins=[])


def shell(script: str) -> list[str]:
    return ["/bin/sh", "-c", script]


async def test_jobs_run_and_their_outputs_are_in_the_bucket(
    slurm: SlurmCluster, run: BucketRun
) -> None:
    await SpecPath(f"{run.workdir}/in.txt").write_text("in\n")
    async with runner_of(run) as runner:
        jobs = [
            await runner.feed(shell('cat "$SCHED_WORKDIR/in.txt"; echo err >&2')) for _ in range(8)
        ]
        bad = await runner.feed(shell("exit 3"))
        async for job in runner.as_completed():
            assert run.text(f"{job.index}/job.rc") == f"{job.rc}\n"
    assert [await job.stdout_file.read_text() for job in jobs] == ["in\n"] * 8
    assert (bad.status.name, bad.rc) == ("FAILED", 3)
    assert run.text("3/job.stderr") == "err\n"
    assert run.text("3/job.wrapped.slurm").startswith("#!/bin/bash")


async def test_what_a_dead_driver_left_is_taken_over(slurm: SlurmCluster, run: BucketRun) -> None:
    scheduler = Asked(run.workdir, forks=4)
    commands = [shell(COUNTED + GATE + "echo out")] * 3
    argv = driver_command(scheduler, {"forks": 4}, commands, "asyncio")
    async with driver_killed_at_end(argv):
        await until(lambda: len(list(run.mirror.glob("ran.*"))) == 3)
    # Nobody is left who could bring it; what ends meanwhile is brought by the next driver.
    (run.mirror / "gate").touch()
    await until(lambda: len(list(run.mirror.glob("[0-9]/job.rc"))) == 3)
    assert not list(run.objects.glob("[0-9]/job.stdout"))
    async with runner_of(run, "resume") as runner:
        await runner.stop_feeding()
        assert [(job.status.name, job.attempt) for job in runner.jobs] == [("FINISHED", 1)] * 3
    assert [run.text(f"{n}/job.stdout") for n in range(3)] == ["out\n"] * 3
    assert [run.text(f"ran.{n}") for n in range(3)] == ["run\n"] * 3


async def test_another_machine_goes_on(slurm: SlurmCluster, run: BucketRun, tmp_path: Path) -> None:
    async with runner_of(run) as runner:
        await runner.feed(shell(COUNTED + "echo first"))
    run.mirror.rename(tmp_path / "gone")
    async with runner_of(run, "resume", mirror=tmp_path / "other") as runner:
        again = await runner.feed(shell(COUNTED + "echo first"))
        waits = await runner.feed(shell(GATE + "cat $SCHED_WORKDIR/ran.0"))
        await SpecPath(f"{run.workdir}/gate").write_text("")
        assert await again.stdout_file.read_text() == "first\n"
        await runner.wait(waits)
    assert run.text("1/job.stdout") == "run\n"
    assert (tmp_path / "other/1/job.stdout").exists()


async def test_a_job_that_waits_is_killed(slurm: SlurmCluster, run: BucketRun) -> None:
    async with runner_of(run) as runner:
        job = await runner.feed(shell("sleep 600"))
        await until(lambda: job.status.active)
        with anyio.fail_after(60):
            await runner.kill(job)
    assert (job.status.name, run.text("0/job.status")) == ("KILLED", str(int(job.status)))
