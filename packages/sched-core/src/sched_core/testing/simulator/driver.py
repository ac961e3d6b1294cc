"""One process that drives a simulated run, or tries to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import anyio

from ...hooks import HookErrors
from ...model.job import Job
from ...runner import Runner
from .arrays import SimulatedArrayScheduler
from .disk import no_such_file
from .ports import SimulatedPorts
from .scheduler import SimulatedScheduler
from .watching import HookLog, WatchedJob
from .world import WORKDIR, World

__all__ = ["Host", "SimulatedDriver"]


class SimulatedDriver:
    """A process that drives the run: what a host's function is given, anew whenever one has died."""

    def __init__(self, world: World, number: int, ports: SimulatedPorts) -> None:
        """Be the driver of that number, from 1 on, in that world."""
        self.world = world
        self.number = number
        self.ports = ports
        self.ended = anyio.Event()
        self.changed = anyio.Event()
        """It has ended, or hangs."""
        self.cancelled_after: float | None = None
        self.completed = False
        self.locked = False
        self.result: Any = None
        self._opened: list[tuple[Runner, HookLog]] = []

    # --- what a host uses ------------------------------------------------------------------------

    def scheduler(self, cls: type[SimulatedScheduler] | None = None, **options: Any) -> Any:
        """Return a scheduler whose engine is the simulated one, the scenario's kind unless `cls` says
        otherwise. `options` are those of a Scheduler; `forks` is the scenario's by default.
        """
        world = self.world
        kind = cls or (SimulatedArrayScheduler if world.scenario.arrays else SimulatedScheduler)
        options.setdefault("forks", world.scenario.forks)
        world.oracle.forks = options["forks"]
        scheduler = kind(WORKDIR, engine=world.engine, chance=world.chance, **options)
        if scheduler.job_class is Job:
            scheduler.job_class = WatchedJob
        scheduler.spool_interval = world.spool_interval
        return scheduler

    def runner(
        self,
        scheduler: SimulatedScheduler | None = None,
        *,
        plugins: Iterable[object] = (),
        hook_errors: HookErrors = "report",
        **options: Any,
    ) -> Runner:
        """Return a runner that begins the run, or goes on with it where an earlier driver has begun.

        `options` are those of the scheduler, where none is given.
        """
        log = HookLog(self.world.chance)
        runner = Runner(
            scheduler or self.scheduler(**options),
            plugins=[log, *plugins],
            existing="resume",
            hook_errors=hook_errors,
            ports=self.ports,
        )
        self._opened.append((runner, log))
        return runner

    def read(self, path: object) -> bytes:
        """Return what a file of the simulated disk holds, such as a job's `stdout_file`.

        Raises FileNotFoundError.
        """
        file = self.world.disk.files.get(str(path))
        if file is None:
            raise no_such_file(str(path))
        return file.newest

    def tell(self, what: str) -> None:
        """Add a line to the story."""
        self.world.tell(f"{self}: {what}")

    def __str__(self) -> str:
        return f"driver {self.number}"

    # --- what the simulation uses ----------------------------------------------------------------

    def jobs(self) -> Sequence[Job]:
        """Return the jobs that it knows."""
        runners = [runner for runner, _ in self._opened if runner._session is not None]
        return runners[-1].jobs if runners else ()

    @property
    def epoch(self) -> int:
        """The number of the last lease that it has held, 0 for none."""
        sessions = [runner._session for runner, _ in self._opened]
        return max((s.lease.epoch for s in sessions if s and s.lease), default=0)

    def end(self) -> None:
        """Note that the process is gone."""
        self._take_stock()
        self.ports.retire()
        self.ended.set()
        self.changed.set()

    def hang(self) -> None:
        """Note that it stands still."""
        self.tell("hangs")
        self.changed.set()

    def _take_stock(self) -> None:
        """Have judged what it did."""
        world = self.world
        for runner, log in self._opened:
            if runner._session is not None:
                world.killed |= runner._session.unwanted
            world.oracle.judge_hooks(str(self), log)
            if isinstance(runner.scheduler, SimulatedScheduler):
                world.oracle.judge_questions(runner.scheduler)
        jobs = self.jobs()
        world.oracle.judge_moves(str(self), jobs)
        world.take_over(str(self), jobs, completed=self.completed)


Host = Callable[[SimulatedDriver], Awaitable[object]]
"""What a driver does: a pipeline, which opens a run with `driver.runner` and feeds its jobs."""
