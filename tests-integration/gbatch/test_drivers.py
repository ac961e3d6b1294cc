"""Drivers that are killed, at any moment, and followed by others: every job runs exactly once."""

from __future__ import annotations

import random
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from anyio.abc import Process

from sched_core import JobStatus, RunExists, Runner
from sched_core.testing.contract.driver import driver_command, driver_killed_at_end

from .cloud import COUNTED, Cloud, gated, until

COMMAND = ["/bin/bash", "-c", f"{COUNTED}; sleep 0.$((RANDOM % 3))"]


@asynccontextmanager
async def driver(
    cloud: Cloud, workdir: str, commands: list[list[str]], **options: Any
) -> AsyncIterator[Process]:
    """Have another process drive the run, until the block is left: then it is killed."""
    options = {"forks": 8, **cloud.options, **options}
    argv = driver_command(cloud.scheduler(workdir), options, commands, "asyncio", "resume")
    async with driver_killed_at_end(argv) as process:
        yield process
    assert process.returncode in (0, -signal.SIGKILL), "the driver has failed; its stderr tells why"


@asynccontextmanager
async def resumed(cloud: Cloud, workdir: str, **options: Any) -> AsyncIterator[Runner]:
    """Go on with the run in this process."""
    scheduler = cloud.scheduler(workdir, **options)
    async with cloud.run(scheduler, patience=100, existing="resume") as runner:
        yield runner


def check_once(cloud: Cloud, runner: Runner, workdir: str, count: int) -> None:
    """See that every job has finished, and ran once, by its own word and by Batch's."""
    assert Counter(job.status for job in runner.jobs) == {JobStatus.FINISHED: count}
    assert cloud.counted(workdir) == dict.fromkeys(range(count), 1)
    assert [job.trial_count for job in runner.jobs] == [0] * count
    label = runner.scheduler.session.run
    starts = Counter(start for start in cloud.starts() if f"-{label}-" in start[0])
    assert set(starts.values()) == {1}
    assert len(starts) == count


async def test_jobs_that_run_are_not_looked_for_in_another_region(cloud: Cloud) -> None:
    place = cloud.workdir()
    async with driver(cloud, place, [gated()]):
        await until(lambda: cloud.counted(place) == {0: 1})
        await until(lambda: cloud.calls("GetJob") > 0)
    with pytest.raises(RunExists, match="with the options that it had first"):
        async with resumed(cloud, place, location="europe-west1"):
            pass
    async with resumed(cloud, place, location="us-central1-a") as runner:
        cloud.open_gate(workdir=place)
    check_once(cloud, runner, place, 1)


async def test_what_a_dead_driver_left_is_taken_over(cloud: Cloud) -> None:
    place, commands = cloud.workdir(), [gated()] * 5
    async with driver(cloud, place, commands, forks=2):
        await until(lambda: len(cloud.counted()) == 2)
    async with resumed(cloud, place, forks=2) as runner:
        await runner.feed_all(commands)
        cloud.open_gate()
        await runner.stop_feeding()
        check_once(cloud, runner, place, 5)
    assert len(cloud.jobs()) == 1


async def test_t06_jobs_that_ended_while_there_was_no_driver(cloud: Cloud) -> None:
    place = cloud.workdir()
    async with driver(cloud, place, [gated(), gated()]):
        await until(lambda: len(cloud.counted()) == 2)
    cloud.open_gate()
    (batch,) = cloud.jobs()
    await cloud.do(cloud.batch.wait, batch)
    async with resumed(cloud, place) as runner:
        await runner.stop_feeding()
        check_once(cloud, runner, place, 2)


@pytest.mark.parametrize("applied", [True, False], ids=["made", "not made"])
async def test_t05_a_driver_that_dies_in_the_middle_of_create(cloud: Cloud, applied: bool) -> None:
    """Nobody knows whether the Batch job was made: it is looked up by its name."""
    cloud.batch.fault("CreateJob", hang=True, applied=applied)
    place, commands = cloud.workdir(), [COMMAND] * 6
    async with driver(cloud, place, commands):
        await until(lambda: cloud.calls("CreateJob") == 1)
        if applied:
            await until(lambda: len(cloud.jobs()) == 1)
    async with resumed(cloud, place) as runner:
        await runner.feed_all(commands)
        await runner.stop_feeding()
        check_once(cloud, runner, place, 6)
    assert len(cloud.jobs()) == 1


async def test_t05_a_driver_that_dies_before_it_has_called_batch(cloud: Cloud) -> None:
    cloud.storage.fault("delay", path="bundles", seconds=1.0)
    place, commands = cloud.workdir(), [COMMAND] * 3
    async with driver(cloud, place, commands):
        await until(lambda: bool(list(cloud.folder(place).glob(".sched/journal/*"))))
    async with resumed(cloud, place) as runner:
        await runner.feed_all(commands)
        await runner.stop_feeding()
        check_once(cloud, runner, place, 3)


async def test_a_batch_job_that_was_deleted_while_there_was_no_driver(cloud: Cloud) -> None:
    cloud.batch.freeze()
    place, commands = cloud.workdir(), [COMMAND] * 2
    async with driver(cloud, place, commands):
        await until(lambda: len(cloud.jobs()) == 1)
    (batch,) = cloud.jobs()
    await cloud.do(cloud.batch.delete, batch)
    cloud.batch.resume()
    async with resumed(cloud, place) as runner:
        await runner.stop_feeding()
    assert all(job.status.final for job in runner.jobs)
    assert all(count == 1 for count in cloud.counted(place).values())


@pytest.mark.timeout(3000)
async def test_a_driver_that_is_killed_at_random(cloud: Cloud, full: bool) -> None:
    runs, count = (20, 200) if full else (2, 60)
    seed = time.time_ns() & 0xFFFF if full else 7
    chance, left = random.Random(seed), []
    for number in range(runs):
        place, commands = cloud.workdir(f"run{number}"), [COMMAND] * count
        async with driver(cloud, place, commands, forks=20):
            await until(lambda place=place: cloud.folder(place).exists())  # type: ignore[misc]
            await anyio.sleep(chance.uniform(0.0, 12.0 if full else 5.0))
        left.append(count - len(cloud.counted(place)))
        async with resumed(cloud, place, forks=20) as runner:
            await runner.feed_all(commands)
            await runner.stop_feeding()
            check_once(cloud, runner, place, count)
    sys.stdout.write(
        f"seed {seed}: {runs} drivers killed when so many of {count} were left: {left}\n"
    )
