"""The driver's terminal is gone: jobs of the cluster go on."""

from __future__ import annotations

from pathlib import Path

from ..hangups import hang_up_and_attach
from .cluster import SlurmCluster


async def test_jobs_of_the_cluster_go_on(bare_slurm: SlurmCluster, tmp_path: Path) -> None:
    await hang_up_and_attach(tmp_path, "-s", "slurm")
