"""Commands whose options have defaults in `sched.toml`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from .sections import format_sections

__all__ = ["ConfiguredCommand", "SessionCommand", "profile_option"]

F = TypeVar("F", bound=Callable[..., Any])


class ConfiguredCommand(click.Command):
    """Fills in what was not typed with what `sched.toml` says."""

    of_the_session = False

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options by what they are for."""
        format_sections(self, ctx, formatter)

    def invoke(self, ctx: click.Context) -> Any:
        """Call the command with the settings in effect."""
        from sched_core.errors import OptionError

        from ..settings.effect import fill_in, located, read_settings

        _refuse_empty(ctx, self.params)
        profile = ctx.params.pop("profile", None)
        typed = frozenset(filter(lambda name: _was_typed(ctx, name), ctx.params))
        settings = read_settings(
            profile, ctx.params.get("scheduler"), of_the_session=self.of_the_session
        )
        _tell(settings.notes, detach=bool(ctx.params.get("detach")))
        ctx.params = fill_in(ctx.params, typed, settings)
        try:
            return super().invoke(ctx)
        except OptionError as error:
            raise located(error, settings, typed) from error


class SessionCommand(ConfiguredCommand):
    """Goes on with a run that has recorded options of its own: files only add what it has not."""

    of_the_session = True


def profile_option(command: F) -> F:
    """Add `--profile`."""
    option = click.option(
        "--profile", metavar="NAME", help="Take defaults of [profile.NAME] in sched.toml."
    )
    return option(command)


def _tell(notes: Iterable[str], *, detach: bool) -> None:
    from ..console import say

    if detach:
        from ..driving.background import is_background

        if is_background():
            return  # the process in the terminal has told already
    for note in notes:
        say(note)


def _refuse_empty(ctx: click.Context, parameters: Iterable[click.Parameter]) -> None:
    """Refuse what a variable of a script that is not set has become."""
    for parameter in parameters:
        if parameter.name in _NEVER_EMPTY and ctx.params.get(parameter.name) == "":
            option = max(parameter.opts, key=len)
            raise click.UsageError(f"{option} is empty; give it a value, or leave it out", ctx)


_NEVER_EMPTY = frozenset("scheduler name list_file table colsep profile".split())


def _was_typed(ctx: click.Context, name: str) -> bool:
    return ctx.get_parameter_source(name) is not ParameterSource.DEFAULT
