"""`sched unpack`."""

from __future__ import annotations

import click

__all__ = ["unpack"]


_HELP = """Put packed files of jobs back into their folders, and remove the archives.

\b
sched unpack RUN

Not while somebody drives the run.
"""


@click.command(help=_HELP)
@click.argument("run", required=False)
def unpack(run: str | None) -> int:
    from ..keeping.telling import unpack_run
    from ..reading.runfolder import existing_run

    return unpack_run(existing_run(run))
