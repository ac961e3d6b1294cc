"""Options that several commands take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from sched_core import Secret

    from ..driving.conduct import Conduct
    from ..driving.given import Given, Output

__all__ = [
    "conduct_of",
    "conduct_options",
    "given_options",
    "output_of",
    "output_options",
    "scheduler_options",
    "secret_option",
    "secrets_given",
    "start_detached",
]

F = TypeVar("F", bound=Callable[..., Any])

_SCHEDULER_OPTIONS = (
    click.option(
        "-j",
        "--forks",
        type=int,
        metavar="N",
        help="Jobs at a time; by default the usable cores, on clusters 1000.",
    ),
    click.option(
        "-o", "options", multiple=True, metavar="KEY=VALUE", help="Option of the scheduler."
    ),
    click.option("--retries", type=int, metavar="N", help="Try a failed job again, N times."),
    click.option(
        "--on-error",
        type=click.Choice(["continue", "retry", "halt"]),
        metavar="WHAT",
        help="After a failed job: continue (the default), retry it, or halt.",
    ),
    click.option(
        "--halt",
        type=click.Choice(["now", "soon"]),
        metavar="WHEN",
        help="Where failures stop the run: now kills what runs (the default), soon lets it end.",
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


_CONDUCT_OPTIONS = (
    click.option(
        "--max-failures",
        metavar="N|P%",
        help="Stop the run when N jobs have failed, or more than P % of all.",
    ),
    click.option(
        "--on-finish",
        metavar="LINE",
        help="Have bash run this at the end: SCHED_RUN, SCHED_FAILED, ... tell how it went.",
    ),
    click.option(
        "-d",
        "--detach",
        is_flag=True,
        help="Go on in the background, once the run has begun: sched attach shows it.",
    ),
)


def conduct_options(command: F) -> F:
    """Add the options that say what a driver does besides driving."""
    return _add(_CONDUCT_OPTIONS, command)


def secret_option(command: F) -> F:
    """Add `--secret-env`."""
    option = click.option(
        "--secret-env",
        multiple=True,
        metavar="NAME",
        help="Variable for every job with the value that it has here, which is recorded nowhere; repeatable.",
    )
    return option(command)


def secrets_given(values: dict[str, Any]) -> Mapping[str, Secret]:
    """Return what `secret_option` collected. Raises OptionError, CommandError."""
    from ..driving.secrets import secrets_of

    return secrets_of(values["secret_env"])


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
    from ..driving.given import Given

    names = ("forks", "options", "retries", "on_error", "halt", "cpus", "memory", "time", "gpus")
    return Given(**{name: values[name] for name in names})


def conduct_of(values: dict[str, Any]) -> Conduct:
    """Return what `conduct_options` collected. Raises OptionError, UsageError."""
    from ..driving.background import this_background
    from ..driving.conduct import Conduct
    from ..driving.limits import parse_failure_limit

    on_finish = values["on_finish"]
    if on_finish is not None and not on_finish.strip():
        raise click.UsageError("--on-finish is empty; give it a line for bash")
    if values["detach"]:
        _check_detachable(values)
    return Conduct(
        max_failures=parse_failure_limit(values["max_failures"]),
        on_finish=on_finish,
        background=this_background() if values["detach"] else None,
    )


def _check_detachable(values: dict[str, Any]) -> None:
    for name, flag in (("cat", "--cat"), ("as_json", "--json")):
        if values[name]:
            raise click.UsageError(
                f"{flag} is for who watches, and -d leaves; give it to sched attach {flag}"
            )
    if values.get("dry_run"):
        raise click.UsageError("--dry-run begins no run that could go on; leave out -d")


def start_detached(ctx: click.Context) -> int:
    """Begin in the background what was typed; return the exit code."""
    from ..driving.background import start_in_background

    args: tuple[str, ...] = ctx.find_root().obj
    return start_in_background(args)


def output_of(values: dict[str, Any]) -> Output:
    """Return what `output_options` collected. Raises UsageError for two uses of stdout."""
    from ..driving.given import Output

    if values["cat"] and values["as_json"]:
        raise click.UsageError("--cat and --json both write to stdout; choose one")
    return Output(**{name: values[name] for name in ("cat", "as_json", "no_progress")})
