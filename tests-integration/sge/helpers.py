"""Grid Engine as the tests use it."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from typing import Any, ClassVar

from sched_core import Job
from sched_hpc import SgeScheduler

from ..clusters.engine import Engine
from ..jobs import begun, until
from .cluster import SgeCluster

__all__ = ["Asked", "SgeEngine"]


class Asked(SgeScheduler):
    """Asked more often, for tests."""

    poll_interval: ClassVar[tuple[float, float]] = (0.3, 1.0)
    spool_interval = 0.2


class SgeEngine(Engine):
    scheduler_class = Asked
    submits = "qsub"
    asks = "qstat"
    kills = "qdel"
    limits = "qalter"
    looks_back = "qacct"
    looks_into_each_array = True
    held: ClassVar[Mapping[str, Any]] = {"h": True}
    restartable: ClassVar[Mapping[str, Any]] = {"r": True, "grace": 1}
    told_cores = "echo $NSLOTS"
    told_task = "echo $JOB_ID"

    def __init__(self, cluster: SgeCluster) -> None:
        self._cluster = cluster

    def cancel(self, job: Job) -> None:
        self._cluster.run("qdel", str(job.jid))

    async def start_again(self, job: Job) -> None:
        await (job.metadir / "begun").unlink()
        jid = str(job.jid)
        self._cluster.run("qmod", "-rj", jid)
        await until(lambda: self._cluster.state(jid).startswith("R"))
        await begun(job)

    def has_limit(self, job: Job, limit: int) -> bool:
        told = f"maximum concurrency:        {limit}\n"
        array = str(job.jid).partition(".")[0]
        return job.jid is not None and told in self._cluster.run("qstat", "-j", array)

    def has_seen_memory(self, job: Job) -> bool:
        return True  # the kernel tells when it has ended

    def has_accounted(self, job: Job) -> bool:
        array, _, task = str(job.jid).partition(".")
        try:
            return "ru_maxrss" in self._cluster.run("qacct", "-j", array, "-t", task)
        except subprocess.SubprocessError:
            return False  # not yet

    def queue(self) -> str:
        return self._cluster.run("qstat", "-xml")
