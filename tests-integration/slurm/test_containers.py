"""Containers in the tasks of the real Slurm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sched_core import Failure, JobStatus

from ..clusters.containers import Containers
from ..jobs import running
from .cluster import SlurmCluster
from .helpers import Asked


class TestContainers(Containers):
    """What holds for every cluster."""

    # As without a container: on a loaded machine Slurm may start it again after two minutes.
    @pytest.mark.timeout(600)
    async def test_out_of_memory(
        self, slurm: SlurmCluster, container: dict[str, Any], tmp_path: Path
    ) -> None:
        if not slurm.cgroup:
            pytest.skip("no cgroups here: Slurm cannot tell")
        eat = "x=$(head -c 300000000 /dev/zero | tr '\\0' x); echo ${#x}"
        scheduler = Asked(tmp_path / "run", mem="100M", container=container)
        async with running(scheduler, patience=500) as runner:
            job = await runner.wait(await runner.feed(["/bin/bash", "-c", eat]))
        assert (job.status, job.failure) == (JobStatus.FAILED, Failure.OUT_OF_MEMORY)
