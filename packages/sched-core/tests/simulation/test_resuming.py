from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import anyio
import pytest

from sched_core import Job, JobStatus, Runner
from sched_core.testing.simulator import (
    Backend,
    Chance,
    DriverDied,
    Fault,
    SimulatedDisk,
    SimulatedEngine,
    SimulatedPorts,
    SimulatedScheduler,
    run_in_virtual_time,
    virtual_clock,
)


class Script(Chance):
    """Has each of the faults strike once, at its first opportunity."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(1, frozenset(faults), 1.0)
        self._left = set(faults)

    def strikes(self, fault: Fault) -> bool:
        if fault not in self._left:
            return False
        self._left.remove(fault)
        return True


class World:
    def __init__(self, *faults: Fault) -> None:
        self.chance = Script(*faults)
        self.disk = SimulatedDisk(virtual_clock())
        self.engine = SimulatedEngine(self.disk, self.chance)
        self.taken: list[int] = []
        """The attempts that were submitted."""
        self._drivers = 0
        self._living: dict[object, bool] = {}

    def ports(self) -> SimulatedPorts:
        self._drivers += 1
        living = self._living
        return SimulatedPorts(self.disk, self.chance, "here", self._drivers, living)  # type: ignore[arg-type]

    def runner(self, ports: SimulatedPorts) -> Runner:
        scheduler = SimulatedScheduler("/sim/run", engine=self.engine, chance=self.chance)
        return Runner(scheduler, plugins=[], existing="resume", ports=ports)

    def die_at_submit(self, ports: SimulatedPorts) -> None:
        """Have the driver die just after the engine has taken something."""
        submit = self.engine.submit

        def take(name: str, limit: int, tasks: Mapping[int, tuple[str, int]]) -> int:
            self.taken += [attempt for _, attempt in tasks.values()]
            submit(name, limit, tasks)
            self.engine.submit = submit  # type: ignore[method-assign]
            ports.die()
            raise DriverDied

        self.engine.submit = take  # type: ignore[method-assign]


async def _resume_after_a_lost_submission() -> tuple[list[int], list[Job], int]:
    world = World(Fault.SUBMIT_DROPPED)
    async with anyio.create_task_group() as group:
        group.start_soon(world.engine.run)
        first = world.ports()
        world.die_at_submit(first)
        with suppress(BaseException), anyio.CancelScope() as scope:
            first.on_end = scope.cancel
            async with world.runner(first) as runner:
                await runner.feed(["job", "1", "0"])
        async with world.runner(world.ports()) as runner:
            pass
        group.cancel_scope.cancel()
    return world.taken, list(runner.jobs), len(world.engine.executions)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_number_of_an_attempt_that_follows_a_lost_one_is_not_used_again(
    backend: Backend,
) -> None:
    taken, (job,), executions = run_in_virtual_time(
        _resume_after_a_lost_submission, backend=backend
    )

    assert taken == [2]
    assert (job.status, job.attempt) == (JobStatus.FINISHED, 2)
    assert executions == 1
