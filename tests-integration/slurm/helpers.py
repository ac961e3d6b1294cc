"""What the tests on the real Slurm share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import anyio

from sched_core import AttemptId, Job, Observation
from sched_hpc import SlurmScheduler

from ..jobs import (
    NOTED,
    ONCE,
    Clock,
    Watched,
    begun,
    most_at_once,
    pending,
    ran,
    running,
    until,
    waiting,
)
from .cluster import SlurmCluster

__all__ = [
    "NOTED",
    "ONCE",
    "Asked",
    "Clock",
    "Purged",
    "Watched",
    "begun",
    "most_at_once",
    "pending",
    "ran",
    "running",
    "started_again",
    "until",
    "waiting",
]


class Asked(SlurmScheduler):
    """Asked more often, for tests."""

    poll_interval: ClassVar[tuple[float, float]] = (0.3, 1.0)
    spool_interval: ClassVar[float] = 0.2


async def started_again(slurm: SlurmCluster, job: Job) -> None:
    """Wait until a job that was requeued has begun: Slurm itself would let it wait for two minutes."""
    queue = ("squeue", "--noheader", f"--jobs={job.jid}", "--format=%T")
    await until(lambda: "PENDING" in slurm.run(*queue))
    # Within a second of its end a node takes the credential of the new start for the old one.
    slurm.run("scontrol", "update", f"JobId={job.jid}", "StartTime=now+3")
    await begun(job)


class Purged(Asked):
    """Asks nothing until Slurm lists none of the jobs any more: they have ended long ago."""

    gone = False

    async def query_tasks(self, jobs: Sequence[Job]) -> Mapping[AttemptId, Observation]:
        while not self.gone:
            await anyio.sleep(0.05)
            rows = await self._queue(ended=True)
            self.gone = not any(row.id == str(job.jid) for row in rows for job in jobs)
        return await super().query_tasks(jobs)
