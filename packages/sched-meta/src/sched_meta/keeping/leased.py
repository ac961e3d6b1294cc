"""Work on the folder of a run that nobody drives meanwhile, step by step."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

import anyio

from sched_core.runfolder import JobRecord, Lease
from sched_core.runner.holding import hold_run, work_off

from ..reading.runfolder import RunFolder
from .tree import Tree, tree_of

__all__ = ["AT_ONCE", "Choose", "Steps", "full_disk_told", "under_lease"]

AT_ONCE = 200
"""Jobs of one step, between two of which Ctrl-C is heard."""

_FULL = (errno.ENOSPC, errno.EDQUOT)

Steps = Iterator[None]
Choose = Callable[[Mapping[int, JobRecord]], Sequence[JobRecord]]
"""Returns which of a run's jobs are meant."""


def under_lease(folder: RunFolder, steps: Callable[[Lease, Tree], Steps]) -> None:
    """Do the steps, to which the run's lease and its files are given; blocks.

    Raises RunNotFound, RunCorrupt, and RunLocked where somebody drives the run.
    """
    with full_disk_told(folder):
        anyio.run(partial(_under_lease, folder, steps))


@contextmanager
def full_disk_told(folder: RunFolder) -> Iterator[None]:
    """Say what helps where the run's disk has no room for a lease. Raises OSError."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        # Even to remove something a few bytes are needed, which tell others that this goes on.
        what = "free a few bytes by hand first, such as the output of a job"
        text = f"{error.strerror}; {what} ({folder.of_job(0)}/job.stdout)"
        raise OSError(error.errno, text, error.filename) from error


async def _under_lease(folder: RunFolder, steps: Callable[[Lease, Tree], Steps]) -> None:
    tree = tree_of(folder)
    async with hold_run(folder.ports, folder.layout) as lease:
        try:
            await work_off(folder.ports, steps(lease, tree))
        finally:
            tree.close()
