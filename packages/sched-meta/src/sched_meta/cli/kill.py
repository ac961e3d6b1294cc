"""`sched kill`."""

from __future__ import annotations

import click

__all__ = ["kill"]


@click.command()
@click.argument("run")
@click.argument("jobs", nargs=-1)
def kill(run: str, jobs: tuple[str, ...]) -> int:
    """Kill JOBS of a run, waiting or running, with all their processes; by default all jobs.

    Killed jobs have ended: only `sched retry` runs them again. To stop a run and go on later, send
    its driver a signal instead (Ctrl-C).
    """
    from ..driving.control import kill_jobs
    from ..reading.runfolder import existing_run

    return kill_jobs(existing_run(run), jobs)
