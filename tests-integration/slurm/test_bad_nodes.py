"""A node on which everything fails at once, and would take one job after the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from sched_core import JobStatus

from ..jobs import running, until, waiting
from .cluster import SlurmCluster
from .helpers import Asked

pytestmark = pytest.mark.timeout(300)


async def test_t49_a_node_where_nothing_starts_gets_no_more_jobs(
    slurm: SlurmCluster, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bad = next(iter(slurm.nodes))
    known = tmp_path / "known"
    scheduler = Asked(
        tmp_path / "run",
        forks=16,
        resources={"cpus": 8},  # of a node's 64
        prescript=f"""if [[ $SLURMD_NODENAME == {bad} ]]; then
            for n in 1 2 3; do mkdir '{tmp_path}/failed.'$n 2>/dev/null && exit 9; done
            until [[ -e '{known}' ]]; do sleep 0.2; done; exit 9
        fi""",
        error_strategy="retry",
        num_retries=20,
    )
    async with running(scheduler) as runner:
        jobs = await runner.feed_all([["/bin/true"], waiting()] * 30)
        await until(lambda: f"{bad} gets no more jobs: 3 in a row" in caplog.text)
        await until(lambda: bad in slurm.run("squeue", "--noheader", "--format=%x"))
        known.touch()
        await (scheduler.workdir / "gate").write_text("")
        jobs.append(await runner.feed(["/bin/true"]))
        await runner.stop_feeding()
    assert {job.status for job in jobs} == {JobStatus.FINISHED}
    assert bad not in {job.host for job in jobs}
    assert jobs[-1].attempt == 1
    # Slurm complains of tasks that have started, and is not told again for that.
    assert "cannot be kept from" not in caplog.text
