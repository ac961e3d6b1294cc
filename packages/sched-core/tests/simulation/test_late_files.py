"""What jobs write is seen by the driver only a minute later: none of them is taken for lost."""

from __future__ import annotations

import re

import anyio
import pytest

from sched_core import Failure, Job, JobStatus
from sched_core.testing.simulator import Backend, Fault, SimulatedDisk, run_in_virtual_time

from .world import World

DELAY = 60.0
LATE = {
    "all": "",
    "the claims": r"/job\.claim\.",
    "the events": r"/events/",
    "the rest": r"/job\.rc$|/job\.status$",
}


def late(pattern: str) -> type[SimulatedDisk]:
    class LateDisk(SimulatedDisk):
        def create(self, path: str, data: bytes, since: float = float("-inf")) -> bool:
            return super().create(path, data, since + self._delay(path))

        def write(self, path: str, data: bytes, since: float = float("-inf")) -> None:
            if not self.create(path, data, since):
                self.files[path].put(data, since + self._delay(path))

        def _delay(self, path: str) -> float:
            return DELAY if re.search(pattern, path) else 0.0

    return LateDisk


async def _run(disk: type[SimulatedDisk], purged: bool) -> tuple[list[Job], int, float]:
    world = World({Fault.PURGED: 1} if purged else {}, disk=disk)
    async with anyio.create_task_group() as group:
        group.start_soon(world.engine.run)
        async with world.runner(world.ports(), forks=4) as runner:
            await runner.feed(["finishes", "5", "0"])
            await runner.feed(["fails", "8", "3"])
            await runner.stop_feeding()
            took = anyio.current_time()
        group.cancel_scope.cancel()
    return runner.jobs, len(world.engine.executions), took


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("purged", [False, True])
@pytest.mark.parametrize("pattern", LATE.values(), ids=LATE)
def test_t06_t08_a_record_that_is_late_is_waited_for(
    pattern: str, purged: bool, backend: Backend
) -> None:
    jobs, executions, took = run_in_virtual_time(_run, late(pattern), purged, backend=backend)

    ends = [(job.status, job.failure, job.rc, job.attempt) for job in jobs]
    assert ends == [
        (JobStatus.FINISHED, None, 0, 1),
        (JobStatus.FAILED, Failure.EXIT, 3, 1),
    ]
    assert executions == 2
    assert took < 5 + DELAY + 60
