"""A whole run in virtual time: an engine, drivers that die and are followed by others, a verdict."""

from __future__ import annotations

import errno

import anyio
from anyio.abc import TaskGroup

from ...errors import RunLocked
from ...ports import StoreUnavailable
from ..extra import require
from .clock import run_in_virtual_time
from .commands import Commands
from .driver import Host, SimulatedDriver
from .faults import Fault
from .scenario import Outcome, Scenario
from .work import Behaviour, scripted
from .world import World

__all__ = ["simulate"]

_CALM_AFTER = 900.0
"""Seconds after which nothing goes wrong any more, so that every run can end."""
_LEAVES_WITHIN = 120.0
"""Seconds within which a driver must find out that it was taken over, and leave."""
_AFTERMATH = 400.0
"""Seconds for what a hung engine does later than anybody waits for."""
_NEXT_AFTER = 10.0
"""Seconds after which another driver is tried where one could not go on."""


def simulate(
    scenario: Scenario, host: Host | None = None, behaviour: Behaviour = scripted
) -> Outcome:
    """Play a scenario and judge it; an outcome without violations is a good one.

    `host` is what each driver does, by default running the scenario's own commands; it is called
    again, with the next driver, whenever one has died. `behaviour` tells what commands do.
    """
    if scenario.backend == "trio":
        _let_trio_repeat(scenario.seed)
    return run_in_virtual_time(_play, scenario, host, behaviour, backend=scenario.backend)


def _let_trio_repeat(seed: int) -> None:
    """Have trio's order of tasks, which is random on purpose, drawn from the seed."""
    require("trio")
    from trio._core import _run

    if hasattr(_run, "_ALLOW_DETERMINISTIC_SCHEDULING") and hasattr(_run, "_r"):
        vars(_run)["_ALLOW_DETERMINISTIC_SCHEDULING"] = True
        _run._r.seed(seed)


async def _play(scenario: Scenario, host: Host | None, behaviour: Behaviour) -> Outcome:
    simulation = _Simulation(scenario, host or Commands(scenario).run, behaviour)
    async with anyio.create_task_group() as group:
        group.start_soon(simulation.world.engine.run)
        await simulation.direct(group)
        group.cancel_scope.cancel()
    return simulation.outcome(complete=scenario.jobs if host is None else None)


class _Simulation:
    def __init__(self, scenario: Scenario, host: Host, behaviour: Behaviour) -> None:
        self.scenario = scenario
        self.world = World(scenario, behaviour)
        self._host = host
        self._drivers: list[SimulatedDriver] = []

    def outcome(self, complete: int | None) -> Outcome:
        """Judge what became of the run, of `complete` jobs where that is known."""
        world = self.world
        if not world.oracle.violations:
            self._judge(complete)
        return Outcome(
            world.oracle.violations,
            world.chance.counts,
            list(world.jobs.values()),
            world.engine.executions,
            world.clock(),
            next((driver.result for driver in self._drivers if driver.completed), None),
            world.story(),
        )

    def _judge(self, complete: int | None) -> None:
        world = self.world
        if complete is not None and len(world.jobs) != complete:
            world.oracle.complain(f"of {complete} jobs there are {sorted(world.jobs)}")
        world.oracle.judge_jobs(world.jobs.values(), world.ended, world.killed)
        if not any(driver.cancelled_after for driver in self._drivers):
            left = (job for job in world.jobs.values() if job.index not in world.killed)
            world.oracle.judge_limits(left)

    # --- the drivers, one after the other --------------------------------------------------------

    async def direct(self, group: TaskGroup) -> None:
        """Start a driver, and another one whenever that dies or hangs, until all jobs have ended."""
        self.world.engine.later(_CALM_AFTER, self._calm_down)
        self.world.plan_requests()
        with anyio.move_on_after(self.scenario.horizon) as horizon:
            while not (await self._one_life(group) or self.world.oracle.violations):
                pass
            await self._leave_behind()
            self._calm_down()
            await anyio.sleep(_AFTERMATH)
        if horizon.cancelled_caught:
            self.world.oracle.complain(f"the run hangs: {self._unfinished()}")
        for driver in self._drivers:
            if not driver.ended.is_set():
                driver.ports.die()
        for driver in self._drivers:
            await driver.ended.wait()

    def _calm_down(self) -> None:
        self.world.chance.calm = True

    def _unfinished(self) -> str:
        """Say what the drivers that are still there wait for."""
        waiting = [
            f"{driver} for {job}"
            for driver in self._drivers
            if not driver.ended.is_set()
            for job in driver.jobs()
            if not job.status.final
        ]
        return ", ".join(waiting) or "no job is open"

    @property
    def _completed(self) -> bool:
        return any(driver.completed for driver in self._drivers)

    async def _one_life(self, group: TaskGroup) -> bool:
        """Have one driver drive until it ends or hangs; tell whether all is done."""
        chance = self.world.chance
        raced = bool(self._drivers) and chance.strikes(Fault.DRIVERS_RACE)
        driver = self._start(group)
        if chance.strikes(Fault.SECOND_DRIVER):
            after = chance.between("second driver", 0.0, 100.0)
            self.world.engine.later(after, lambda: self._start_second(group, driver))
        if raced:
            await anyio.sleep(chance.between("race", 0.0, 1.0))
            rival = self._start(group)
            await driver.changed.wait()
            driver = rival if driver.locked else driver
        await driver.changed.wait()
        if not driver.ended.is_set():
            self.world.engine.later(chance.between("hang", 0.0, 120.0), driver.ports.wake)
            await anyio.sleep(chance.between("take over", 0.0, 60.0))
        elif not (driver.completed or driver.ports.dead):
            await anyio.sleep(_NEXT_AFTER)
        return self._completed

    def _start_second(self, group: TaskGroup, first: SimulatedDriver) -> None:
        if not (first.ended.is_set() or self._completed):
            self._start(group)

    async def _leave_behind(self) -> None:
        """Let drivers that were taken over find that out."""
        for driver in self._drivers:
            driver.ports.wake()
        with anyio.move_on_after(_LEAVES_WITHIN):
            for driver in self._drivers:
                await driver.ended.wait()
        # One may have gone on with the run in the meantime, as for a job that is to be retried.
        newest = max(self._drivers, key=lambda driver: driver.epoch)
        for driver in self._drivers:
            if not driver.ended.is_set() and driver is not newest:
                self.world.oracle.complain(f"{driver} goes on though it was taken over")
        await newest.ended.wait()

    def _start(self, group: TaskGroup) -> SimulatedDriver:
        number = len(self._drivers) + 1
        world = self.world
        driver = SimulatedDriver(world, number, world.ports(number))
        driver.ports.on_hang = driver.hang
        if number <= self.scenario.drivers and world.chance.strikes(Fault.RUN_CANCELLED):
            driver.cancelled_after = world.dice.choice((1.0, 20.0, 100.0)) * world.dice.random()
        self._drivers.append(driver)
        driver.tell(f"starts on the host {driver.ports.identity.host}")
        group.start_soon(self._drive, driver)
        return driver

    # --- one driver ------------------------------------------------------------------------------

    async def _drive(self, driver: SimulatedDriver) -> None:
        try:
            with anyio.CancelScope() as scope:
                driver.ports.on_end = scope.cancel
                if driver.cancelled_after is not None:
                    self.world.engine.later(driver.cancelled_after, scope.cancel)
                driver.result = await self._host(driver)
            driver.completed = not (driver.ports.dead or scope.cancelled_caught)
        except RunLocked as error:
            driver.locked = True
            driver.tell(str(error))
        except BaseException as error:
            if not (driver.ports.dead or _is_excused(error)):
                self.world.oracle.complain(f"{driver} failed: {error!r}")
                if not isinstance(error, Exception):
                    raise
            driver.tell(f"fails: {error!r}")
        finally:
            driver.end()
            driver.tell("completes the run" if driver.completed else "ends")


def _is_excused(error: BaseException) -> bool:
    """Tell whether a driver cannot but fail so: its files were out of reach, and it says that."""
    failed = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.ESTALE)
    return failed or isinstance(error, StoreUnavailable)
