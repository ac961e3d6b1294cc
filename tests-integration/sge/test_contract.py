from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest

from sched_core import Job

from ..clusters.contract import ClusterContract
from .cluster import SgeCluster
from .helpers import Asked


class TestSge(ClusterContract):
    scheduler_class = Asked

    @pytest.fixture(autouse=True)
    def _engine(self, sge: SgeCluster) -> None:
        self.sge = sge

    def places_of(self, workdir: Any) -> list[Path]:
        own = [self.sge.root / name for name in ("spool", "log")]
        return [*super().places_of(workdir), *own]

    async def told_by_engine(self, job: Job) -> str:
        number = str(job.jid).partition(".")[0]
        return await anyio.to_thread.run_sync(self.sge.run, "qstat", "-j", number)
