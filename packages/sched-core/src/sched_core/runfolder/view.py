"""What an onlooker sees of a run: it reads the journal, asks nobody and changes nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..paths import SpecPath
from ..ports import Files, Ports, system_ports
from .layout import Layout
from .lease import LeaseRecord, newest_lease
from .reader import read_journal
from .runfile import RunFile, require_run
from .state import JobRecord, replay
from .submissions import read_submissions
from .summary import read_tally
from .tally import Tally

__all__ = ["RunView", "glance_at_run", "jobs_that_may_run", "read_run"]


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
    ports = ports or system_ports(str(SpecPath(workdir)))
    view = _look(workdir, ports)
    return replace(view, jobs=replay(read_journal(ports.files, view.layout)))


def glance_at_run(
    workdir: str | os.PathLike[str], ports: Ports | None = None
) -> tuple[RunView, Tally]:
    """Return the run without those of its jobs that wait or have finished, which are only counted, and
    the counts. Blocks.

    That takes no longer for many jobs than for few. It is for whoever only wants to know how far a run
    is: a record that was damaged since it was summed up is not seen. Raises as `read_run` does.
    """
    ports = ports or system_ports(str(SpecPath(workdir)))
    view = _look(workdir, ports)
    tally = read_tally(ports.files, view.layout)
    return replace(view, jobs=tally.jobs()), tally


def _look(workdir: str | os.PathLike[str], ports: Ports) -> RunView:
    """Return the run without its jobs."""
    layout = Layout(str(SpecPath(workdir)))
    run = require_run(ports.files, layout)
    lease = newest_lease(ports.files, layout)
    lives = None if lease is None else not lease.released and ports.lives(lease.driver)
    return RunView(layout, run, {}, lease, lives)


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
