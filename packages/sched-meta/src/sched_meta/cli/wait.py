"""`sched wait`."""

from __future__ import annotations

import click

from .exits import FAILED, FINISHED, TIMED_OUT

__all__ = ["wait"]

_HELP = """Wait until a run has ended, and say nothing.

\b
sched run -d -w RUN -- gzip {} ::: *.log; sched wait RUN && echo finished
sched wait RUN --timeout 1h

The exit code is 0 if all jobs finished and 1 if some did not. Where nobody drives the run and jobs
are left, it is 1 at once, and a line says so; after --timeout it is 124.
"""


@click.command(help=_HELP)
@click.argument("run", required=False)
@click.option("--timeout", metavar="T", help="Wait at most so long: 90, 90m, 1h30m.")
def wait(run: str | None, timeout: str | None) -> int:
    from sched_core.model.units import parse_time

    from ..console import say
    from ..reading.runfolder import existing_run
    from ..reading.waiting import left_in_words, wait_for_end
    from ..wording import duration

    seconds = None if timeout is None else parse_time(timeout, "--timeout")
    folder = existing_run(run)
    if not wait_for_end(folder, seconds):
        say(f"{folder} has not ended within {duration(seconds or 0)}")
        return TIMED_OUT
    jobs = folder.read().jobs.values()
    if left := sum(not job.is_done for job in jobs):
        say(left_in_words(folder, left))
        return FAILED
    return FINISHED if all(job.status.name == "FINISHED" for job in jobs) else FAILED
