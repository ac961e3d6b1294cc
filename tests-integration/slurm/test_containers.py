"""One specification of a container, run by Slurm's tasks."""

from __future__ import annotations

from pathlib import Path

import pytest

from sched_core import Failure, JobStatus

from ..jobs import begun, ran, running, waiting
from .cluster import SlurmCluster
from .helpers import Asked

pytestmark = pytest.mark.anyio
C = {"engine": "apptainer", "image": "IMAGE"}


async def test_apptainer(slurm: SlurmCluster, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "f").write_text("text\n")
    scheduler = Asked(tmp_path / "run", container=C, forks=10)
    async with running(scheduler) as runner:
        inside = await runner.feed(
            ["/bin/sh", "-c", 'cat "$DATA/f"; [ -x /bin/busybox ] && echo busy; echo $HOME'],
            container={"volumes": [f"DATA={data}"]},
        )
        code = await runner.feed(["/bin/sh", "-c", "exit 255"])
        bad = await runner.feed(["true"], container={"image": "/no/such/image"})
        killed = await runner.feed(waiting("never"))
        await begun(killed)
        await runner.kill(killed)
        await runner.stop_feeding()
    assert await inside.stdout_file.read_text() == "text\nbusy\n/root\n"
    assert (code.rc, code.failure) == (255, Failure.EXIT)
    assert (bad.failure, bad.status) == (Failure.REJECTED, JobStatus.FAILED)
    assert killed.status is JobStatus.KILLED
    assert ran(tmp_path / "run", killed) == ["1"]
