"""One container serves job after job."""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from sched_container import ContainerScheduler
from sched_core import Failure, JobStatus, Runner, Secret
from sched_core.processes.tree import find_by_token
from sched_core.scheduler import job_token
from sched_core.testing.contract.driver import driver_command, driver_killed_at_end

from ..jobs import begun, ran, until, waiting
from .machines import Engine
from .test_outcomes import OWN_CODES, engine, keeper

__all__ = ["engine", "keeper"]

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]


def scheduler(engine: Engine, folder: Path, **options: Any) -> ContainerScheduler:
    own = {"pull": "never", "reuse": True, **engine.options, **options}
    return ContainerScheduler(folder / "run", **own)


SAY = 'echo "$SCHED_JOB_INDEX $(cat /tmp/seen 2>/dev/null)"; echo said >&2; echo "$SCHED_SLOT" >/tmp/seen; cd /; X=1'


async def test_jobs_follow_each_other_in_one_container(engine: Engine, tmp_path: Path) -> None:
    async with Runner(scheduler(engine, tmp_path, forks=1), plugins=[]) as runner:
        jobs = await runner.feed_all([["/bin/sh", "-c", SAY]] * 3)
        await runner.stop_feeding()
    said = [await job.stdout_file.read_text() for job in jobs]
    assert said == ["0 \n", "1 0\n", "2 0\n"]
    assert [await job.stderr_file.read_text() for job in jobs] == ["said\n"] * 3
    assert not engine.left()


async def test_outcomes_are_told_apart(engine: Engine, tmp_path: Path) -> None:
    async with Runner(scheduler(engine, tmp_path, forks=2), plugins=[]) as runner:
        jobs = await runner.feed_all([["/bin/sh", "-c", f"exit {n}"] for n in OWN_CODES])
        missing = await runner.feed(["no-such-command"])
        await runner.stop_feeding()
    assert [job.rc for job in jobs] == OWN_CODES
    assert {job.failure for job in [*jobs, missing]} == {Failure.EXIT}
    assert missing.rc == 127


async def test_what_a_job_leaves_running_ends_with_it(engine: Engine, tmp_path: Path) -> None:
    async with Runner(scheduler(engine, tmp_path, forks=1), plugins=[]) as runner:
        job = await runner.feed(["/bin/sh", "-c", "sleep 1000 & setsid sleep 1000 &"])
        await runner.wait(job)
        await until(lambda: not find_by_token(job_token(runner.scheduler.session.run, job)))
        assert job.status is JobStatus.FINISHED
        assert (await runner.wait(await runner.feed(["true"]))).rc == 0


async def test_a_job_is_killed_and_its_container_goes_on(engine: Engine, tmp_path: Path) -> None:
    async with Runner(scheduler(engine, tmp_path, forks=1), plugins=[]) as runner:
        first = await runner.wait(await runner.feed(["/bin/sh", "-c", "echo here >/tmp/here"]))
        job = await runner.feed(waiting())
        await begun(job)
        await runner.kill(job)
        last = await runner.wait(await runner.feed(["/bin/cat", "/tmp/here"]))
    assert (first.rc, job.status, last.rc) == (0, JobStatus.KILLED, 0)


async def test_a_signal_reaches_the_command(engine: Engine, tmp_path: Path) -> None:
    text = "trap 'echo told; exit 7' TERM; : >\"$SCHED_JOB_METADIR/begun\"; while :; do sleep 0.1; done"
    async with Runner(scheduler(engine, tmp_path, forks=1), plugins=[]) as runner:
        job = await runner.feed(["/bin/sh", "-c", text])
        await begun(job)
        os.kill(int(job.jid or 0), signal.SIGTERM)
        await runner.wait(job)
    assert (job.rc, await job.stdout_file.read_text()) == (7, "told\n")


async def test_a_command_that_takes_too_long(engine: Engine, tmp_path: Path) -> None:
    stubborn = ["/bin/sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"]
    async with Runner(scheduler(engine, tmp_path, forks=1, grace=0.5), plugins=[]) as runner:
        jobs = [
            await runner.wait(await runner.feed(command, timeout=0.5))
            for command in (["/bin/sleep", "1000"], stubborn)
        ]
        after = await runner.wait(await runner.feed(["true"]))
    assert [job.failure for job in jobs] == [Failure.TIMEOUT] * 2
    assert after.rc == 0
    assert not engine.left()


async def test_a_command_that_takes_less_than_its_limit(engine: Engine, tmp_path: Path) -> None:
    """The job for which the container is started, too, ends with its command."""
    limit = 600
    async with Runner(scheduler(engine, tmp_path, forks=1), plugins=[]) as runner:
        jobs = [
            await runner.wait(await runner.feed(["/bin/sh", "-c", "exit 3"], timeout=limit))
            for _ in range(2)
        ]
    assert [(job.rc, job.failure) for job in jobs] == [(3, Failure.EXIT)] * 2
    for job in jobs:
        assert job.started is not None
        assert job.ended is not None
        assert job.ended - job.started < limit / 2


async def test_a_container_that_is_removed_between_jobs(keeper: Engine, tmp_path: Path) -> None:
    async with Runner(scheduler(keeper, tmp_path, forks=1), plugins=[]) as runner:
        first = await runner.wait(await runner.feed(["true"]))
        keeper.run("rm", "-f", *keeper.at_once, *keeper.left())
        second = await runner.wait(await runner.feed(["true"]))
    assert [(job.rc, job.attempt) for job in (first, second)] == [(0, 1)] * 2
    assert not keeper.left()


async def test_a_container_that_is_removed_under_a_job(keeper: Engine, tmp_path: Path) -> None:
    async with Runner(scheduler(keeper, tmp_path, forks=1), plugins=[]) as runner:
        job = await runner.feed(waiting())
        await begun(job)
        keeper.run("rm", "-f", *keeper.at_once, *keeper.left())
        await runner.wait(job)
        after = await runner.wait(await runner.feed(["true"]))
    assert (job.status, job.failure) == (JobStatus.FAILED, Failure.LOST)
    assert after.rc == 0
    assert not keeper.left()


async def test_a_job_with_other_needs_gets_another_container(
    keeper: Engine, tmp_path: Path
) -> None:
    names = ["/bin/sh", "-c", "cat /etc/hostname /proc/sys/kernel/hostname | tail -n 1"]
    other = {"args": [*keeper.options["bin_args"], "--env", "OTHER=1"]}
    async with Runner(scheduler(keeper, tmp_path, forks=1), plugins=[]) as runner:
        jobs = [
            await runner.wait(await runner.feed(names, container=own))
            for own in (None, None, other)
        ]
    said = [await job.stdout_file.read_text() for job in jobs]
    assert [count for _, count in Counter(said).most_common()] == [2, 1]
    assert said[0] == said[1]


async def test_a_refused_container_is_told_in_the_engines_words(
    keeper: Engine, tmp_path: Path
) -> None:
    own = {"image": "no-such-image:1"}
    async with Runner(scheduler(keeper, tmp_path, forks=1), plugins=[]) as runner:
        job = await runner.wait(await runner.feed(["true"], container=own))
        after = await runner.wait(await runner.feed(["true"]))
    assert (job.failure, after.rc) == (Failure.REJECTED, 0)
    assert "no-such-image:1" in await job.stderr_file.read_text()
    assert not keeper.left()


async def test_jobs_outlive_the_driver(engine: Engine, tmp_path: Path) -> None:
    commands = [waiting() for _ in range(4)]
    first = scheduler(engine, tmp_path, forks=2)
    argv = driver_command(first, first.options(), commands, "asyncio")
    folder = tmp_path / "run"
    async with driver_killed_at_end(argv):
        await until(lambda: (folder / "0/begun").exists() and (folder / "1/begun").exists())
    async with Runner(
        scheduler(engine, tmp_path, forks=2), plugins=[], existing="resume"
    ) as runner:
        jobs = await runner.feed_all(commands)
        await (runner.scheduler.workdir / "gate").write_text("")
        await runner.stop_feeding()
    assert [(job.status, ran(folder, job)) for job in jobs] == [(JobStatus.FINISHED, ["1"])] * 4
    await until(lambda: not engine.left())


async def test_t43_the_next_job_in_a_container_has_no_secret_of_the_one_before(
    engine: Engine, tmp_path: Path
) -> None:
    said = 'test "$TOKEN" && echo has; cat /proc/[0-9]*/environ | tr "\\0" "\\n" | grep -c ^TOKEN='
    async with Runner(scheduler(engine, tmp_path, forks=1), plugins=[]) as runner:
        jobs = [
            await runner.feed(["/bin/sh", "-c", said], envs=envs)
            for envs in ({"TOKEN": Secret("hunter2")}, None)
        ]
        await runner.stop_feeding()
    outputs = [await job.stdout_file.read_text() for job in jobs]
    assert outputs[0].startswith("has\n")
    assert [jobs[1].rc, outputs[1]] == [1, "0\n"]
