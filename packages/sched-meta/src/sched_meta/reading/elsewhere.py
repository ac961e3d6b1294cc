"""What running jobs write where this machine does not see it: their scheduler reads it there."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from functools import partial

import anyio

from sched_core import JobStatus, SchedError, Scheduler, scheduler_of
from sched_core.runfolder import JobRecord, require_run
from sched_core.runner.opening import looking_at, restore_job

from ..console import say, warnings_go_to
from .follow import LogReader
from .runfolder import RunFolder

__all__ = ["read_elsewhere", "where_it_is_written"]


def where_it_is_written(folder: RunFolder, jobs: Iterable[JobRecord]) -> RunFolder:
    """Return where jobs write that have not ended: for a run in a bucket, in its mirror, if that is
    a folder of this machine.
    """
    if not folder.in_bucket or all(job.status.final for job in jobs):
        return folder
    from sched_core.ports.files import LocalFiles
    from sched_core.ports.mirrormark import is_at, read_mark

    mark = read_mark(folder.files, folder.path)
    return RunFolder(mark.folder) if mark and is_at(mark, LocalFiles()) else folder


def read_elsewhere(
    folder: RunFolder, readers: Sequence[LogReader], name: str, *, follow: bool
) -> None:
    """Have readers get what their jobs write on other disks: what there is now, or all that comes."""
    running = [r for r in readers if _runs(r) and not r.tail.exists]
    scheduler = _scheduler_of(folder) if running else None
    if scheduler is None:
        return
    for reader in running:
        reader.elsewhere = True
    read = partial(anyio.run, partial(_read, scheduler, folder, running, name, follow=follow))
    if follow:
        threading.Thread(target=_with_warnings, args=[read], daemon=True).start()
    else:
        _with_warnings(read)


def _runs(reader: LogReader) -> bool:
    return reader.job.status in (JobStatus.RUNNING, JobStatus.KILLING)


def _scheduler_of(folder: RunFolder) -> Scheduler | None:
    try:
        scheduler = scheduler_of(folder.absolute)
    except SchedError:
        return None
    return None if scheduler.shared_disk else scheduler


def _with_warnings(read: partial[None]) -> None:
    with warnings_go_to(say):
        try:
            read()
        except SchedError as error:
            say(f"warning: {error}")


async def _read(
    scheduler: Scheduler,
    folder: RunFolder,
    readers: Sequence[LogReader],
    name: str,
    *,
    follow: bool,
) -> None:
    ports = folder.ports
    run = await ports.offload(require_run, folder.files, folder.layout)
    by_index = {reader.job.index: reader for reader in readers}
    with looking_at(scheduler, ports, run):
        jobs = [restore_job(scheduler, reader.job) for reader in readers]
        await scheduler.read_outputs(
            jobs, name, lambda index, piece: by_index[index].take(piece), follow=follow
        )
