"""`sched report`."""

from __future__ import annotations

import click

__all__ = ["report"]

_HELP = """Write a page about a run: one HTML file that any browser shows.

\b
sched report                     the newest run: RUN/report.html
sched report RUN -o /tmp/r.html  another place, gs://BUCKET/r.html as well
sched report RUN > r.html        or what takes it from standard output

A timeline of all attempts by host, how long they waited and ran, what they used against what was
asked for, with what to ask for next time, failures by class and last line, and a table of the jobs.
The file loads nothing: it can be sent and kept. It tells of the run as it is now, also while it runs.
"""


@click.command(help=_HELP)
@click.argument("run", required=False)
@click.option("-o", "--output", metavar="FILE", help="Where to; - is standard output.")
def report(run: str | None, output: str | None) -> None:
    from ..console import say, stdout_is_terminal, write_text
    from ..htmlreport import read_report, render_report
    from ..htmlreport.files import Target
    from ..reading.runfolder import existing_run

    folder = existing_run(run)
    if output == "-" or (output is None and not stdout_is_terminal()):
        write_text([render_report(read_report(folder))])
        return
    target = Target.of(folder, output)
    target.write(render_report(read_report(folder)))
    say(f"report: {target}")
