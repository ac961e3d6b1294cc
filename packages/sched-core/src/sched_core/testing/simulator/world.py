"""All that the drivers of a simulated run share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

from ...model.job import Job
from ...ports import DriverIdentity
from ...runfolder import Layout, Request
from ...runfolder.records import dump
from .chance import Chance
from .clock import virtual_clock
from .disk import SimulatedDisk
from .engine import SimulatedEngine
from .faults import Fault
from .oracle import Oracle
from .ports import Fuse, SimulatedPorts
from .scenario import Scenario
from .watching import WatchedJob
from .work import Behaviour

__all__ = ["WORKDIR", "World"]

WORKDIR = "/sim/run"

_HOSTS = ("here", "here", "there")
_SPOOL_INTERVALS = (0.5, 2.0, 2.0, 4.0)
"""Between looks at what tasks tell: hours in virtual time are mostly such looks."""


class World:
    """An engine, a disk, what goes wrong with them, and who watches."""

    def __init__(self, scenario: Scenario, behaviour: Behaviour) -> None:
        """Play that scenario; `behaviour` tells what commands do."""
        self.scenario = scenario
        self.clock = virtual_clock()
        self.chance = Chance(scenario.seed, scenario.faults, scenario.rate, scenario.at)
        self.disk = SimulatedDisk(self.clock)
        self.engine = SimulatedEngine(self.disk, self.chance, behaviour=behaviour)
        self.oracle = Oracle(self.engine, scenario.forks, self.chance)
        self.dice = Random(f"{scenario.seed}/simulation")
        self.spool_interval = self.dice.choice(_SPOOL_INTERVALS)
        """The seconds between two looks of a driver at what tasks tell."""
        self.jobs: dict[int, Job] = {}
        """As the driver that came to the end knows them."""
        self.ended: dict[int, float] = {}
        """Since when jobs are final."""
        self.killed: set[int] = set()
        """Those that somebody wanted to be killed."""
        self._living: dict[DriverIdentity, bool] = {}
        self._requests = 0
        self._story: list[tuple[float, str]] = []
        self.engine.tell = self.tell
        self.chance.on_strike = lambda fault: self.tell(f"*** {fault}: {fault.doc}")

    # --- the story -------------------------------------------------------------------------------

    def tell(self, what: str) -> None:
        """Note what happens."""
        self._story.append((self.clock(), what))

    def story(self) -> list[str]:
        """Return what has happened, in its order."""
        ordered = sorted(self._story, key=lambda line: line[0])
        return [f"{time:10.3f}  {what}" for time, what in ordered]

    # --- drivers ---------------------------------------------------------------------------------

    def ports(self, number: int) -> SimulatedPorts:
        """Return the ports of the driver of that number, which may die or hang at something."""
        host = self.dice.choice(_HOSTS)
        fuse = self._fuse(number)
        return SimulatedPorts(self.disk, self.chance, host, number, self._living, fuse)

    def _fuse(self, number: int) -> Fuse | None:
        at = self.scenario.at
        if number == 1 and (Fault.DRIVER_DIES in at or Fault.DRIVER_HANGS in at):
            hangs = Fault.DRIVER_DIES not in at
            return Fuse(at[Fault.DRIVER_HANGS if hangs else Fault.DRIVER_DIES], hangs=hangs)
        if number > self.scenario.drivers or self.chance.calm:
            return None
        effect = int(math.exp(self.dice.uniform(0.0, math.log(2500.0))))
        fuses = []
        if Fault.DRIVER_DIES in self.scenario.faults:
            fuses += [Fuse(effect), Fuse(effect, "after"), Fuse(effect, "torn")]
        if Fault.DRIVER_HANGS in self.scenario.faults:
            fuses += [Fuse(effect, hangs=True)]
        return self.dice.choice(fuses) if fuses else None

    def take_over(self, driver: str, jobs: Sequence[Job], *, completed: bool) -> None:
        """Note what a driver that has ended made of the jobs."""
        if completed:
            self.jobs = {job.index: job for job in jobs}
        for job in jobs:
            if not isinstance(job, WatchedJob):
                continue
            moves = [
                (at, f"{driver}: job {job.index} is {status.name}") for at, status in job.moves
            ]
            self._story += moves[1:]
            if job.status.final and len(job.moves) > 2:
                # A driver that was taken over may tell of it late.
                self.ended[job.index] = max(job.moves[-1][0], self.ended.get(job.index, 0.0))
            elif not job.status.final:
                self.ended.pop(job.index, None)

    # --- other processes -------------------------------------------------------------------------

    def plan_requests(self) -> None:
        """Have other processes ask for jobs to be killed, and to be tried once more."""
        for number in range(self.scenario.jobs):
            if self.chance.strikes(Fault.JOB_KILLED):
                self.killed.add(number)
                self._ask_later("kill", number)
            if self.chance.strikes(Fault.JOB_RETRIED):
                self._ask_later("retry", number)

    def _ask_later(self, verb: str, job: int) -> None:
        def ask() -> None:
            layout = Layout(WORKDIR)
            self.disk.make_folder(layout.requests)
            self._requests += 1
            request = Request(verb, (job,))
            self.disk.write(f"{layout.requests}/{self._requests}.json", dump(request.to_json()))
            self.tell(f"somebody asks: {verb} job {job}")

        self.engine.later(self.dice.choice((1.0, 10.0, 100.0)) * self.dice.random(), ask)
