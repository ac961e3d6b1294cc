"""`sched clean`."""

from __future__ import annotations

import click

__all__ = ["clean"]

_HELP = """Remove what runs have left: elsewhere, in the folders of jobs, or all of them.

\b
sched clean RUN                             what it left elsewhere
sched clean RUN --remove-jobs finished      the files of jobs that finished
sched clean RUN OTHER --remove-run          all of these runs
sched clean --remove-run --older-than 30d   those under ./sched-runs
sched clean RUN --remove-run --dry-run      what would be removed

Without --remove-run and --remove-jobs the run's own folder, with what came back, stays as it is. Jobs
whose files were removed stay known, by status and results: they are not run again. Nothing is removed
while a run has a driver or jobs of it may run, and never what sched did not write itself. On a
terminal it asks before it removes a run or files of jobs; else it needs --yes. The exit code is 1
where something is left of what was to be removed.
"""


@click.command(help=_HELP)
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--remove-run", is_flag=True, help="Remove the whole run, its folder included.")
@click.option(
    "--remove-jobs",
    multiple=True,
    metavar="JOBS",
    help="Remove the files of these jobs: finished, failed, 3,7-9, names.",
)
@click.option("--older-than", metavar="AGE", help="Only runs where nothing happened for 30d, 12h.")
@click.option("--dry-run", is_flag=True, help="Tell what would be removed, and remove nothing.")
@click.option("--yes", is_flag=True, help="Do not ask; also what may be the only copy of a result.")
@click.option("-o", "options", multiple=True, metavar="KEY=VALUE", help="Option of the scheduler.")
@click.pass_context
def clean(
    ctx: click.Context,
    runs: tuple[str, ...],
    remove_run: bool,
    remove_jobs: tuple[str, ...],
    older_than: str | None,
    dry_run: bool,
    yes: bool,
    options: tuple[str, ...],
) -> int:
    if remove_run and remove_jobs:
        raise click.UsageError("--remove-run removes the files of all jobs; leave out one", ctx)
    if remove_run and not runs and older_than is None:
        raise click.UsageError(
            "name the runs to remove (sched ls lists them), or add --older-than 30d", ctx
        )
    from ..tidying import Cleaning, clean_up, meant_runs

    cleaning = Cleaning(options, remove_run, remove_jobs, dry_run, yes)
    return clean_up(meant_runs(runs, older_than, cleaning), cleaning)
