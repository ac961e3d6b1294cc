"""`sched top`."""

from __future__ import annotations

import click

__all__ = ["top"]


_HELP = """Show a run live: how far it is, its jobs, and what they write.

\b
sched top             the runs under ./sched-runs, newest first
sched top RUN         one of them, or a run anywhere else

Keys kill and retry jobs, which asks first; ? lists them all. Leaving changes nothing: the run
goes on. It needs a terminal; in scripts, use `sched status`.
"""


@click.command(help=_HELP)
@click.argument("run", required=False)
def top(run: str | None) -> int:
    from ..reading.runfolder import existing_run

    _check_terminal()
    folder = existing_run(run)
    from ..top.app import show_top

    return show_top(folder if run else None)


def _check_terminal() -> None:
    import os
    import sys

    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise click.UsageError(
            "top needs a terminal to draw on; `sched status` tells the same in text"
        )
    if os.environ.get("TERM") in (None, "", "dumb"):
        raise click.UsageError(
            "top needs a terminal that moves its cursor (TERM is"
            f" {os.environ.get('TERM') or 'not set'}); `sched status` tells the same in text"
        )
