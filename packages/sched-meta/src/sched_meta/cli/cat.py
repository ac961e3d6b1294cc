"""`sched cat`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sched_core.runfolder import JobRecord

    from ..reading.runfolder import RunFolder

__all__ = ["cat"]

_HELP = """Write what jobs printed, whole and in their order.

\b
sched cat                        all jobs of the newest run
sched cat RUN finished > all     those that finished
sched cat RUN --tag              each line behind the job's name and a tab
sched cat RUN failed --stderr    what they wrote to standard error

Only jobs that have ended are written; what others write is shown by sched logs. Bytes are left as
they are, but on a terminal, where control characters other than those of colours are not. A job
without a name is tagged by its index.
"""


@click.command(help=_HELP)
@click.argument("run", required=False)
@click.argument("jobs", nargs=-1)
@click.option("--tag", is_flag=True, help="Put the job's name and a tab before each line.")
@click.option("--stderr", "which", flag_value="job.stderr", help="What they wrote to stderr.")
def cat(run: str | None, jobs: tuple[str, ...], tag: bool, which: str | None) -> None:
    from ..reading.runfolder import existing_run
    from ..reading.selection import select_jobs

    folder = existing_run(run)
    chosen = select_jobs(jobs or ("all",), folder.read().jobs)
    _write(folder, [job for job in chosen if job.status.final], which or "job.stdout", tag=tag)
    _tell_left_out(folder, chosen)


def _write(folder: RunFolder, jobs: list[JobRecord], name: str, *, tag: bool) -> None:
    from ..console import write_output
    from ..reading.outputs import label, outputs, tagged

    for job, pieces in outputs(folder, jobs, name):
        write_output(tagged(label(job), pieces) if tag else pieces, tagged=tag)


def _tell_left_out(folder: RunFolder, chosen: list[JobRecord]) -> None:
    from ..console import say
    from ..wording import count_jobs, index_ranges

    left = [job.index for job in chosen if not job.status.final]
    if left:
        have = "has" if len(left) == 1 else "have"
        say(
            f"{count_jobs(len(left))} {have} not ended and {have} been left out"
            f" ({index_ranges(left)}); follow with: sched logs {folder} {index_ranges(left, 1)} -f"
        )
