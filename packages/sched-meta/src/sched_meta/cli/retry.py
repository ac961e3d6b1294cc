"""`sched retry`."""

from __future__ import annotations

from typing import Any

import click

from .configured import SessionCommand, profile_option
from .shared import (
    conduct_of,
    conduct_options,
    given_options,
    output_of,
    output_options,
    scheduler_options,
    secret_option,
    secrets_given,
    start_detached,
)

__all__ = ["retry"]


_HELP = """Run JOBS again that failed or were killed; by default all of them.

\b
sched retry RUN                              all that failed or was killed
sched retry RUN 3,7-9 'sample_*'             these
sched retry RUN --failure oom --memory 32G   what ran out of memory, with more

Classes of failure are exit, timeout, out_of_memory (or oom), cancelled, output, setup, preempted,
node_fail, rejected, unavailable and lost. Where the run has a driver, it is asked to; else this
process drives the run until all its jobs have ended. The files of earlier attempts are kept.
"""


@click.command(cls=SessionCommand, help=_HELP)
@click.argument("run")
@click.argument("jobs", nargs=-1)
@click.option(
    "--failure",
    "failures",
    multiple=True,
    metavar="CLASS",
    help="Only what ended so: exit, timeout, oom, lost, ...; repeatable.",
)
@secret_option
@scheduler_options
@profile_option
@conduct_options
@output_options
@click.pass_context
def retry(
    ctx: click.Context,
    /,
    run: str,
    jobs: tuple[str, ...],
    failures: tuple[str, ...],
    **values: Any,
) -> int:
    output, conduct = output_of(values), conduct_of(values)
    if values["detach"] and not conduct.background:
        return start_detached(ctx)
    from ..driving.control import retry_jobs
    from ..reading.runfolder import existing_run

    given, secrets = given_options(values), secrets_given(values)
    return retry_jobs(existing_run(run), jobs, given, output, failures, conduct, secrets)
