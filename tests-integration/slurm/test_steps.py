"""Commands that start steps of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..jobs import running
from .cluster import SlurmCluster
from .helpers import Asked

pytestmark = pytest.mark.timeout(300)

STEP = """
srun --cpu-bind=none /bin/sh -c '
  echo "told $SLURM_CPUS_PER_TASK"; scontrol --oneliner show step "$SLURM_JOB_ID.$SLURM_STEP_ID"
'
"""


async def test_t47_a_step_has_all_cores_of_its_job(slurm: SlurmCluster, tmp_path: Path) -> None:
    async with running(Asked(tmp_path / "run", resources={"cpus": 3})) as runner:
        job = await runner.wait(await runner.feed(["/bin/sh", "-c", STEP]))
    told = await job.stdout_file.read_text()
    assert job.rc == 0, await job.stderr_file.read_text()
    assert "told 3\n" in told
    assert " CPUs=3 " in told
