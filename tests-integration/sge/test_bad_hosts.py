"""A host on which everything fails at once. The cell has one only: what is bad is another one, by hearsay."""

from __future__ import annotations

from pathlib import Path

import pytest

from sched_core import Failure, Job, JobStatus

from ..jobs import begun, running, until, waiting
from .cluster import SgeCluster
from .helpers import Asked

pytestmark = pytest.mark.timeout(300)


def fail_elsewhere(scheduler: Asked, job: Job) -> None:
    """Have an attempt like this one's end, where another host starts nothing."""
    job.host, job.failure, job.status = "elsewhere", Failure.SETUP, JobStatus.FAILED
    scheduler.attempt_ended(job)


async def test_t49_a_host_where_nothing_starts_gets_no_more_jobs(
    sge: SgeCluster, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    scheduler = Asked(tmp_path / "run", forks=2, l="h_vmem=1G")
    async with running(scheduler) as runner:
        first = await runner.wait(await runner.feed(["/bin/true"]))
        jobs = await runner.feed_all([waiting()] * 5)
        await begun(jobs[0])
        array = str(jobs[0].jid).partition(".")[0]
        for _ in range(3):
            fail_elsewhere(scheduler, scheduler.new_job(99, ["/bin/true"]))
        assert "elsewhere gets no more jobs: 3 in a row" in caplog.text
        await until(lambda: "hostname=!(elsewhere)" in sge.run("qstat", "-j", array))
        assert "h_vmem=1G" in sge.run("qstat", "-j", array)
        await (scheduler.workdir / "gate").write_text("")
        later = await runner.feed(waiting())
        await runner.stop_feeding()
    assert {job.status for job in [first, *jobs, later]} == {JobStatus.FINISHED}
    assert {job.attempt for job in [*jobs, later]} == {1}
