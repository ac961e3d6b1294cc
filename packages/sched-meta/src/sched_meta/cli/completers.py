"""What of a command's words a shell can complete, by the names of its parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeAlias

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["BEHIND_DASHES", "add_completers"]

BEHIND_DASHES = "sched.behind_dashes"
"""Where `run` keeps what stands behind `--`."""

Items: TypeAlias = "list[CompletionItem]"
Completer: TypeAlias = "Callable[[click.Context, str], Items]"


def add_completers(command: click.Command) -> click.Command:
    """Let a shell complete runs, jobs, schedulers, options, profiles and files of the command."""
    for parameter in command.params:
        if completer := _COMPLETERS.get(parameter.name or ""):
            # click's own way in is an argument of each decorator
            setattr(parameter, "shell_complete", _before_dashes(completer))  # noqa: B010
    return command


def _before_dashes(completer: Completer) -> Completer:
    def complete(ctx: click.Context, incomplete: str) -> Items:
        return _file(ctx, incomplete) if BEHIND_DASHES in ctx.meta else completer(ctx, incomplete)

    return complete


def _file(_: click.Context, incomplete: str) -> Items:
    return [_item(incomplete, "file")]


def _folder(_: click.Context, incomplete: str) -> Items:
    return [_item(incomplete, "dir")]


def _run(ctx: click.Context, incomplete: str) -> Items:
    from ..completion.words import run_words

    # bash forgets what came before a folder, and takes folders where no name fits
    return [*_folder(ctx, incomplete), *_items(incomplete, run_words())]


def _jobs(ctx: click.Context, incomplete: str) -> Items:
    from ..completion.words import job_words

    return _items(incomplete, job_words(ctx.params.get("run")))


def _scheduler(_: click.Context, incomplete: str) -> Items:
    from ..completion.words import scheduler_words

    return _items(incomplete, scheduler_words())


def _options(ctx: click.Context, incomplete: str) -> Items:
    from ..completion.words import option_words

    return _items(incomplete, option_words(ctx.params.get("scheduler")))


def _profile(_: click.Context, incomplete: str) -> Items:
    from ..completion.words import profile_words

    return _items(incomplete, profile_words())


def _dashes(_: click.Context, incomplete: str) -> Items:
    return _items(incomplete, ["--"])


def _items(incomplete: str, words: Iterable[str]) -> Items:
    return [_item(word) for word in words if word.startswith(incomplete)]


def _item(word: str, kind: str = "plain") -> CompletionItem:
    from click.shell_completion import CompletionItem

    return CompletionItem(word, type=kind)


_COMPLETERS: dict[str, Completer] = {
    "run": _run,
    "job": _jobs,
    "jobs": _jobs,
    "scheduler": _scheduler,
    "options": _options,
    "profile": _profile,
    "workdir": _folder,
    "list_file": _file,
    "table": _file,
    "stray": _dashes,
}
