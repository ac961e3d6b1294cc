"""`sched resume`."""

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

__all__ = ["resume"]


_HELP = """Go on with a run that was interrupted, whatever moment its driver died at.

\b
sched resume               the newest run
sched resume RUN -j 100    with other options than before
sched resume RUN -d        in the background

Jobs that ended are left as they are, those that still run are taken over, the rest is started.
Options are those of the run, unless they are given anew. To run failed jobs again: sched retry.
"""


@click.command(cls=SessionCommand, help=_HELP)
@click.argument("run", required=False)
@secret_option
@scheduler_options
@profile_option
@conduct_options
@output_options
@click.pass_context
def resume(ctx: click.Context, /, run: str | None, **values: Any) -> int:
    output, conduct = output_of(values), conduct_of(values)
    if values["detach"] and not conduct.background:
        return start_detached(ctx)
    from ..driving.start import resume_run

    secrets = secrets_given(values)
    return resume_run(run, given_options(values), output, conduct=conduct, secrets=secrets)
