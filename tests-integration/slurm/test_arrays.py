"""Arrays of the real Slurm."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from sched_core import AttemptId, Failure, Job, JobStatus, Observation

from ..clusters.arrays import Arrays, run_many
from ..clusters.engine import Engine
from ..jobs import pending, running, until, waiting
from .cluster import SlurmCluster
from .helpers import Purged

pytestmark = pytest.mark.timeout(300)


class TestArrays(Arrays):
    """What holds for every cluster."""


@pytest.mark.full
@pytest.mark.timeout(2400)
async def test_ten_thousand_jobs_are_ten_arrays(engine: Engine, tmp_path: Path) -> None:
    await run_many(engine, tmp_path / "run", 10_000, 12)


async def test_the_accounting_is_asked_only_about_what_the_queue_does_not_know(
    start_slurm: Callable[..., SlurmCluster], slurm: SlurmCluster, tmp_path: Path
) -> None:
    cluster = start_slurm(beside=slurm, name="north", nodes=1, settings={"MinJobAge": 2})

    class Recorded(Purged):
        async def query_tasks(self, jobs: Sequence[Job]) -> Mapping[AttemptId, Observation]:
            command = ("sacct", "--noheader", "--allocations", f"--jobs={jobs[0].jid}")
            await until(lambda: "CANCELLED" in cluster.run(*command, "--format=State"))
            return await super().query_tasks(jobs)

    scheduler = Recorded(tmp_path / "run", begin="now+1hour")
    calls = scheduler.toolbox.calls
    async with running(scheduler) as runner:
        job = await runner.feed(waiting())
        await pending(job)
        cluster.run("scancel", str(job.jid))
        await runner.wait(job)
    assert (job.status, job.failure) == (JobStatus.FAILED, Failure.CANCELLED)
    assert calls["sacct"] == 1
