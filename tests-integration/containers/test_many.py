"""Many containers: what they are called, and what is left of them in the driver."""

from __future__ import annotations

import json
import os
import shutil
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from sched_core import JobStatus, Runner

from ..jobs import begun, waiting
from ..leftovers import leaves_nothing
from .machines import Engine
from .test_outcomes import keeper, scheduler

__all__ = ["keeper"]

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]


async def test_t21_names_are_the_engines_and_labels_lead_back(
    keeper: Engine, tmp_path: Path
) -> None:
    odd = "9 jobs/of:mine@*é" + "long" * 60
    own = scheduler(keeper, tmp_path, jobname_prefix=odd, forks=2)
    async with Runner(own, plugins=[]) as runner:
        jobs = [await runner.feed(waiting(), name=f"{odd}{n}") for n in range(2)]
        for job in jobs:
            await begun(job)
        found = json.loads(keeper.run("inspect", *keeper.left()))
        labels = [one["Config"]["Labels"]["sched.run"] for one in found]
        assert labels == [runner.scheduler.session.run] * 2
        assert len({one["Name"] for one in found}) == 2
        await (runner.scheduler.workdir / "gate").write_text("")
    assert {job.status for job in jobs} == {JobStatus.FINISHED}


@pytest.mark.parametrize("name", ["docker", "apptainer"])
@pytest.mark.timeout(1800)
async def test_t29_many_jobs_leave_nothing_in_the_driver(
    name: str, request: pytest.FixtureRequest, tmp_path: Path, full: bool
) -> None:
    own = scheduler(request.getfixturevalue(name), tmp_path, forks=4)
    async with Runner(own, plugins=[]) as runner:
        await leaves_nothing(runner, ["true"], 5000 if full else 20)


async def test_t28_a_client_that_leaves_a_child_with_its_output_open(
    keeper: Engine, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    client = tmp_path / keeper.name
    client.write_text(
        f'#!/bin/sh\n[ "$1" != run ] || {{ sleep 1000 & echo $! >>{pids}; }}\n'
        f'exec {shutil.which(keeper.name)} "$@"\n'
    )
    client.chmod(0o755)
    try:
        async with Runner(scheduler(keeper, tmp_path, bin=str(client)), plugins=[]) as runner:
            job = await runner.wait(await runner.feed(["/bin/sh", "-c", "echo said; exit 3"]))
        assert (job.status, job.rc) == (JobStatus.FAILED, 3)
        assert await job.stdout_file.read_text() == "said\n"
    finally:
        for pid in pids.read_text().split() if pids.exists() else ():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
