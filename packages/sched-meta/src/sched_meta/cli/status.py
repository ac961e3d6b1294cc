"""`sched status`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sched_core.runfolder import RunView

    from ..reading.failures import FailureGroup
    from ..reading.runfolder import RunFolder

__all__ = ["status"]


@click.command()
@click.argument("run", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
def status(run: str | None, as_json: bool) -> None:
    """Show how far a run is, and what failed.

    It reads the run's folder, whether a driver is at work or has died, and changes nothing.
    """
    from ..reading.failures import group_failures
    from ..reading.runfolder import existing_run
    from ..wording import state_counts

    folder = existing_run(run)
    view = folder.read()
    counts = state_counts(view.jobs.values())
    groups = group_failures(view.jobs.values(), folder)
    if as_json:
        click.echo(_json(folder, view, counts, groups))
    else:
        click.echo("\n".join(_lines(folder, view, counts, groups)))


def _lines(
    folder: RunFolder, view: RunView, counts: dict[str, int], groups: list[FailureGroup]
) -> list[str]:
    from ..reading.failures import failure_lines, next_steps
    from ..wording import clock, count_jobs, counted

    lines = [
        f"run:     {folder} ({view.run.scheduler}, begun {clock(view.run.created)})",
        f"driver:  {driver_in_words(view)}",
        f"jobs:    {count_jobs(len(view.jobs))}: {counted(counts)}",
        *failure_lines(groups),
    ]
    return lines if view.driver_lives else lines + next_steps(counts, folder)


def driver_in_words(view: RunView) -> str:
    """Whether somebody drives the run, and who."""
    if view.lease is None:
        return "none was there yet"
    if view.lease.released:
        return f"none, {view.lease.driver} has ended"
    if view.driver_lives is None:
        return f"{view.lease.driver}; from here one cannot tell whether it lives"
    return f"{view.lease.driver} {'is at work' if view.driver_lives else 'died'}"


def _json(
    folder: RunFolder, view: RunView, counts: dict[str, int], groups: list[FailureGroup]
) -> str:
    import json

    return json.dumps(
        {
            "run": view.run.run,
            "folder": folder.path,
            "scheduler": view.run.scheduler,
            "created": view.run.created,
            "driver": _driver(view),
            "jobs": len(view.jobs),
            "counts": counts,
            "failures": [group.to_json() for group in groups],
        }
    )


def _driver(view: RunView) -> dict[str, Any] | None:
    if view.lease is None:
        return None
    driver = view.lease.driver
    return {
        "host": driver.host,
        "pid": driver.pid,
        "released": view.lease.released,
        "alive": view.driver_lives,
    }
