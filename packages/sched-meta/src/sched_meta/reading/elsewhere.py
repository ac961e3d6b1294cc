"""What running jobs write where this machine does not see it: their scheduler reads it there."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from functools import cached_property, partial

import anyio

from sched_core import SchedError, Scheduler
from sched_core.runfolder import JobRecord, require_run
from sched_core.runner.opening import looking_at, restore_job

from ..console import say, warnings_go_to
from .follow import LogReader
from .runfolder import RunFolder
from .states import is_running

_INTERVAL = 1.0

__all__ = ["Elsewhere", "where_it_is_written"]


def where_it_is_written(folder: RunFolder, jobs: Iterable[JobRecord]) -> RunFolder:
    """Return where jobs write that have not ended: for a run in a bucket, in its mirror, if that is
    a folder of this machine.
    """
    if not folder.in_bucket or all(job.status.final for job in jobs):
        return folder
    from sched_core.ports.localfiles import LocalFiles
    from sched_core.ports.mirrormark import is_at, read_mark

    mark = read_mark(folder.files, folder.path)
    return RunFolder(mark.folder) if mark and is_at(mark, LocalFiles()) else folder


class Elsewhere:
    """Has readers get what running jobs write on disks that cannot be seen from here."""

    def __init__(self, folder: RunFolder, name: str) -> None:
        """Read files of that name, of jobs of that run."""
        self._folder = folder
        self._name = name

    @cached_property
    def _scheduler(self) -> Scheduler | None:
        """What can read there; None where all is seen from here."""
        try:
            scheduler = self._folder.scheduler()
        except SchedError:
            return None
        return None if scheduler.shared_disk else scheduler

    def read_now(self, readers: Iterable[LogReader]) -> None:
        """Have readers get what there is now."""
        running = self._unseen(readers)
        if running and self._scheduler:
            self._read(self._scheduler, running, follow=False)

    def follow(self, readers: Iterable[LogReader]) -> bool:
        """Have readers get all that comes; tell whether any of them needs that."""
        running = self._unseen(readers)
        if not running or not self._scheduler:
            return False
        what = partial(self._read, self._scheduler, running, follow=True)
        threading.Thread(target=what, daemon=True).start()
        return True

    def _unseen(self, readers: Iterable[LogReader]) -> list[LogReader]:
        running = [r for r in readers if is_running(r.job) and not r.tail.exists]
        if running and self._scheduler:
            for reader in running:
                reader.elsewhere = True
        return running

    def _read(self, scheduler: Scheduler, readers: Sequence[LogReader], *, follow: bool) -> None:
        with warnings_go_to(say):
            try:
                anyio.run(
                    partial(_read, scheduler, self._folder, readers, self._name, follow=follow)
                )
            except* SchedError as errors:
                for error in errors.exceptions:
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
        async with anyio.create_task_group() as group:
            if follow:
                group.start_soon(_cancel_when_ended, readers, group.cancel_scope)
            await scheduler.read_outputs(
                jobs, name, lambda index, piece: by_index[index].take(piece), follow=follow
            )
            group.cancel_scope.cancel()


async def _cancel_when_ended(readers: Sequence[LogReader], scope: anyio.CancelScope) -> None:
    """A connection is not kept for jobs that nobody reads any more."""
    while not all(reader.ended for reader in readers):  # noqa: ASYNC110  # another thread says so
        await anyio.sleep(_INTERVAL)
    scope.cancel()
