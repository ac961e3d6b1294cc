"""A whole run in virtual time: jobs, an engine, drivers that die and are followed by others."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

import anyio
from anyio.abc import TaskGroup

from ...errors import RunLocked
from ...model.job import Job
from ...ports import DriverIdentity
from ...runfolder import Layout, Request
from ...runfolder.records import dump
from ...runner import Runner
from .clock import Backend, run_in_virtual_time, virtual_clock
from .disk import SimulatedDisk
from .driver import Fuse, SimulatedPorts
from .engine import SimulatedEngine
from .faults import ALL_FAULTS, Chance, Fault
from .oracle import HookLog, Oracle, WatchedJob
from .scheduler import SimulatedArrayScheduler, SimulatedScheduler
from .wrapper import Execution

__all__ = ["Outcome", "Scenario", "simulate"]

WORKDIR = "/sim/run"
LIMITS = (8.0, 30.0, 60.0)
"""The seconds that attempts of limited jobs have, one after the other."""
_LIMITED_EACH = 5
"""Among how many jobs one is limited."""

_CALM_AFTER = 900.0
"""Seconds after which nothing goes wrong any more, so that every run can end."""
_HORIZON = 4 * 3600.0
"""Seconds within which every run must have ended."""
_LEAVES_WITHIN = 120.0
"""Seconds within which a driver must find out that it was taken over, and leave."""
_AFTERMATH = 400.0
"""Seconds for what a hung engine does later than anybody waits for."""


@dataclass(frozen=True, slots=True, repr=False)
class Scenario:
    """All that a simulation depends on: the same scenario always gives the same run."""

    seed: int
    jobs: int = 10
    forks: int = 4
    faults: frozenset[Fault] = ALL_FAULTS
    rate: float = 0.05
    """How probable each fault is at each opportunity."""
    drivers: int = 3
    """How many drivers die, hang or are cancelled at most, before one that does not."""
    arrays: bool = True
    """Whether the engine keeps to `forks` itself, so that more jobs wait in its queue."""
    backend: Backend = "asyncio"
    limited: bool = False
    """Whether some jobs have limits of time that grow, see LIMITS."""

    def __repr__(self) -> str:
        """Return an expression that gives this scenario, to be played again."""
        faults = "ALL_FAULTS"
        if self.faults != ALL_FAULTS:
            faults = f"frozenset(map(Fault, {' '.join(sorted(self.faults))!r}.split()))"
        return (
            f"Scenario(seed={self.seed}, jobs={self.jobs}, forks={self.forks}, faults={faults}, "
            f"rate={self.rate}, drivers={self.drivers}, arrays={self.arrays}, "
            f"backend={self.backend!r}, limited={self.limited})"
        )


@dataclass(slots=True)
class Outcome:
    """What became of a simulated run."""

    violations: list[str] = field(default_factory=list)
    faults: Counter[Fault] = field(default_factory=Counter)
    jobs: Sequence[Job] = ()
    executions: Sequence[Execution] = ()
    seconds: float = 0.0
    """Virtual ones."""


def simulate(scenario: Scenario) -> Outcome:
    """Play a scenario and judge it; an outcome without violations is a good one."""
    if scenario.backend == "trio":
        _let_trio_repeat(scenario.seed)
    return run_in_virtual_time(_play, scenario, backend=scenario.backend)


def _let_trio_repeat(seed: int) -> None:
    """Have trio's order of tasks, which is random on purpose, drawn from the seed."""
    from trio._core import _run

    if hasattr(_run, "_ALLOW_DETERMINISTIC_SCHEDULING") and hasattr(_run, "_r"):
        vars(_run)["_ALLOW_DETERMINISTIC_SCHEDULING"] = True
        _run._r.seed(seed)


async def _play(scenario: Scenario) -> Outcome:
    simulation = _Simulation(scenario)
    async with anyio.create_task_group() as group:
        group.start_soon(simulation.engine.run)
        await simulation.direct(group)
        group.cancel_scope.cancel()
    return simulation.outcome()


class _Driver:
    """One process that drives the run, or tries to."""

    def __init__(self, number: int, ports: SimulatedPorts) -> None:
        self.name = f"driver {number}"
        self.ports = ports
        self.ended = anyio.Event()
        self.hung = anyio.Event()
        self.changed = anyio.Event()
        self.runner: Runner | None = None
        self.cancelled_after: float | None = None
        self.completed = False
        self.locked = False

    def jobs(self) -> Sequence[Job]:
        """Return the jobs that it knows."""
        opened = self.runner is not None and self.runner._session is not None
        return self.runner.jobs if opened and self.runner else ()

    def end(self) -> None:
        self.ports.retire()
        self.ended.set()
        self.changed.set()

    def hang(self) -> None:
        self.hung.set()
        self.changed.set()


class _Simulation:
    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.clock = virtual_clock()
        self.chance = Chance(scenario.seed, scenario.faults, scenario.rate)
        self.disk = SimulatedDisk(self.clock)
        self.engine = SimulatedEngine(self.disk, self.chance)
        self.oracle = Oracle(self.engine, scenario.forks)
        self.dice = Random(f"{scenario.seed}/simulation")
        numbers = range(2, scenario.jobs, _LIMITED_EACH) if scenario.limited else ()
        self.limits = dict.fromkeys(numbers, LIMITS)
        self.commands = [self._command(number) for number in range(scenario.jobs)]
        self.living: dict[DriverIdentity, bool] = {}
        self.drivers: list[_Driver] = []
        self.jobs: dict[int, Job] = {}
        self.ended: dict[int, float] = {}
        self.killed: set[int] = set()
        self.requests = 0

    def _command(self, number: int) -> list[str]:
        seconds = self.dice.choice((0.0, 0.1, 1.0, 5.0, 20.0))
        codes = self.dice.choice(("0", "0", "0", "1,0", "1,1,0", "3"))
        if number in self.limits:
            seconds = self.dice.choice((5.0, 20.0, 90.0))
        return [f"job-{number}", f"{seconds:g}", codes]

    def outcome(self) -> Outcome:
        if not self.oracle.violations:
            self.oracle.judge_jobs(self.jobs.values(), self.ended, self.killed)
            if not any(driver.cancelled_after for driver in self.drivers):
                left = (job for job in self.jobs.values() if job.index not in self.killed)
                self.oracle.judge_limits(left)
        return Outcome(
            self.oracle.violations,
            self.chance.counts,
            list(self.jobs.values()),
            self.engine.executions,
            self.clock(),
        )

    # --- the drivers, one after the other --------------------------------------------------------

    async def direct(self, group: TaskGroup) -> None:
        """Start a driver, and another one whenever that dies or hangs, until all jobs have ended."""
        self.engine.later(_CALM_AFTER, self._calm_down)
        self._plan_requests()
        with anyio.move_on_after(_HORIZON) as horizon:
            while not await self._one_life(group):
                pass
            await self._leave_behind()
            self._calm_down()
            await anyio.sleep(_AFTERMATH)
        if horizon.cancelled_caught:
            self.oracle.complain(f"the run hangs: {self._unfinished()}")
        for driver in self.drivers:
            if not driver.ended.is_set():
                driver.ports.die()
        for driver in self.drivers:
            await driver.ended.wait()

    def _plan_requests(self) -> None:
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
            self.requests += 1
            request = Request(verb, (job,))
            self.disk.write(f"{layout.requests}/{self.requests}.json", dump(request.to_json()))

        self.engine.later(self.dice.choice((1.0, 10.0, 100.0)) * self.dice.random(), ask)

    def _calm_down(self) -> None:
        self.chance.calm = True

    def _unfinished(self) -> str:
        """Say what the drivers that are still there wait for."""
        waiting = [
            f"{driver.name} for {job}"
            for driver in self.drivers
            if not driver.ended.is_set()
            for job in driver.jobs()
            if not job.status.final
        ]
        return ", ".join(waiting) or "no job is open"

    async def _one_life(self, group: TaskGroup) -> bool:
        """Have one driver drive until it ends or hangs; tell whether all is done."""
        driver = self._start(group)
        rival = None
        if self.drivers[1:] and self.chance.strikes(Fault.DRIVERS_RACE):
            await anyio.sleep(self.chance.between("race", 0.0, 1.0))
            rival = self._start(group)
        await driver.changed.wait()
        if rival is not None and driver.locked:
            driver = rival
            await driver.changed.wait()
        if driver.ended.is_set():
            if driver.locked:
                await anyio.sleep(10.0)
            return driver.completed or any(d.completed for d in self.drivers)
        self.engine.later(self.chance.between("hang", 0.0, 120.0), driver.ports.wake)
        await anyio.sleep(self.chance.between("take over", 0.0, 60.0))
        return any(d.completed for d in self.drivers)

    async def _leave_behind(self) -> None:
        """Let drivers that were taken over find that out."""
        for driver in self.drivers:
            driver.ports.wake()
        with anyio.move_on_after(_LEAVES_WITHIN):
            for driver in self.drivers:
                await driver.ended.wait()
        for driver in self.drivers:
            if not driver.ended.is_set():
                self.oracle.complain(f"{driver.name} goes on though it was taken over")

    def _start(self, group: TaskGroup) -> _Driver:
        number = len(self.drivers) + 1
        host = self.dice.choice(("here", "here", "there"))
        ports = SimulatedPorts(
            self.disk, self.chance, host, number, self.living, self._fuse(number)
        )
        driver = _Driver(number, ports)
        ports.on_hang = driver.hang
        if number <= self.scenario.drivers and self.chance.strikes(Fault.RUN_CANCELLED):
            driver.cancelled_after = self.dice.choice((1.0, 20.0, 100.0)) * self.dice.random()
        self.drivers.append(driver)
        group.start_soon(self._drive, driver)
        return driver

    def _fuse(self, number: int) -> Fuse | None:
        if number > self.scenario.drivers or self.chance.calm:
            return None
        effect = int(math.exp(self.dice.uniform(0.0, math.log(2500.0))))
        fuses = []
        if Fault.DRIVER_DIES in self.scenario.faults:
            fuses += [Fuse(effect), Fuse(effect, "after"), Fuse(effect, "torn")]
        if Fault.DRIVER_HANGS in self.scenario.faults:
            fuses += [Fuse(effect, hangs=True)]
        return self.dice.choice(fuses) if fuses else None

    # --- one driver ------------------------------------------------------------------------------

    async def _drive(self, driver: _Driver) -> None:
        log = HookLog()
        scheduler = self._scheduler()
        runner = Runner(scheduler, plugins=[log], existing="resume", ports=driver.ports)
        driver.runner = runner
        try:
            with anyio.CancelScope() as scope:
                driver.ports.on_end = scope.cancel
                if driver.cancelled_after is not None:
                    self.engine.later(driver.cancelled_after, scope.cancel)
                async with runner:
                    await self._feed(runner)
            driver.completed = not (driver.ports.dead or scope.cancelled_caught)
        except RunLocked:
            driver.locked = True
        except BaseException as error:
            if not driver.ports.dead:
                self.oracle.complain(f"{driver.name} failed: {error!r}")
                if not isinstance(error, Exception):
                    raise
        finally:
            self._take_stock(driver, log, scheduler)
            driver.end()

    def _scheduler(self) -> SimulatedScheduler:
        cls = SimulatedArrayScheduler if self.scenario.arrays else SimulatedScheduler
        scheduler = cls(
            WORKDIR,
            engine=self.engine,
            chance=self.chance,
            forks=self.scenario.forks,
            error_strategy="retry",
            num_retries=2,
        )
        scheduler.job_class = WatchedJob
        return scheduler

    async def _feed(self, runner: Runner) -> None:
        pause = self.dice.choice((0.0, 0.0, 0.5, 3.0))
        for number, command in enumerate(self.commands):
            limits = self.limits.get(number)
            await runner.feed(command, resources={"time": limits} if limits else None)
            if pause:
                await anyio.sleep(pause)

    def _take_stock(
        self,
        driver: _Driver,
        log: HookLog,
        scheduler: SimulatedScheduler,
    ) -> None:
        jobs = driver.jobs()
        self.oracle.judge_moves(driver.name, jobs)
        self.oracle.judge_questions(scheduler)
        log.judge(self.oracle, driver.name)
        if driver.completed:
            self.jobs = {job.index: job for job in jobs}
        for job in jobs:
            assert isinstance(job, WatchedJob)
            if job.status.final and len(job.moves) > 2:
                # A driver that was taken over may tell of it late.
                self.ended[job.index] = max(job.moves[-1][0], self.ended.get(job.index, 0.0))
            elif not job.status.final:
                self.ended.pop(job.index, None)
