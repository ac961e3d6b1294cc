"""`sched logs`."""

from __future__ import annotations

import click

__all__ = ["logs"]


@click.command()
@click.argument("run")
@click.argument("jobs", nargs=-1, required=True)
@click.option("--stderr", "which", flag_value="job.stderr", help="What they wrote to stderr.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what is written, until they end.")
def logs(run: str, jobs: tuple[str, ...], which: str | None, follow: bool) -> None:
    """Show what JOBS wrote to their standard output.

    With several jobs a line on stderr tells which one comes next. What a job writes that runs on a
    host with a disk of its own is read there.
    """
    from ..console import say
    from ..reading.elsewhere import read_elsewhere, where_it_is_written
    from ..reading.follow import LogReader, follow_logs, show_logs
    from ..reading.runfolder import existing_run
    from ..reading.selection import select_jobs

    folder = existing_run(run)
    chosen = select_jobs(jobs, folder.read().jobs)
    if not chosen:
        say(f"none of the jobs is {' or '.join(jobs)}")
    name = which or "job.stdout"
    live = where_it_is_written(folder, chosen)
    readers = [LogReader(folder if job.status.final else live, job, name) for job in chosen]
    read_elsewhere(folder, readers, name, follow=follow)
    if follow:
        follow_logs(folder, readers)
        return
    for reader in show_logs(folder, readers):
        if reader.elsewhere and not reader.asked:
            reader.note(f"runs on {reader.job.host}: what it writes comes back when it has ended")
        elif not reader.found:
            reader.note("has written nothing yet")
