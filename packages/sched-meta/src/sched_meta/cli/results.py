"""`sched results`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sched_core.runfolder import JobRecord

    from ..reading.runfolder import RunFolder

__all__ = ["results"]

_FORMATS = ("tsv", "csv", "jsonl", "table", "joblog")

_HELP = """Show what became of the jobs, a row each.

\b
sched results                             the newest run, as a table
sched results RUN failed --stdout         what failed, with what it printed
sched results RUN > jobs.tsv              all columns, for other programs
sched results RUN --columns index,wall,max_rss --format csv
sched results RUN --format joblog > log   as GNU parallel's --joblog has it

On a terminal this is a table, cut to its width, else TSV. Columns are index, name, status, rc,
failure, attempt, host, submitted, started, ended, wall, cpu (seconds), max_rss (bytes, where it is
known), cmd (as bash takes it), and on request queued, jid, reason, stdout, stderr. Times are ISO 8601.
Of what a job printed the line ends at its end are left out; in TSV \\n, \\t and \\\\ stand for
line ends, tabs and backslashes in it.
"""


@click.command(help=_HELP)
@click.argument("run", required=False)
@click.argument("jobs", nargs=-1)
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMATS),
    help="By default a table on a terminal, else TSV.",
)
@click.option("--columns", metavar="A,B,...", help="These columns, in this order.")
@click.option("--stdout", is_flag=True, help="Add what each job printed, as one value.")
def results(
    run: str | None, jobs: tuple[str, ...], form: str | None, columns: str | None, stdout: bool
) -> None:
    from ..console import stdout_is_terminal, write_text
    from ..reading.results import chosen_columns
    from ..reading.runfolder import existing_run
    from ..reading.selection import select_jobs

    form = form or ("table" if stdout_is_terminal() else "tsv")
    if form == "joblog" and (columns or stdout):
        raise click.UsageError(
            "the joblog has columns of its own; leave out --columns and --stdout"
        )
    names = chosen_columns(columns, stdout=stdout)
    folder = existing_run(run)
    view = folder.read()
    chosen = select_jobs(jobs or ("all",), view.jobs)
    if form == "joblog":
        host = view.lease.driver.host if view.lease else None
        write_text(_joblog(folder, chosen, host))
    elif form == "table":
        _show_table(folder, chosen, names, usual=columns is None)
    else:
        write_text(_rows(folder, chosen, names, form))


def _joblog(folder: RunFolder, jobs: list[JobRecord], host: str | None) -> Iterator[str]:
    from ..reading.resultformats import as_joblog
    from ..reading.results import job_log

    return as_joblog(job_log(folder, jobs, host))


def _show_table(
    folder: RunFolder, jobs: list[JobRecord], names: tuple[str, ...], *, usual: bool
) -> None:
    from ..console import stdout_has_colors, terminal_width
    from ..reading.results import results as rows_of
    from ..reading.resulttable import as_table

    rows = list(rows_of(folder, jobs, names))
    for line in as_table(rows, terminal_width(), usual=usual, color=stdout_has_colors()):
        click.echo(line)


def _rows(
    folder: RunFolder, jobs: list[JobRecord], names: tuple[str, ...], form: str
) -> Iterator[str]:
    from ..reading import resultformats
    from ..reading.results import results as rows_of

    rows = rows_of(folder, jobs, names)
    match form:
        case "tsv":
            return resultformats.as_tsv(rows, names)
        case "csv":
            return resultformats.as_csv(rows, names)
    return resultformats.as_jsonl(rows)
