"""`sched logs`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sched_core.runfolder import JobRecord

    from ..reading.runfolder import RunFolder

__all__ = ["logs"]

_HELP = """Show what JOBS wrote to their standard output.

\b
sched logs RUN 3                 one job
sched logs RUN failed --stderr   what failed, and why
sched logs RUN 3 -f              goes on until the job ends
sched logs RUN -f                what has not ended yet, line by line

Without JOBS: with -f all that have not ended, else those that failed, or all where none did. With
several jobs a line on stderr tells which one comes next; with -f each line stands behind the job's
name, or its index, and a tab, also those of jobs that start later. What a job writes that runs on a
host with a disk of its own is read there.
"""


@click.command(help=_HELP)
@click.argument("run", required=False)
@click.argument("jobs", nargs=-1)
@click.option("--stderr", "which", flag_value="job.stderr", help="What they wrote to stderr.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what is written, until they end.")
def logs(run: str | None, jobs: tuple[str, ...], which: str | None, follow: bool) -> None:
    from ..console import say
    from ..reading.runfolder import existing_run
    from ..reading.selection import select_jobs

    folder = existing_run(run)
    known = folder.read().jobs
    chosen = select_jobs(jobs, known) if jobs else _usual(list(known.values()), follow=follow)
    if not chosen:
        say(f"none of the jobs is {' or '.join(jobs) or 'waiting or running'}")
    (_follow if follow else _show)(folder, chosen, which or "job.stdout")


def _usual(jobs: Sequence[JobRecord], *, follow: bool) -> Sequence[JobRecord]:
    from sched_core.model.status import JobStatus

    if follow:
        return [job for job in jobs if not job.is_done]
    return [job for job in jobs if job.status is JobStatus.FAILED] or jobs


def _follow(folder: RunFolder, jobs: Sequence[JobRecord], name: str) -> None:
    from ..reading.elsewhere import Elsewhere, where_it_is_written
    from ..reading.follow import LogReader, follow_log
    from ..reading.followmany import follow_logs

    if len(jobs) != 1:
        follow_logs(folder, jobs, name)
        return
    live = folder if jobs[0].status.final else where_it_is_written(folder, jobs)
    reader = LogReader(live, jobs[0], name)
    Elsewhere(folder, name).follow([reader])
    follow_log(folder, reader)


def _show(folder: RunFolder, jobs: Sequence[JobRecord], name: str) -> None:
    from ..reading.elsewhere import Elsewhere, where_it_is_written
    from ..reading.follow import LogReader, show_logs

    live = where_it_is_written(folder, jobs)
    readers = [LogReader(folder if job.status.final else live, job, name) for job in jobs]
    Elsewhere(folder, name).read_now(readers)
    for reader in show_logs(folder, readers):
        if reader.elsewhere and not reader.asked:
            reader.note(f"runs on {reader.job.host}: what it writes comes back when it has ended")
        elif not reader.found:
            ended = reader.job.status.final
            reader.note(f"has written nothing{', or its files were removed' if ended else ' yet'}")
