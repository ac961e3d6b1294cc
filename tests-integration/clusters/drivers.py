"""Drivers where a cluster's users have them: inside of a job, on a disk that is full."""

from __future__ import annotations

import sys
from pathlib import Path

import anyio
import pytest

from sched_core import JobStatus, read_run

from ..disks import keeps_results_on_a_full_disk, small_disk
from ..jobs import running
from .engine import Engine

__all__ = ["Drivers"]


class Drivers:
    pytestmark = pytest.mark.timeout(300)

    async def test_t48_a_driver_that_is_a_job_itself(self, engine: Engine, tmp_path: Path) -> None:
        inner = tmp_path / "inner"
        name = engine.scheduler_class.name
        argv = [sys.executable, "-m", "sched_meta", "run", "-s", name, "-w", str(inner), "-j", "2"]
        argv += ["--no-progress", "--", "/bin/sh", "-c", engine.told_task, "sh", ":::", "a", "b"]
        async with running(engine.scheduler_class(tmp_path / "outer")) as runner:
            job = await runner.wait(await runner.feed(argv, resources={"memory": "2 GiB"}))
        told = f"{job.failure} {job.reason}: {await job.stderr_file.read_text()}"
        assert job.status is JobStatus.FINISHED, told
        jobs = (await anyio.to_thread.run_sync(read_run, inner)).jobs.values()
        assert [job.status for job in jobs] == [JobStatus.FINISHED] * 2
        own = {str(job.jid).partition("_")[0].partition(".")[0] for job in jobs}
        assert own.isdisjoint({str(job.jid)})
        assert {(inner / f"{job.index}/job.stdout").read_text().strip() for job in jobs} == own

    async def test_t39_a_full_disk_loses_no_result(self, engine: Engine, tmp_path: Path) -> None:
        with small_disk(tmp_path / "disk") as disk:
            await keeps_results_on_a_full_disk(engine.scheduler_class, disk)
