"""Containers of the scheduler of processes: jobs that name one, and jobs that do not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import anyio
import pytest

from sched_core import Failure, JobStatus, Runner
from sched_core.model.container import Container
from sched_core.testing.contract.driver import driver_command, driver_killed_at_end
from sched_local import LocalScheduler

from ..jobs import INSIDE, ONCE, STUBBORN, begun, left_of, ran, until, waiting
from .machines import Engine
from .test_outcomes import engine

__all__ = ["engine"]

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]


def container_on(engine: Engine) -> dict[str, Any]:
    return {
        "image": engine.options["image"],
        "engine": engine.options["bin"],
        "args": engine.options.get("bin_args", []),
        "pull": "never",
    }


async def test_jobs_may_name_one(engine: Engine, tmp_path: Path) -> None:
    container = container_on(engine)
    scheduler = LocalScheduler(tmp_path / "run", forks=3, error_strategy="retry")
    async with Runner(scheduler, plugins=[]) as runner:
        plain = await runner.feed(["/bin/sh", "-c", f"{INSIDE}; id -u"])
        inside = await runner.feed(
            ["/bin/sh", "-c", f"{INSIDE}; id -u; cat $DATA/f"],
            container={**container, "volumes": [f"DATA={tmp_path}"]},
        )
        (tmp_path / "f").write_text("text\n")
        refused = await runner.feed(["true"], container={**container, "image": "no-such-image:1"})
    assert await plain.stdout_file.read_text() == f"{os.geteuid()}\n"
    assert await inside.stdout_file.read_text() == f"inside\n{os.geteuid()}\ntext\n"
    assert (refused.status, refused.failure) == (JobStatus.FAILED, Failure.REJECTED)
    assert refused.attempt == 1
    assert "no-such-image" in await refused.stderr_file.read_text()
    assert not engine.left()


@pytest.mark.witness("local", kind="engine")
async def test_t26_killing_ends_what_is_inside(engine: Engine, tmp_path: Path) -> None:
    scheduler = LocalScheduler(tmp_path / "run", container=container_on(engine), grace=0.5)
    async with Runner(scheduler, plugins=[]) as runner:
        job = await runner.feed(["/bin/bash", "-c", STUBBORN])
        await begun(job)
        await runner.kill(job)
        assert (job.status, job.failure) == (JobStatus.KILLED, Failure.CANCELLED)
        await until(lambda: not (left_of(runner, job) or engine.left()))


@pytest.mark.witness("local", kind="engine")
async def test_t26_the_time_limit_ends_what_is_inside(engine: Engine, tmp_path: Path) -> None:
    options: dict[str, Any] = {"timeout": 1, "grace": 0.5, "container": container_on(engine)}
    async with Runner(LocalScheduler(tmp_path / "run", **options), plugins=[]) as runner:
        job = await runner.wait(await runner.feed(["/bin/bash", "-c", STUBBORN]))
        assert (job.status, job.failure) == (JobStatus.FAILED, Failure.TIMEOUT)
        await until(lambda: not (left_of(runner, job) or engine.left()))


async def test_a_run_that_is_resumed_keeps_its_containers(engine: Engine, tmp_path: Path) -> None:
    folder, container = tmp_path / "run", container_on(engine)
    options: dict[str, Any] = {"container": container}
    commands = [waiting(), *[["/bin/sh", "-c", f"{ONCE}; {INSIDE}"]] * 2]
    argv = driver_command(LocalScheduler(folder, **options), options, commands, "asyncio")
    async with driver_killed_at_end(argv):
        await until((anyio.Path(folder) / "0/begun").exists)
    async with Runner.resume(folder, plugins=[]) as runner:
        assert runner.scheduler.container == Container.from_value(container)
        await (runner.scheduler.workdir / "gate").write_text("")
        await runner.stop_feeding()
        jobs = runner.jobs
    assert {job.status for job in jobs} == {JobStatus.FINISHED}
    assert [ran(folder, job) for job in jobs] == [["1"]] * 3
    assert [await job.stdout_file.read_text() for job in jobs[1:]] == ["inside\n"] * 2
    assert not engine.left()
