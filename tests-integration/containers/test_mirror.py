"""Runs in a bucket whose jobs run in containers: the mirror is mounted into them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sched_container import ContainerScheduler
from sched_core import Runner, SpecPath

from ..gbatch.mirrors import BucketRun, bucket_run
from ..jobs import INSIDE
from .machines import Engine

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BucketRun]:
    with bucket_run(tmp_path, monkeypatch) as run:
        yield run


async def test_jobs_see_the_mirror(podman: Engine, run: BucketRun) -> None:
    await SpecPath(f"{run.workdir}/in.txt").write_text("in\n")
    script = f'{INSIDE}; cat "$SCHED_WORKDIR/in.txt"; echo own >"$SCHED_JOB_METADIR/own"'
    async with Runner(ContainerScheduler(run.workdir, **podman.options), plugins=[]) as runner:
        job = await runner.wait(await runner.feed(["/bin/sh", "-c", script]))
        assert await job.stdout_file.read_text() == "inside\nin\n"
        assert run.text("0/own") == "own\n"
    assert (job.status.name, run.text("0/job.rc")) == ("FINISHED", "0\n")
