"""`sched clean`."""

from __future__ import annotations

import click

__all__ = ["clean"]


@click.command()
@click.argument("run", required=False)
@click.option("-o", "options", multiple=True, metavar="KEY=VALUE", help="Option of the scheduler.")
@click.option("--yes", is_flag=True, help="Also what may be the only copy of a result.")
def clean(run: str | None, options: tuple[str, ...], yes: bool) -> int:
    """Remove what a run has left on hosts that do not share its disk, and mirrors of its bucket.

    The run's own folder, with what came back, stays as it is. Nothing is removed while the run has
    a driver or jobs of it may run. The exit code is 1 where something is left.
    """
    from ..reading.runfolder import existing_run
    from ..tidying import clean_up

    return clean_up(existing_run(run), options, lose_results=yes)
