"""`sched doctor`."""

from __future__ import annotations

from collections.abc import Iterable

import click

from .exits import FAILED, FINISHED

__all__ = ["doctor"]


_HELP = """Check that this machine, and SCHEDULER with it, can run jobs.

\b
sched doctor                              this machine
sched doctor slurm                        and the cluster
sched doctor ssh -o servers=node1,node2   and these hosts
sched doctor gbatch -o project=P -o location=L -w gs://BUCKET/RUN

It also tells which files of settings (sched.toml) are in effect. The exit code is 1 where a check
fails; warnings do not count.
"""


@click.command(help=_HELP)
@click.argument("scheduler", default="local")
@click.option("-o", "options", multiple=True, metavar="KEY=VALUE", help="Option of the scheduler.")
@click.option(
    "-w", "--workdir", metavar="RUN", help="Where the run is to lie: a folder, or gs://..."
)
def doctor(scheduler: str, options: tuple[str, ...], workdir: str | None) -> int:
    from ..checks import check_machine, check_scheduler
    from ..reading.runfolder import RunFolder
    from ..registry import get_scheduler

    get_scheduler(scheduler)
    folder = RunFolder(workdir) if workdir else None
    checks = [check_machine(folder), check_scheduler(scheduler, options, folder)]
    verdicts = [_show(some) for some in checks]
    return FINISHED if all(verdicts) else FAILED


def _show(checks: Iterable[tuple[str, bool | None, str]]) -> bool:
    """Print the checks as they come; tell whether none failed."""
    well = True
    for name, verdict, detail in checks:
        word = {True: "ok", None: "warn", False: "FAIL"}[verdict]
        click.echo(f"{word:<5} {name}: {detail}")
        well = well and verdict is not False
    return well
