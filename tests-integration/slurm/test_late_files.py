"""A disk on which what jobs write is seen by the driver only later."""

from __future__ import annotations

from pathlib import Path

import pytest

from sched_core import Failure, JobStatus
from sched_core.ports import SystemPorts

from ..jobs import ONCE, ran, running
from ..latefiles import LateFiles
from .cluster import SlurmCluster
from .helpers import Asked

pytestmark = [pytest.mark.full, pytest.mark.timeout(300)]


async def test_t08_a_record_that_is_a_minute_late_is_waited_for_without_accounting(
    bare_slurm: SlurmCluster, tmp_path: Path
) -> None:
    scheduler = Asked(tmp_path / "run")
    async with running(scheduler, ports=SystemPorts(LateFiles(60))) as runner:
        jobs = await runner.feed_all([["/bin/sh", "-c", f"{ONCE}; exit {rc}"] for rc in (0, 3)])
        await runner.stop_feeding()
    ends = [(job.status, job.failure, job.rc, job.attempt) for job in jobs]
    assert ends == [
        (JobStatus.FINISHED, None, 0, 1),
        (JobStatus.FAILED, Failure.EXIT, 3, 1),
    ]
    assert [ran(scheduler.workdir, job) for job in jobs] == [["1"]] * 2
