"""`sched run`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from .completers import BEHIND_DASHES
from .configured import ConfiguredCommand, profile_option
from .exits import FINISHED
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

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..lists.collect import Collected
    from ..lists.jobspec import JobSpec

__all__ = ["run"]

_HELP = """Run commands, many at a time, and tell what became of each.

\b
sched run -- gzip -9k {} ::: *.log                         a job for each file
sched run -- convert {1} -resize {2} {1/.}-{2}.png ::: *.jpg ::: 10% 50%
sched run --shell -- 'sort {} | uniq -c > {/.}.counts' ::: *.txt
sched run --table samples.tsv -- bwa mem {ref} {fastq}     a job for each row
sched run --from jobs.txt -s slurm --memory 4G,8G --time 2h
sched run --dry-run --profile big --from jobs.txt          starts nothing

Behind -- comes the command, and behind each ::: values: there is a job for each value, or for each
combination where ::: stands several times. :::+ goes along with the source before it, :::: FILE
takes values from a file's lines, - being standard input. In the command stand for the value

\b
  {}    itself               {/}   its last part   {#}     the job's number
  {.}   without extension    {//}  its folder      {2}     of source 2
  {/.}  last part without extension                {NAME}  of a table's column

also as {2/.}, {NAME.} and so on; without any of these the values come last. Nothing goes through a
shell, but with --shell: then the one word behind -- is a line for bash (pipefail is set), in which
these forms, and $1, $2, stand for the values, safely.

The header of a table (--table; TSV or CSV) names its columns; with --no-header they are {1}, {2},
and the first row is a job. A list (--from) holds a shell line a row, or JSON objects such as
{"cmd": ["gzip", "a b"], "name": "ab", "envs": {"K": "V"}, "resources": {"memory": "4 GiB"},
"timeout": "90m", "inputs": ["a b"], "outputs": ["a b.gz"]}: inputs and outputs travel to hosts
without a shared disk and back; "container" is what the job runs in: an image, or an object. Blank
rows are skipped, in a list also those that start with #.

Defaults of the options are taken from sched.toml in this folder or above it, and from the user's
(see sched doctor): forks = 200, memory = "4G", options = { partition = "main" }.
"""


class _RunCommand(ConfiguredCommand):
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep what stands behind `--` away from click, which would take it apart."""
        if "--" in args:
            place = args.index("--")
            ctx.meta[BEHIND_DASHES] = args[place + 1 :]
            args = args[:place]
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return ["[OPTIONS]", "( [--table FILE] -- COMMAND... [::: VALUES...]... | --from FILE )"]


@click.command(cls=_RunCommand, help=_HELP)
@click.argument("stray", nargs=-1, type=click.UNPROCESSED, required=False)
@click.option("-s", "--scheduler", metavar="NAME", help="What runs the jobs; by default local.")
@click.option("-w", "--workdir", metavar="RUN", help="Folder of the run, also gs://...")
@scheduler_options
@click.option("--env", multiple=True, metavar="K=V", help="Variable for every job; repeatable.")
@secret_option
@click.option(
    "--name", metavar="T", help="Name of the run's folder; with {}-forms, of each job instead."
)
@profile_option
@click.option("--shell", is_flag=True, help="What stands behind -- is one line for bash.")
@click.option("--from", "list_file", metavar="FILE|-", help="Take the jobs from a list.")
@click.option(
    "--table", metavar="FILE|-", help="A job for each row of a table (TSV, CSV) with a header."
)
@click.option(
    "--no-header", is_flag=True, help="The first row of the table is a job; columns are {1}, {2}."
)
@click.option(
    "--colsep",
    metavar="C",
    help="The character between columns of the table; by default found out.",
)
@click.option(
    "--resume", is_flag=True, help="Go on with the run, if there is one; add what is new."
)
@click.option(
    "--dry-run", is_flag=True, help="Show what would be submitted, start nothing, write nothing."
)
@conduct_options
@output_options
@click.pass_context
def run(ctx: click.Context, /, **values: Any) -> int:
    """Collect the jobs, then have them run."""
    _check_usage(ctx, values)
    output, conduct = output_of(values), conduct_of(values)
    if values["detach"] and not conduct.background:
        return start_detached(ctx)
    specs, run_name, _ = _collected(ctx, values)
    if values["dry_run"]:
        return _show(specs, run_name, values)
    from ..driving.start import start_run

    return start_run(
        specs,
        values["scheduler"],
        given_options(values),
        output,
        workdir=values["workdir"],
        run_name=run_name,
        resume=values["resume"],
        conduct=conduct,
        secrets=secrets_given(values),
    )


def _show(specs: list[JobSpec], run_name: str | None, values: dict[str, Any]) -> int:
    from ..driving.dryrun import dry_run, show_dry_run

    shown = dry_run(
        specs,
        values["scheduler"],
        given_options(values),
        workdir=values["workdir"],
        run_name=run_name,
        resume=values["resume"],
    )
    show_dry_run(shown, as_json=values["as_json"])
    return FINISHED


def _check_usage(ctx: click.Context, values: dict[str, Any]) -> None:
    from ..lists.replacement import has_forms

    behind: Sequence[str] | None = ctx.meta.get(BEHIND_DASHES)
    problem = None
    if values["stray"]:
        words = " ".join(values["stray"][:3])
        problem = f"{words!r} stands before --; write the command behind it: sched run -- {words}"
    elif values["list_file"] and values["table"]:
        problem = "--from is a list of jobs, --table one of values for the command; choose one"
    elif (values["no_header"] or values["colsep"]) and not values["table"]:
        problem = "--no-header and --colsep say how a table is read; name one with --table"
    elif values["list_file"] and behind:
        problem = "--from brings commands of its own; leave out what stands behind --"
    elif values["list_file"] and values["shell"]:
        problem = "--shell is for the line behind --; the lines of a list go to bash anyway"
    elif values["list_file"] and has_forms(values["name"]):
        problem = "--name with {}-forms is for values behind :::; a list of objects has names"
    elif _halts_for_nothing(ctx, values):
        problem = "--halt says how failures stop the run; give --on-error halt, or --max-failures"
    elif not values["list_file"] and not behind:
        problem = "there is no command; write it behind --, or name a list with --from"
    if problem:
        raise click.UsageError(problem, ctx)


def _halts_for_nothing(ctx: click.Context, values: dict[str, Any]) -> bool:
    typed = ctx.get_parameter_source("halt") is not ParameterSource.DEFAULT
    stops = values["on_error"] == "halt" or values["max_failures"] or values["resume"]
    return typed and not stops


def _collected(ctx: click.Context, values: dict[str, Any]) -> Collected:
    from ..console import say
    from ..lists.collect import collect_jobs

    names = ("list_file", "table", "no_header", "colsep", "shell", "name", "env")
    behind = ctx.meta.get(BEHIND_DASHES) or ()
    given = {name: values[name] for name in names}
    collected = collect_jobs(behind, **given, secrets=secrets_given(values))
    if collected.note:
        say(collected.note)
    return collected
