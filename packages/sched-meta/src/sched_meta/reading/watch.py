"""A run that is looked at again and again: each look reads only what is new."""

from __future__ import annotations

from sched_core.errors import RunNotFound
from sched_core.runfolder import (
    JobRecord,
    JournalReader,
    LeaseRecord,
    Replay,
    RunFile,
    RunView,
    newest_lease,
    require_run,
)

from .collecting import without_collecting
from .runfolder import RunFolder

__all__ = ["RunWatch"]


class RunWatch:
    """Tells which jobs of a run have changed since the last look.

    Its calls block, and belong to one thread: a look changes the records of `view.jobs`.
    """

    def __init__(self, folder: RunFolder) -> None:
        """Look at the run of a folder, at first with `refresh`."""
        self._folder = folder
        self._reader = JournalReader(folder.files, folder.layout)
        self._replay = Replay()
        self._run: RunFile | None = None
        self._lease: LeaseRecord | None = None
        self._lives: bool | None = None

    @property
    def view(self) -> RunView:
        """The run as it was at the last look. Raises RunNotFound before the first one."""
        if self._run is None:
            raise RunNotFound(f"{self._folder} was not looked at yet")
        return RunView(self._folder.layout, self._run, self._replay.jobs, self._lease, self._lives)

    def refresh(self) -> list[JobRecord]:
        """Look at the run, and return the jobs that are new or have changed, by their indexes.

        Raises RunNotFound, RunCorrupt, and OSError where the folder cannot be read now: the next
        look may succeed.
        """
        files, layout = self._folder.files, self._folder.layout
        run = self._run or require_run(files, layout)
        lease = newest_lease(files, layout)
        if self._lease and lease and lease.epoch != self._lease.epoch:
            run = require_run(files, layout)  # another driver may have other options
        self._run, self._lease = run, lease
        lives = self._folder.ports.lives
        self._lives = None if lease is None else not lease.released and lives(lease.driver)
        return self._changed_jobs()

    def _changed_jobs(self) -> list[JobRecord]:
        # After the lease: a driver that has ended had written all that it had to say.
        records, anew = self._reader.read_new()
        if anew:
            self._replay = Replay()
        with without_collecting():
            changed = self._replay.take(records)
        return [self._replay.jobs[index] for index in sorted(changed)]
