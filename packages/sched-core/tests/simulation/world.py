"""One engine, and drivers as they are wanted; each of the faults strikes once, where it is wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sched_core import Runner
from sched_core.ports import DriverIdentity
from sched_core.runfolder import Layout, ask_driver
from sched_core.testing.simulator import (
    Chance,
    DriverDied,
    Fault,
    SimulatedDisk,
    SimulatedEngine,
    SimulatedPorts,
    SimulatedScheduler,
    virtual_clock,
)


class World:
    def __init__(
        self,
        faults: Mapping[Fault, int],
        nodes: int = 40,
        disk: Callable[[Callable[[], float]], SimulatedDisk] = SimulatedDisk,
    ) -> None:
        self.chance = Chance(1, at=faults)
        self.disk = disk(virtual_clock())
        self.engine = SimulatedEngine(self.disk, self.chance, nodes)
        self.taken: list[int] = []
        """The attempts that were submitted."""
        self._drivers = 0
        self._living: dict[DriverIdentity, bool] = {}

    def ports(self, host: str = "here") -> SimulatedPorts:
        self._drivers += 1
        return SimulatedPorts(self.disk, self.chance, host, self._drivers, self._living)

    def runner(
        self, ports: SimulatedPorts, plugins: Iterable[object] = (), **options: Any
    ) -> Runner:
        scheduler = SimulatedScheduler(
            "/sim/run", engine=self.engine, chance=self.chance, **options
        )
        return Runner(scheduler, plugins=[*plugins], existing="resume", ports=ports)

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

    def ask(self, verb: str, *jobs: int) -> None:
        """Ask the driver for something, as another process does."""
        ask_driver(self.ports().files, Layout("/sim/run"), verb, jobs)
