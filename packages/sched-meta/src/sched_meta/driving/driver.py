"""The one place where the command line meets the runner."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio

from sched_core import (
    BackendError,
    Job,
    RunClosed,
    RunHalted,
    RunInterrupted,
    Runner,
    SchedError,
    scheduler_of,
)
from sched_core.model.container import Container

from ..console import line_width, say, warnings_go_to
from ..lists.jobspec import JobSpec
from ..lists.matching import match_jobs
from ..reading.failures import group_failures, summary
from ..reading.jobstate import JobState
from ..reading.runfolder import RunFolder
from ..wording import count_jobs, index_ranges, state_counts
from .display import Display, running_jobs
from .events import EventPlugin
from .output import OrderedOutput
from .stdout import Stdout

if TYPE_CHECKING:
    from sched_core import Scheduler

    from .start import Output

__all__ = ["Drive", "drive", "kill_undriven", "new_job", "new_jobs"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Drive:
    """One session of driving a run."""

    scheduler: Scheduler
    folder: RunFolder
    specs: Sequence[JobSpec]
    resumes: bool
    output: Output
    retry: Sequence[int] = ()


def drive(what: Drive) -> int:
    """Drive the run until all its jobs have ended or a signal stops it; return the exit code."""
    return anyio.run(_drive, what)


async def _drive(what: Drive) -> int:
    return await _Driver(what).run()


def new_job(scheduler: Scheduler, index: int, spec: JobSpec) -> Job:
    """Return a job of the scheduler's, with all that was asked for it."""
    job = scheduler.new_job(index, spec.cmd, spec.envs)
    job.name = spec.name
    job.resources = spec.resources
    job.timeout = spec.timeout
    job.inputs, job.outputs = tuple(spec.inputs), tuple(spec.outputs)
    job.container = Container.from_value(spec.container, scheduler.container)
    return job


def new_jobs(
    scheduler: Scheduler, present: Iterable[JobState], specs: Iterable[JobSpec]
) -> list[Job]:
    """Return the jobs that a run gets besides those that it has."""
    first = max((job.index for job in present), default=-1) + 1
    return [new_job(scheduler, first + number, spec) for number, spec in enumerate(specs)]


def kill_undriven(folder: RunFolder, indexes: Collection[int]) -> None:
    """Kill jobs of a run that nobody drives; what waits besides them is left to a resume."""
    with warnings_go_to(say):
        anyio.run(_kill, folder, indexes)


async def _kill(folder: RunFolder, indexes: Collection[int]) -> None:
    scheduler = scheduler_of(folder.absolute)
    scheduler.forks = 0  # nothing that waits may start
    runner = Runner(scheduler, plugins=None, existing="resume")
    try:
        async with runner:
            jobs = [job for job in runner.jobs if job.index in indexes]
            for job in jobs:
                await scheduler.kill_job_and_update_status(job)
            for job in jobs:
                await runner.wait(job)
            await runner.cancel()
    except RunClosed:
        pass  # jobs that still wait


class _Driver:
    def __init__(self, what: Drive) -> None:
        self._what = what
        out = what.output
        self._display = Display(
            what.scheduler, what.folder, progress=not out.no_progress, prints=out.cat or out.as_json
        )
        self._stdout = Stdout(what.folder)
        self._signals: list[int] = []
        self._open = self._opened = False
        self._scope = anyio.CancelScope()
        self._left: Sequence[Job] = ()
        self._stopped_by: Exception | None = None
        self._runner = Runner(
            what.scheduler,
            plugins=self._plugins(),
            existing="resume" if what.resumes else "error",
        )

    def _plugins(self) -> list[object] | None:
        if not self._what.output.as_json:
            return None  # those that are installed
        from importlib.metadata import entry_points

        installed = [entry_point.name for entry_point in entry_points(group="sched.plugins")]
        return [*installed, EventPlugin(self._stdout)]

    async def run(self) -> int:
        display = self._display
        with display, warnings_go_to(display.say), _signals_go_to(self._on_signal):
            with self._scope:
                await self._drive()
            if self._opened and not self._signals:
                with anyio.CancelScope() as self._scope:
                    await self._stdout.drain()
        return self._conclude() if self._opened else 128 + self._signals[0]

    async def _drive(self) -> None:
        try:
            async with self._runner:
                self._opened = self._open = True
                await self._work()
        except RunInterrupted as error:
            self._left = error.left
        except (SchedError, OSError) as error:
            if not self._opened or not self._runner.jobs:
                raise
            self._stopped_by = error
        finally:
            self._open = False

    async def _work(self) -> None:
        runner = self._runner
        jobs = await self._feed()
        for job in jobs:
            if job.index in self._what.retry and job.status.final:
                await runner.retry(job)
        self._begin(jobs)
        output = None
        if self._what.output.cat:
            output = OrderedOutput(self._stdout, (job.index for job in jobs))
        async for job in runner.as_completed():
            if not job.status.final:
                continue  # it was asked for once more, and comes again
            await self._display.ended(job)
            if output:
                output.ended(job)

    async def _feed(self) -> list[Job]:
        """Add what the run does not have yet, all of it recorded before the first job starts."""
        jobs = self._runner.jobs
        _, specs = match_jobs(self._what.specs, jobs)
        new = new_jobs(self._what.scheduler, jobs, specs)
        for job in new:
            self._what.scheduler.check_job(job)  # all, before one of them is recorded
        await self._runner.feed_all(new)
        return self._runner.jobs

    def _begin(self, jobs: Sequence[Job]) -> None:
        scheduler = self._what.scheduler
        done = sum(job.status.final for job in jobs)
        what = f"{count_jobs(len(jobs))} on {scheduler.name}, {scheduler.forks} at a time"
        if self._what.resumes:
            what += f"; {done} of them ended before"
        self._display.begin(f"run {self._what.folder}: {what}", jobs)

    # --- the end ---------------------------------------------------------------------------------

    def _conclude(self) -> int:
        jobs = self._jobs(stopped=bool(self._stopped_by or self._signals))
        counts = state_counts(jobs)
        folder = self._what.folder
        if isinstance(self._stopped_by, RunHalted):
            self._display.say(f"stopped at the failure of job {self._stopped_by.job.index}")
        elif self._stopped_by:
            self._display.say(f"error: the run was stopped: {self._stopped_by}")
        if self._signals:
            self._display.say(_interruption(self._signals[0], self._left))
        groups = group_failures(jobs, folder)
        display, width = self._display, line_width()
        for line in summary(
            counts, groups, folder, display.seconds, ended=display.ended_now, width=width
        ):
            display.say(line)
        if self._signals:
            return 128 + self._signals[0]
        if isinstance(self._stopped_by, BackendError):
            return 3
        return 0 if counts["finished"] == len(jobs) and not self._stopped_by else 1

    def _jobs(self, *, stopped: bool) -> Sequence[JobState]:
        if stopped:
            # Only the records tell which jobs were killed with their run.
            with suppress(SchedError, OSError):
                return list(self._what.folder.read().jobs.values())
        return self._runner.jobs

    # --- signals -----------------------------------------------------------------------------------

    def _on_signal(self, signum: int) -> None:
        self._signals.append(signum)
        count = len(self._signals)
        if count == 1 and self._open:
            self._display.say(
                f"{_name(signum)}: nothing more is started, what runs is killed;"
                " once more leaves at once"
            )
        if count > 2:
            self._leave_for_good(signum)
        if self._open:
            self._runner.interrupt(signum)
        else:
            self._scope.cancel()

    def _leave_for_good(self, signum: int) -> None:
        """Even where a thread hangs in a file system that does not answer."""
        self._display.close()
        self._display.say(_interruption(signum, self._running()))
        os._exit(128 + self._signals[0])

    def _running(self) -> list[Job]:
        return running_jobs(self._what.scheduler) if self._opened else []


@contextmanager
def _signals_go_to(handler: Callable[[int], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for signum in _SIGNALS:
        # nohup means it: a signal that is ignored stays so
        if signal.getsignal(signum) is not signal.SIG_IGN:
            loop.add_signal_handler(signum, handler, signum)
    try:
        yield
    finally:
        for signum in _SIGNALS:
            loop.remove_signal_handler(signum)


def _name(signum: int) -> str:
    return "Ctrl-C" if signum == signal.SIGINT else signal.Signals(signum).name


def _interruption(signum: int, left: Sequence[Job]) -> str:
    if not left:
        return f"{_name(signum)}: the run was stopped, nothing of it runs any more"
    indexes = index_ranges([job.index for job in left], 20)
    pids = " ".join(str(job.jid) for job in left[:20] if job.jid)
    return (
        f"{_name(signum)}: left at once, {count_jobs(len(left))} may still run:"
        f" {indexes} (ids {pids or 'unknown'})"
    )
