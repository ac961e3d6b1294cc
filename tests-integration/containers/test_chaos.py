"""The driver is killed at random while containers run, and the run is resumed: each job once."""

from __future__ import annotations

import random
import sys
from collections import Counter
from pathlib import Path

import anyio
import pytest

from sched_core import JobStatus, Runner
from sched_core.testing.contract.driver import driver_command, driver_killed_at_end

from ..jobs import ONCE, ran
from .machines import Engine
from .test_outcomes import engine, scheduler

__all__ = ["engine"]

pytestmark = pytest.mark.anyio


@pytest.mark.timeout(3600)
async def test_once_each_though_drivers_die(engine: Engine, tmp_path: Path, full: bool) -> None:
    count, forks = (100, 8) if full else (20, 4)
    for seed in range(20 if full else 1):
        folder, rng = tmp_path / str(seed), random.Random(seed)
        commands = [["/bin/sh", "-c", f"{ONCE}; sleep 1.$(($SCHED_JOB_INDEX % 7))"]] * count
        first = scheduler(engine, folder, forks=forks)
        argv = driver_command(first, first.options(), commands, "asyncio")
        async with driver_killed_at_end(argv):
            await anyio.sleep(rng.uniform(1, 6))
        async with Runner(
            scheduler(engine, folder, forks=forks), plugins=[], existing="resume"
        ) as runner:
            jobs = await runner.feed_all(commands)
            await runner.stop_feeding()
        assert Counter(job.status for job in jobs) == {JobStatus.FINISHED: count}, f"seed {seed}"
        assert Counter(len(ran(folder / "run", job)) for job in jobs) == {1: count}, f"seed {seed}"
        assert not engine.left()
    sys.stdout.write(f"{engine.name}: {seed + 1} drivers killed, {count} jobs each\n")
