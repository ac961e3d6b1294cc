"""The command `sched` itself: its sub-commands are imported when one of them is asked for."""

from __future__ import annotations

import difflib
import importlib
import os
from typing import TYPE_CHECKING, NoReturn

import click

from ..completion import VARIABLE

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["sched"]

# A table, so that the help needs no command's module.
_COMMANDS = {
    "run": "Run commands, many at a time.",
    "status": "Show how far a run is, and what failed.",
    "top": "Show runs live: how far they are, their jobs, what those write.",
    "attach": "Show a run that goes on in the background or elsewhere.",
    "wait": "Wait until a run has ended.",
    "resume": "Go on with a run that was interrupted.",
    "results": "Show what became of each job, for people or programs.",
    "report": "Write a page about a run, as one HTML file.",
    "cat": "Write what jobs printed, whole and in their order.",
    "logs": "Show what jobs wrote.",
    "kill": "Kill jobs of a run, or all of it.",
    "retry": "Run jobs again that did not finish.",
    "ls": "List runs, and what they take up.",
    "pack": "Pack the files of jobs that have ended into archives.",
    "unpack": "Put packed files back.",
    "clean": "Remove what runs have left, or runs themselves.",
    "explain": "Tell all that is known about one job.",
    "schedulers": "List the schedulers that are installed.",
    "doctor": "Check that this machine and a scheduler can run jobs.",
    "completion": "Print the script by which a shell completes sched.",
}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f".{cmd_name}", __package__)
        command: click.Command = getattr(module, cmd_name)
        if VARIABLE in os.environ:
            from .completers import add_completers

            return add_completers(command)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete from the table, and load no command."""
        from click.shell_completion import CompletionItem

        found = [
            CompletionItem(name, help=text)
            for name, text in _COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] == "help" and not ctx.resilient_parsing:
            args = _as_option(args[1:], ctx)
        known = not args or args[0] in _COMMANDS or args[0].startswith("-")
        if not known and not ctx.resilient_parsing:
            _no_such_command(args[0], ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


def _as_option(asked: list[str], ctx: click.Context) -> list[str]:
    """Take `sched help run` for `sched run --help`, and `sched help` for `sched --help`."""
    if not asked:
        click.echo(ctx.get_help())
        ctx.exit()
    return [asked[0], "--help"]


def _no_such_command(name: str, ctx: click.Context) -> NoReturn:
    near = difflib.get_close_matches(name, _COMMANDS, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(_COMMANDS)}"
    raise click.UsageError(f"no such command {name!r}; {hint}", ctx)


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        click.echo(f"sched {version('sched-meta')}")
        ctx.exit()


_HELP = """Run many commands, and know the truth about each of them.

\b
sched run -- gzip -9k {} ::: *.log     a job for each file
sched status                           how far the newest run is
sched logs RUN failed                  what the failed jobs wrote

A run is a folder, by default ./sched-runs/TIME-N, or one in a bucket. RUN is its path, its name
under ./sched-runs, or gs://BUCKET/FOLDER. JOBS are indexes as in 3,7-9, names, or failed, killed, timeout, ...

Exit codes: 0 all jobs finished, 1 some did not, 2 wrong usage, 3 the scheduler cannot be used,
129, 130, 143 ended by a signal.
"""


@click.group(cls=_LazyGroup, help=_HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
def sched() -> None: ...
