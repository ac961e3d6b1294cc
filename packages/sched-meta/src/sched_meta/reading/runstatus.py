"""`sched status`: what is told of a run at one moment, to people and to programs."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sched_core.runfolder import JobRecord, RunView

from ..wording import (
    clock,
    count_jobs,
    counted,
    duration,
    folded,
    pace,
    plain,
    quoted,
)
from .driverlog import existing_driver_log
from .failuregroup import FailureGroup
from .failures import failure_lines, group_failures
from .nextsteps import next_steps
from .progress import Progress, progress_of
from .runfolder import RunFolder
from .states import state_counts
from .unrecorded import as_they_are, ended_since

__all__ = ["RunStatus", "driver_in_words", "run_status"]

_MOST_RUNNING = 5


@dataclass(frozen=True, slots=True)
class RunStatus:
    """A run as `run_status` found it."""

    folder: RunFolder
    view: RunView
    """With those of its jobs that neither wait nor have finished."""
    jobs: int
    at: float
    counts: dict[str, int]
    """As the run's journal has it."""
    ended_since: dict[int, JobRecord]
    """Jobs that have ended since the last driver did, which the counts do not know yet."""
    failures: list[FailureGroup]
    progress: Progress

    def lines(self, width: int = 0) -> list[str]:
        """Return what a person reads; what jobs wrote is cut to `width` where that is given."""
        run = self.view.run
        lines = [
            f"run:     {self.folder} ({run.scheduler}, begun {clock(run.created)})",
            f"driver:  {driver_in_words(self.view)}{self._left_running()}",
            *self._log(),
            f"jobs:    {count_jobs(self.jobs)}: {self._counted()}",
            *self._time(),
            *self._running(width),
            *failure_lines(self.failures, width=width),
        ]
        return lines if self.view.driver_lives else lines + self._next()

    def _counted(self) -> str:
        since = self.ended_since
        if not since:
            return counted(self.counts)
        known = Counter(self.counts)
        known.subtract(state_counts(self.view.jobs[index] for index in since))
        words = [counted(known)] if any(known.values()) else []
        them = "it" if len(since) == 1 else "them"
        words.append(f"{len(since):,} ended since (sched resume {self.folder} takes {them} up)")
        return ", ".join(words)

    def _left_running(self) -> str:
        """What goes on without a driver, as after a hang-up."""
        lease = self.view.lease
        active = sum(job.status.active for job in self.view.jobs.values()) - len(self.ended_since)
        if lease is None or not lease.released or not active:
            return ""
        return f"; {count_jobs(active)} wait or run without it (sched attach {self.folder})"

    def _log(self) -> Iterator[str]:
        if log := existing_driver_log(self.folder):
            yield f"log:     {quoted(str(log))}"

    def _time(self) -> Iterator[str]:
        progress = self.progress
        words = [] if progress.seconds is None else [duration(progress.seconds)]
        if progress.rate:
            words.append(pace(progress.rate))
        if progress.seconds_left is not None:
            words.append(f"{duration(progress.seconds_left)} left")
        if words:
            yield f"time:    {', '.join(words)}"

    def _running(self, width: int) -> Iterator[str]:
        running = self.progress.running
        several = len({job.host for job in running}) > 1
        texts = [self._in_words(job, several_hosts=several) for job in running[:_MOST_RUNNING]]
        if len(running) > _MOST_RUNNING:
            texts.append(f"and {len(running) - _MOST_RUNNING:,} more")
        if texts:
            yield from folded("running: ", texts, width)

    def _in_words(self, job: JobRecord, *, several_hosts: bool) -> str:
        name = f"{job.index}" + (f" ({plain(job.name)})" if job.name else "")
        since = f" for {duration(max(0.0, self.at - job.started))}" if job.started else ""
        host = f" on {plain(job.host)}" if several_hosts and job.host else ""
        again = f", attempt {job.attempt}" if job.attempt > 1 else ""
        return f"{name}{since}{host}{again}"

    def _next(self) -> list[str]:
        return next_steps(self.counts, self.folder, self.failures)

    def to_json(self) -> dict[str, Any]:
        """Return the same for programs; times are seconds, or seconds since 1970."""
        log = existing_driver_log(self.folder)
        return {
            "run": self.view.run.run,
            "folder": self.folder.path,
            "scheduler": self.view.run.scheduler,
            "created": self.view.run.created,
            "driver": self._driver(),
            "driver_log": None if log is None else str(log),
            "jobs": self.jobs,
            "counts": self.counts,
            "ended_since": sorted(self.ended_since),
            "seconds": self.progress.seconds,
            "rate": self.progress.rate,
            "seconds_left": self.progress.seconds_left,
            "running": [_running_job(job) for job in self.progress.running],
            "failures": [group.to_json() for group in self.failures],
        }

    def _driver(self) -> dict[str, Any] | None:
        lease = self.view.lease
        if lease is None:
            return None
        return {
            "host": lease.driver.host,
            "pid": lease.driver.pid,
            "released": lease.released,
            "alive": self.view.driver_lives,
        }


def _running_job(job: JobRecord) -> dict[str, Any]:
    names = ("index", "name", "attempt", "jid", "host", "started")
    return {name: getattr(job, name) for name in names}


def run_status(folder: RunFolder) -> RunStatus:
    """Read a run's records, and the last words of what failed. Blocks.

    Raises RunNotFound, RunCorrupt.
    """
    (view, tally), at = folder.glance(), time.time()
    jobs, driven = view.jobs.values(), view.driver is not None
    since = ended_since(folder, view)
    progress = progress_of(as_they_are(jobs, since), at, driven=driven, others=tally)
    failures = group_failures(jobs, folder, tally.hosts)
    counts = state_counts(jobs, tally)
    return RunStatus(folder, view, tally.total, at, counts, since, failures, progress)


def driver_in_words(view: RunView) -> str:
    """Whether somebody drives the run, and who."""
    if view.lease is None:
        return "none was there yet"
    if view.lease.released:
        return f"none, {view.lease.driver} has ended"
    if view.driver_lives is None:
        return f"{view.lease.driver}; from here one cannot tell whether it lives"
    return f"{view.lease.driver} {'is at work' if view.driver_lives else 'died'}"
