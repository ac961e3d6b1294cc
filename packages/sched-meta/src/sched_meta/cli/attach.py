"""`sched attach`."""

from __future__ import annotations

from typing import Any

import click

from .shared import output_of, output_options

__all__ = ["attach"]

_HELP = """Show a run that goes on elsewhere, as if it had been begun here.

\b
sched attach                 the newest run
sched attach RUN --cat       what its jobs print, in order
sched attach RUN --json      all its events

RUN may have been begun with -d, in another terminal, or on another host that shares its folder. The
exit code is what that of `sched run` would be. Ctrl-C leaves the run alone. Where its
driver has died, or left at a hang-up, this process goes on with the run, as `sched resume` does.
"""


@click.command(help=_HELP)
@click.argument("run", required=False)
@output_options
def attach(run: str | None, **values: Any) -> int:
    output = output_of(values)
    from ..driving import attach as attaching
    from ..reading.runfolder import existing_run

    return attaching.attach(existing_run(run), output)
