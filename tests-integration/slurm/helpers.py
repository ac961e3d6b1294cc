"""Slurm as the tests use it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import anyio

from sched_core import AttemptId, Job, Observation
from sched_hpc import SlurmScheduler

from ..clusters.engine import Engine
from ..jobs import begun, until
from .cluster import SlurmCluster

__all__ = ["Asked", "Purged", "SlurmEngine", "started_again"]


class Asked(SlurmScheduler):
    """Asked more often, for tests."""

    poll_interval: ClassVar[tuple[float, float]] = (0.3, 1.0)
    spool_interval = 0.2


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


class SlurmEngine(Engine):
    scheduler_class = Asked
    submits = "sbatch"
    asks = "squeue"
    kills = "scancel"
    limits = "scontrol update"
    looks_back = "sacct"
    looks_into_each_array = False
    held: ClassVar[Mapping[str, Any]] = {"begin": "now+1hour"}
    restartable: ClassVar[Mapping[str, Any]] = {"requeue": True}
    told_task = "echo ${SLURM_ARRAY_JOB_ID-$SLURM_JOB_ID}"
    told_cores = "echo $SLURM_CPUS_ON_NODE; nproc; srun nproc"

    def __init__(self, cluster: SlurmCluster) -> None:
        self._cluster = cluster

    def cancel(self, job: Job) -> None:
        self._cluster.run("scancel", str(job.jid))

    async def start_again(self, job: Job) -> None:
        await (job.metadir / "begun").unlink()
        self._cluster.run("scontrol", "requeue", str(job.jid))
        await started_again(self._cluster, job)

    def has_limit(self, job: Job, limit: int) -> bool:
        queue = ("squeue", "--noheader", "--states=PENDING", "--format=%i")
        array = str(job.jid).partition("_")[0]
        return job.jid is not None and f"%{limit}]" in self._cluster.run(*queue, f"--jobs={array}")

    def has_seen_memory(self, job: Job) -> bool:
        # To sstat the tasks of an array are one job, unless it is given the number that each has as well.
        number = self._cluster.run(
            "squeue", "--noheader", f"--jobs={job.jid}", "--format=%A"
        ).strip()
        step = ("sstat", "--noheader", f"--jobs={number}.batch")
        told = self._cluster.run(*step, "--parsable2", "--noconvert", "--format=MaxRSS").strip()
        return told.isdecimal() and int(told) > 40e6

    def has_accounted(self, job: Job) -> bool:
        told = self._cluster.run("sacct", "--noheader", f"--jobs={job.jid}", "--format=State")
        return bool(told.strip()) and "RUNNING" not in told

    def queue(self) -> str:
        return self._cluster.run("squeue", "--noheader", "--format=%j")
