"""Work on the folder of a run that nobody drives meanwhile, step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import anyio

from sched_core.runfolder import JobRecord, Lease
from sched_core.runner.holding import hold_run, work_off

from ..reading.runfolder import RunFolder
from .tree import Tree, tree_of

__all__ = ["AT_ONCE", "Choose", "Steps", "under_lease"]

AT_ONCE = 200
"""Jobs of one step, between two of which Ctrl-C is heard."""

Steps = Iterator[None]
Choose = Callable[[Mapping[int, JobRecord]], Sequence[JobRecord]]
"""Returns which of a run's jobs are meant."""


def under_lease(folder: RunFolder, steps: Callable[[Lease, Tree], Steps]) -> None:
    """Do the steps, to which the run's lease and its files are given; blocks.

    Raises RunNotFound, RunCorrupt, and RunLocked where somebody drives the run.
    """
    anyio.run(partial(_under_lease, folder, steps))


async def _under_lease(folder: RunFolder, steps: Callable[[Lease, Tree], Steps]) -> None:
    tree = tree_of(folder)
    async with hold_run(folder.ports, folder.layout) as lease:
        try:
            await work_off(folder.ports, steps(lease, tree))
        finally:
            tree.close()
