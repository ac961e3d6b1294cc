"""`sched status`."""

from __future__ import annotations

import click

__all__ = ["status"]

_HELP = """Show how far a run is, and what failed.

\b
sched status             the newest run
sched status RUN         that run
sched status RUN --json  for programs

It reads the run's folder, whether a driver is at work or has died, and changes nothing.
"""


@click.command(help=_HELP)
@click.argument("run", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
def status(run: str | None, as_json: bool) -> None:
    import json

    from ..console import stdout_is_terminal, terminal_width
    from ..reading.runfolder import existing_run
    from ..reading.runstatus import run_status

    found = run_status(existing_run(run))
    if as_json:
        click.echo(json.dumps(found.to_json()))
    else:
        click.echo("\n".join(found.lines(terminal_width() if stdout_is_terminal() else 0)))
