"""The one place where the command line meets the runner."""

from __future__ import annotations

import os
import signal
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio
from anyio import to_thread

from sched_core import (
    BackendError,
    Job,
    RunHalted,
    RunInterrupted,
    Runner,
    SchedError,
    Secret,
)
from sched_core.model.container import Container
from sched_core.model.resources import Resources
from sched_core.scheduler.wishes import check_every_attempt

from ..console import line_width, warnings_go_to
from ..lists.jobspec import JobSpec
from ..lists.matching import match_jobs
from ..reading.driverlog import note
from ..reading.failures import group_failures, summary
from ..reading.jobstate import JobState
from ..reading.runfolder import RunFolder
from ..reading.states import is_interrupted, state_counts
from ..wording import count_jobs
from .conduct import NOTHING_ELSE, Conduct
from .display import Display, running_jobs
from .events import EventPlugin
from .growth import goes_on_with, not_in_list
from .halting import Halting
from .limits import FailureCount, TooManyFailures
from .onfinish import SessionEnd, run_on_finish
from .output import OrderedOutput
from .signals import announcement, interruption, parting, signals_go_to
from .stdout import Stdout
from .succession import keep_for_successors

if TYPE_CHECKING:
    from sched_core import Scheduler

    from .given import Output

__all__ = ["Again", "Drive", "drive", "new_job", "new_jobs"]


@dataclass(frozen=True, slots=True)
class Again:
    """Jobs to be run once more, by their indexes, and what they get in place of what they asked for."""

    jobs: Collection[int] = frozenset()
    resources: Resources | None = None


_NONE = Again()


@dataclass(frozen=True, slots=True)
class Drive:
    """One session of driving a run."""

    scheduler: Scheduler
    folder: RunFolder
    specs: Sequence[JobSpec]
    resumes: bool
    output: Output
    again: Again = _NONE
    conduct: Conduct = NOTHING_ELSE
    secrets: Mapping[str, Secret] | None = None
    """Values for jobs that the run has already, by variable."""
    fresh: bool = False
    """Whether the folder is made for the run: where it never begins, nothing of it is left."""


def drive(what: Drive) -> int:
    """Drive the run until all its jobs have ended or a signal stops it; return the exit code."""
    with what.conduct.words():
        end = None
        try:
            code, end = anyio.run(_drive, what)
        finally:
            if what.fresh and end is None:
                _leave_nothing(what.folder)
        if what.conduct.on_finish and end:
            run_on_finish(what.conduct.on_finish, end)
    return code


def _leave_nothing(folder: RunFolder) -> None:
    from ..keeping.removing import remove_unbegun

    with suppress(SchedError, OSError):  # what kept the run from beginning is what is to be heard
        remove_unbegun(folder)


async def _drive(what: Drive) -> tuple[int, SessionEnd | None]:
    driver = _Driver(what)
    code = await driver.run()
    return code, driver.end


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


class _Driver:
    def __init__(self, what: Drive) -> None:
        self._what = what
        out = what.output
        self._display = Display(
            lambda: len(self._running()),
            what.folder,
            progress=not out.no_progress,
            prints=out.cat or out.as_json,
        )
        self._stdout = Stdout(what.folder)
        self._signals: list[int] = []
        self._open = self._opened = False
        self._kills = True
        self._scope = anyio.CancelScope()
        self._left: Sequence[Job] = ()
        self._stopped_by: Exception | None = None
        self.end: SessionEnd | None = None
        """How it has ended; None where it never began, or was to leave at once."""
        self._new = 0
        self._not_listed: str | None = None
        self._runner = Runner(
            what.scheduler,
            plugins=self._plugins(),
            existing="resume" if what.resumes else "error",
            secrets=what.secrets,
        )

    def _plugins(self) -> list[object] | None:
        if not self._what.output.as_json:
            return None  # those that are installed
        from importlib.metadata import entry_points

        installed = [entry_point.name for entry_point in entry_points(group="sched.plugins")]
        return [*installed, EventPlugin(self._stdout)]

    async def run(self) -> int:
        display = self._display
        with display, warnings_go_to(display.say), signals_go_to(self._on_signal):
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
        runner, what = self._runner, self._what
        await to_thread.run_sync(keep_for_successors, what.folder, what.conduct)
        jobs = await self._feed()
        again = what.again
        for job in jobs:
            if job.index in again.jobs and job.status.final:
                await runner.retry(job, again.resources)
        self._begin(jobs)
        output = None
        if self._what.output.cat:
            output = OrderedOutput(self._stdout, (job.index for job in jobs))
        limit = self._what.conduct.max_failures
        count = FailureCount(limit, jobs) if limit else None
        halting = Halting(runner, what.scheduler, count, self._display.say)
        async for job in runner.as_completed():
            if not job.status.final:
                continue  # it was asked for once more, and comes again
            if not halting.took_back(job):
                await self._display.ended(job)
            if output:
                output.ended(job.index, str(job.stdout_file))
            halting.ended(job)

    async def _feed(self) -> list[Job]:
        """Add what the run does not have yet, all of it recorded before the first job starts."""
        jobs = self._runner.jobs
        found, specs = match_jobs(self._what.specs, jobs)
        if self._what.specs:
            self._not_listed = not_in_list(jobs, {job.index for job in found})
        new = new_jobs(self._what.scheduler, jobs, specs)
        self._new = len(new)
        for job in new:
            check_every_attempt(self._what.scheduler, job)  # all, before one of them is recorded
        await self._runner.feed_all(new)
        return self._runner.jobs

    def _begin(self, jobs: Sequence[Job]) -> None:
        scheduler = self._what.scheduler
        self._what.folder.redactor = scheduler.session.secrets.redactor
        done = sum(job.status.final for job in jobs)
        what = f"{count_jobs(len(jobs))} on {scheduler.name}, {scheduler.forks:,} at a time"
        if self._what.resumes:
            what += f"; {goes_on_with(jobs, self._new)}"
        message = f"run {self._what.folder}: {what}"
        if background := self._what.conduct.background:
            background.begun(self._what.folder, message)
        self._display.begin(message, total=len(jobs), before=done)
        if self._not_listed:
            self._display.say(self._not_listed)

    # --- the end ---------------------------------------------------------------------------------

    def _conclude(self) -> int:
        jobs = self._jobs(stopped=bool(self._stopped_by or self._signals))
        counts = state_counts(jobs)
        folder = self._what.folder
        if isinstance(self._stopped_by, RunHalted):
            self._display.say(f"stopped at the failure of job {self._stopped_by.job.index}")
        elif isinstance(self._stopped_by, TooManyFailures):
            left = any(not job.status.final or is_interrupted(job) for job in jobs)
            goes_on = f"; sched resume {folder} goes on" if left else ""
            self._display.say(f"stopped: {self._stopped_by}{goes_on}")
        elif self._stopped_by:
            self._display.say(f"error: the run was stopped: {self._stopped_by}")
        if self._signals:
            self._display.say(self._farewell(self._signals[0]))
        groups = group_failures(jobs, folder)
        display, width = self._display, line_width()
        for line in summary(
            counts, groups, folder, display.seconds, ended=display.ended_now, width=width
        ):
            display.say(line)
        if self._what.scheduler.session.secrets.are_kept:
            display.say(
                f"secrets: kept for sched resume {folder}; sched clean {folder} removes them"
            )
        code = self._exit_code(finished=counts["finished"] == len(jobs))
        if len(self._signals) < 2:
            self.end = SessionEnd(folder, counts, code, display.seconds)
        return code

    def _exit_code(self, *, finished: bool) -> int:
        if self._signals:
            return 128 + self._signals[0]
        if isinstance(self._stopped_by, BackendError):
            return 3
        return 0 if finished and not self._stopped_by else 1

    def _farewell(self, signum: int) -> str:
        if self._kills:
            return interruption(signum, self._left)
        words = parting(signum, self._left, self._what.folder)
        note(self._what.folder, words)  # whoever it is for has no terminal any more
        return words

    def _jobs(self, *, stopped: bool) -> Sequence[JobState]:
        if stopped:
            # Only the records tell which jobs were killed with their run.
            with suppress(SchedError, OSError):
                return list(self._what.folder.read().jobs.values())
        return self._runner.jobs

    # --- signals -----------------------------------------------------------------------------------

    def _on_signal(self, signum: int) -> None:
        if signum == signal.SIGHUP and signum in self._signals:
            return  # a terminal that hangs up says so, and its shell once more
        self._signals.append(signum)
        count = len(self._signals)
        if count == 1 and self._open:
            self._kills = signum != signal.SIGHUP or not self._what.scheduler.runs_unattended
            self._display.say(announcement(signum, kill=self._kills))
        if count > 2:
            self._leave_for_good(signum)
        if self._open:
            self._runner.interrupt(signum, kill=self._kills)
        else:
            self._scope.cancel()

    def _leave_for_good(self, signum: int) -> None:
        """Even where a thread hangs in a file system that does not answer."""
        self._display.close()
        self._display.say(interruption(signum, self._running()))
        os._exit(128 + self._signals[0])

    def _running(self) -> list[Job]:
        return running_jobs(self._what.scheduler) if self._opened else []
