"""`sched retry`."""

from __future__ import annotations

from typing import Any

import click

from .configured import SessionCommand, profile_option
from .shared import given_options, output_of, output_options, scheduler_options

__all__ = ["retry"]


@click.command(cls=SessionCommand)
@click.argument("run")
@click.argument("jobs", nargs=-1)
@scheduler_options
@profile_option
@output_options
def retry(run: str, jobs: tuple[str, ...], **values: Any) -> int:
    """Run JOBS again that failed or were killed; by default all of them.

    Where the run has a driver, it is asked to; else this process drives the run until all its jobs
    have ended. The files of earlier attempts are kept.
    """
    output = output_of(values)
    from ..driving.control import retry_jobs
    from ..reading.runfolder import existing_run

    return retry_jobs(existing_run(run), jobs, given_options(values), output)
