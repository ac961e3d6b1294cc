"""`sched ls`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..keeping.overview import RunRow

__all__ = ["ls"]

_HELP = """List runs: how far each is, and what it takes up.

\b
sched ls                      the runs under ./sched-runs, the newest first
sched ls --sort files         those with the most files first
sched ls gs://BUCKET/FOLDER   the runs in a folder of a bucket
sched ls --no-size | cut -f1  quick, and for other programs

SIZE and FILES are those of all that lies in the run's folder. On a terminal this is a table, else
TSV with more columns: bytes, seconds, times in ISO 8601.
"""


@click.command(help=_HELP)
@click.argument("folder", required=False)
@click.option(
    "--sort",
    type=click.Choice(["time", "size", "files", "name"]),
    default="time",
    help="The newest first, the largest first, or by name.",
)
@click.option("--no-size", is_flag=True, help="Do not count files: that takes a while.")
@click.option("--json", "as_json", is_flag=True, help="A JSON object a run.")
def ls(folder: str | None, sort: str, no_size: bool, as_json: bool) -> int:
    from ..console import say
    from ..keeping.overview import SORTS, rows_of, runs_below
    from ..keeping.ticking import ticking

    if no_size and sort in ("size", "files"):
        raise click.UsageError(f"--sort {sort} needs what --no-size leaves out; choose one")
    runs = runs_below(folder)
    rows = []
    with ticking() as show:
        for row in rows_of(runs, size=not no_size):
            rows.append(row)
            show(f"looked at {len(rows):,} of {len(runs):,} runs")
    rows.sort(key=SORTS[sort])
    _write(rows, as_json=as_json)
    for row in rows:
        if row.problem:
            say(f"warning: {row.folder}: {row.problem}")
    if not rows:
        say(f"there is no run in {folder or './sched-runs'}")
    return 0


def _write(rows: list[RunRow], *, as_json: bool) -> None:
    from ..console import stdout_is_terminal, terminal_width
    from ..keeping.runtable import as_json_lines, as_table, as_tsv

    if as_json:
        lines = as_json_lines(rows)
    elif stdout_is_terminal():
        lines = as_table(rows, terminal_width()) if rows else iter(())
    else:
        lines = as_tsv(rows)
    for line in lines:
        click.echo(line)
