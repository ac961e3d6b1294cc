"""The scheduler of this machine."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import ClassVar

from sched_core import Job, OptionError, PreviewPart, Submission
from sched_core.processes import ProcessScheduler

from .doctor import check_machine

__all__ = ["LocalScheduler"]


class LocalScheduler(ProcessScheduler):
    """Runs jobs as processes of this machine, as many at once as `forks`.

    Jobs outlive the driver: when it dies, what runs goes on and is recorded, and a resumed run
    takes it over. `resources` are given out from what this process may use: jobs that ask for
    cores, memory or graphics cards (CUDA_VISIBLE_DEVICES is set) wait until there are enough.
    Options are those of Scheduler.
    """

    name: ClassVar[str] = "local"

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Hold the slots while the run is open."""
        self._check_mounts()
        async with super().open():
            yield

    def preview_submission(self, jobs: Sequence[Job], submission: Submission) -> list[PreviewPart]:
        """Return the script of the first job. Raises OptionError for a mount that is not there."""
        self._check_mounts()
        return super().preview_submission(jobs, submission)

    async def doctor(self) -> Sequence[tuple[str, bool | None, str]]:
        """Check bash, /proc, what jobs may ask for, and the work directory."""
        folder, machine = self.session.folder, self.machine()
        return await self.session.ports.offload(check_machine, folder, machine)

    def _check_mounts(self) -> None:
        """Refuse a mount that would have to be made: a process sees this machine's own paths."""
        for mount in self.mounts:
            if mount.target != mount.source and not os.path.exists(mount.target):
                raise OptionError(
                    f"the scheduler local mounts nothing: {mount.source} is not there as "
                    f"{mount.target}; mount it before, or name the same path on both sides"
                )
