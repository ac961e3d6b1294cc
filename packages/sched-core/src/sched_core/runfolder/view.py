"""What an onlooker sees of a run: it reads the journal, asks nobody and changes nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from ..paths import SpecPath
from ..ports import Files, Ports, system_ports
from .layout import Layout
from .lease import LeaseRecord, newest_lease
from .reader import read_journal
from .runfile import RunFile, require_run
from .state import JobRecord, replay
from .submissions import read_submissions

__all__ = ["RunView", "jobs_that_may_run", "read_run"]


@dataclass(frozen=True, slots=True)
class RunView:
    """A run at one moment."""

    layout: Layout
    run: RunFile
    jobs: Mapping[int, JobRecord]
    lease: LeaseRecord | None
    driver_lives: bool | None
    """None where this process cannot tell: the driver is on another host."""

    @property
    def driver(self) -> str | None:
        """Who drives the run, in words; None where nobody does."""
        if self.lease is None or self.lease.released or self.driver_lives is False:
            return None
        return str(self.lease.driver)


def read_run(workdir: str | os.PathLike[str], ports: Ports | None = None) -> RunView:
    """Return what the folder tells of its run. Blocks.

    Raises RunNotFound where it holds none, RunCorrupt where its records cannot be read.
    """
    layout = Layout(str(SpecPath(workdir)))
    ports = ports or system_ports(layout.workdir)
    run = require_run(ports.files, layout)
    lease = newest_lease(ports.files, layout)
    lives = None if lease is None else not lease.released and ports.lives(lease.driver)
    jobs = replay(read_journal(ports.files, layout))
    return RunView(layout, run, jobs, lease, lives)


def jobs_that_may_run(files: Files, layout: Layout, jobs: Mapping[int, JobRecord]) -> set[int]:
    """Return the jobs that an engine may have, of a run that nobody drives. Blocks.

    What its driver did last may not be in the journal: the records of submissions tell.
    """
    tasks = {task for submission in read_submissions(files, layout) for task in submission.tasks}
    return {
        job.index
        for job in jobs.values()
        if job.status.active or (not job.status.final and (job.index, job.attempt) in tasks)
    }
