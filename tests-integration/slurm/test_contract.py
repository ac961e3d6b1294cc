from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest

from sched_core import Job

from ..clusters.contract import ClusterContract
from .cluster import SlurmCluster
from .helpers import Asked


class TestSlurm(ClusterContract):
    scheduler_class = Asked

    @pytest.fixture(autouse=True)
    def _engine(self, slurm: SlurmCluster) -> None:
        self.slurm = slurm

    async def test_t22_a_hundred_thousand_arguments_arrive(self, workdir: Any) -> None:
        self.options = {"mem": "100M"}  # more than jobs get here: bash has them all in memory
        await super().test_t22_a_hundred_thousand_arguments_arrive(workdir)

    def places_of(self, workdir: Any) -> list[Path]:
        own = [self.slurm.root / name for name in ("state", "spool", "log")]
        return [*super().places_of(workdir), *own]

    async def told_by_engine(self, job: Job) -> str:
        jid = str(job.jid)
        shown = await anyio.to_thread.run_sync(self.slurm.run, "scontrol", "show", "job", "-d", jid)
        script = ("scontrol", "write", "batch_script", jid, "-")
        return shown + await anyio.to_thread.run_sync(self.slurm.run, *script)
