"""Everything at once: machines, calls, the bucket, the mount and drivers fail by chance; each job finishes exactly once."""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from sched_core import JobStatus

from .cloud import COUNTED, Cloud
from .test_drivers import driver, resumed
from .troubles import Troubles

pytestmark = pytest.mark.timeout(1800)

ONCE = ["/bin/bash", "-c", f'{COUNTED}; sleep 0.$((RANDOM % 5)); echo "done $SCHED_JOB_INDEX"']


class Chaos:
    """Trouble of all kinds, by a seed."""

    def __init__(self, cloud: Cloud, seed: int) -> None:
        self._chance = random.Random(seed)
        troubles = Troubles(cloud.batch, cloud.storage, cloud.mount)
        self._kinds: list[Callable[[random.Random], None]] = [
            troubles.lose_machine,
            troubles.lose_answer,
            troubles.fail_call,
            troubles.fail_bucket,
            troubles.delay_bucket,
            troubles.fail_mount,
        ]
        self.met: Counter[str] = Counter()

    def moment(self, longest: float) -> float:
        return self._chance.uniform(0.0, longest)

    def strike(self) -> None:
        kind = self._chance.choice(self._kinds)
        self.met[kind.__name__] += 1
        kind(self._chance)


async def survive(cloud: Cloud, seed: int, count: int, kills: int) -> Counter[str]:
    """Run jobs through chaos and under several drivers; return the trouble that they have met."""
    chaos, place = Chaos(cloud, seed), cloud.workdir(f"chaos{seed}")
    commands = [ONCE] * count
    options: dict[str, Any] = {
        "error_strategy": "retry",
        "num_retries": 0,
        "infrastructure_retries": 50,
    }
    for _ in range(kills):
        async with driver(cloud, place, commands, forks=6, **options):
            for _ in range(4):
                await anyio.sleep(chaos.moment(1.5))
                await cloud.do(chaos.strike)
    async with anyio.create_task_group() as group:
        group.start_soon(go_on_striking, cloud, chaos)
        async with resumed(cloud, place, forks=6, **options) as runner:
            await runner.feed_all(commands)
            await runner.stop_feeding()
        group.cancel_scope.cancel()
    assert Counter(job.status for job in runner.jobs) == {JobStatus.FINISHED: count}
    for job in runner.jobs:
        assert await job.stdout_file.read_text() == f"done {job.index}\n"
    check_starts(cloud, count, place, sum(job.infrastructure_retries for job in runner.jobs))
    return chaos.met


def check_starts(cloud: Cloud, count: int, place: str, lost: int) -> None:
    """See that no start of a task was repeated, and a job was started again only where one was lost."""
    assert max(Counter(cloud.starts()).values()) == 1
    counted = cloud.counted(place)
    assert set(counted) == set(range(count))
    assert counted.total() <= count + lost


async def go_on_striking(cloud: Cloud, chaos: Chaos) -> None:
    for _ in range(6):
        await anyio.sleep(chaos.moment(2.0))
        await cloud.do(chaos.strike)


@pytest.mark.parametrize("mount", ["cloud", "weak_cloud"])
async def test_each_job_finishes_exactly_once(
    request: pytest.FixtureRequest, mount: str, full: bool
) -> None:
    cloud: Cloud = request.getfixturevalue(mount)
    first = time.time_ns() % 100_000 if full else 11
    for seed in range(first, first + (10 if full else 1)):
        sys.stdout.write(f"seed {seed} on {mount}\n")
        met = await survive(cloud, seed, 60 if full else 20, 3 if full else 1)
        sys.stdout.write(f"met {dict(met)}\n")
        cloud.clean()


@pytest.mark.parametrize("mount", ["cloud", "weak_cloud"])
async def test_jobs_that_are_killed_while_they_may_be_starting(
    request: pytest.FixtureRequest, mount: str, full: bool
) -> None:
    """What was killed before it began never runs; what runs ends as killed or finished, never as lost."""
    cloud: Cloud = request.getfixturevalue(mount)
    chance, count = random.Random(5), 100 if full else 24
    async with cloud.run(forks=5, grace=1, patience=200) as runner:
        jobs = await runner.feed_all([ONCE] * count)
        for job in chance.sample(jobs, count // 2):
            await anyio.sleep(chance.uniform(0.0, 0.3))
            await runner.kill(job)
        await runner.stop_feeding()
    assert {job.status for job in jobs} <= {JobStatus.FINISHED, JobStatus.KILLED}
    counted = cloud.counted()
    for job in jobs:
        begun = job.status is JobStatus.FINISHED
        assert counted[job.index] == 1 if begun else counted[job.index] <= 1
        assert counted[job.index] == 0 or job.started is not None
