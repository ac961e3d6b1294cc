"""`sched kill`."""

from __future__ import annotations

import click

__all__ = ["kill"]


_HELP = """Kill JOBS of a run, waiting or running, with all their processes; by default all jobs.

\b
sched kill RUN                  all that waits or runs
sched kill RUN 3,7-9 sample2    these
sched kill RUN waiting          what has not started yet

Killed jobs have ended: only `sched retry` runs them again. To stop a run and go on later, send its
driver a signal instead (Ctrl-C).
"""


@click.command(help=_HELP)
@click.argument("run")
@click.argument("jobs", nargs=-1)
def kill(run: str, jobs: tuple[str, ...]) -> int:
    from ..driving.control import kill_jobs
    from ..reading.runfolder import existing_run

    return kill_jobs(existing_run(run), jobs)
