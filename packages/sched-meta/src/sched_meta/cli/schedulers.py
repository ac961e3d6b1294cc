"""`sched schedulers`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.metadata import EntryPoint

__all__ = ["schedulers"]


_HELP = """List the schedulers that are installed, and whether each can be loaded.

\b
sched schedulers
sched run -s NAME -- ...        has one of them run the jobs
"""


@click.command(help=_HELP)
def schedulers() -> None:
    from ..console import say
    from ..registry import installed_schedulers

    rows = [("NAME", "CLASS", "PACKAGE", "STATE")]
    rows += [_row(point) for _, point in sorted(installed_schedulers().items())]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(map(str.ljust, row, widths)).rstrip())
    for line in _missing():
        say(line)


def _missing() -> Iterator[str]:
    from ..registry import missing_schedulers

    missing = missing_schedulers()
    for install in dict.fromkeys(missing.values()):
        names = " and ".join(name for name in missing if missing[name] == install)
        yield f"for {names}: {install}"


def _row(point: EntryPoint) -> tuple[str, str, str, str]:
    package = f"{point.dist.name} {point.dist.version}" if point.dist else "?"
    return point.name, point.value, package, _state(point.name)


def _state(name: str) -> str:
    from sched_core.errors import SchedError

    from ..registry import get_scheduler
    from ..wording import plain

    try:
        get_scheduler(name)
    except SchedError as error:
        return plain(str(error))
    return "ok"
