"""Options that several commands take."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from ..driving.start import Given, Output

__all__ = ["given_options", "output_of", "output_options", "scheduler_options"]

F = TypeVar("F", bound=Callable[..., Any])

_SCHEDULER_OPTIONS = (
    click.option(
        "-j",
        "--forks",
        type=int,
        help="Jobs at a time; by default the usable cores, on clusters 1000.",
    ),
    click.option(
        "-o", "options", multiple=True, metavar="KEY=VALUE", help="Option of the scheduler."
    ),
    click.option("--retries", type=int, metavar="N", help="Try a failed job again, N times."),
    click.option(
        "--on-error",
        type=click.Choice(["continue", "retry", "halt"]),
        help="After a failed job: go on, try it again, or stop the run.",
    ),
    click.option("--cpus", metavar="N", help="Cores for each job."),
    click.option(
        "--memory",
        metavar="M[,M2..]",
        help="Memory for each job: 4G. 4G,8G: more for the next attempt, after one had too little.",
    ),
    click.option(
        "--time",
        metavar="T[,T2..]",
        help="Time limit of each attempt: 90, 90m, 1h30m. 1h,4h: more after one ran out of it.",
    ),
    click.option("--gpus", metavar="N", help="Graphics cards for each job."),
)

_OUTPUT_OPTIONS = (
    click.option("--cat", is_flag=True, help="Write what the jobs print to stdout, in order."),
    click.option("--json", "as_json", is_flag=True, help="Write events to stdout, a JSON a line."),
    click.option("--no-progress", is_flag=True, help="Do not show how far it is."),
)


def scheduler_options(command: F) -> F:
    """Add the options that a scheduler is made of."""
    return _add(_SCHEDULER_OPTIONS, command)


def output_options(command: F) -> F:
    """Add the options that say what is written where."""
    return _add(_OUTPUT_OPTIONS, command)


def _add(options: tuple[Callable[[F], F], ...], command: F) -> F:
    for option in reversed(options):
        command = option(command)
    return command


def given_options(values: dict[str, Any]) -> Given:
    """Return what `scheduler_options` collected."""
    from ..driving.start import Given

    names = ("forks", "options", "retries", "on_error", "cpus", "memory", "time", "gpus")
    return Given(**{name: values[name] for name in names})


def output_of(values: dict[str, Any]) -> Output:
    """Return what `output_options` collected. Raises UsageError for two uses of stdout."""
    from ..driving.start import Output

    if values["cat"] and values["as_json"]:
        raise click.UsageError("--cat and --json both write to stdout; choose one")
    return Output(**{name: values[name] for name in ("cat", "as_json", "no_progress")})
