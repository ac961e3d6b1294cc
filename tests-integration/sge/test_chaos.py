"""The driver is killed at random while many jobs run, and the run is resumed: exactly once."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import anyio
import pytest

from sched_core import JobStatus, Runner
from sched_core.testing.contract.driver import driver_command

from .cluster import SgeCluster
from .helpers import ONCE, Asked, ran

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(1800)]


async def test_a_driver_that_is_killed_at_random(
    sge: SgeCluster, tmp_path: Path, full: bool
) -> None:
    runs, count = (20, 300) if full else (2, 100)
    chance = random.Random(3)
    for number in range(runs):
        scheduler = Asked(tmp_path / f"run{number}", forks=60)
        command = ["/bin/sh", "-c", f"{ONCE}; sleep 1.$SCHED_JOB_INDEX"]
        argv = driver_command(scheduler, {"forks": 60}, [command] * count, "asyncio")
        async with await anyio.open_process(argv, stdout=None, stderr=None) as driver:
            await anyio.sleep(chance.uniform(0.8, 6.0))
            driver.kill()
        await resumed(scheduler, count, [command] * count)


async def resumed(scheduler: Asked, count: int, commands: list[list[str]]) -> None:
    with anyio.fail_after(200):
        async with Runner(scheduler, plugins=[], existing="resume") as runner:
            await runner.feed_all(commands)
            await runner.stop_feeding()
            jobs = runner.jobs
    assert Counter(job.status for job in jobs) == {JobStatus.FINISHED: count}
    assert Counter(len(ran(scheduler.workdir, job)) for job in jobs) == {1: count}
