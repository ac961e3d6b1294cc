"""A disk on which what jobs write is seen by the driver only a minute later."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest

from sched_core import Failure, JobStatus
from sched_core.ports import SystemPorts
from sched_core.ports.files import LocalFiles

from ..jobs import ONCE, ran, running
from .helpers import Asked

pytestmark = [pytest.mark.full, pytest.mark.timeout(300)]

_OF_JOBS = re.compile(r"/(job\.(claim\.[^/]*|rc|status)|\.sched/events/[^/]*)$")


class LateFiles(LocalFiles):
    """Shows what jobs have written only when it is as old as that."""

    def __init__(self, delay: float) -> None:
        super().__init__()
        self._delay = delay
        self._shown: dict[str, bytes] = {}

    def create(self, path: str, data: bytes) -> bool:
        made = super().create(path, data)
        if made:
            self._shown[path] = data
        return made

    def read(self, path: str) -> bytes:
        if not self._is_late(path):
            self._shown[path] = super().read(path)
        if path not in self._shown:
            raise FileNotFoundError(path)
        return self._shown[path]

    def names(self, folder: str) -> list[str]:
        return [name for name in super().names(folder) if self.exists(f"{folder}/{name}")]

    def exists(self, path: str) -> bool:
        return super().exists(path) and (path in self._shown or not self._is_late(path))

    def _is_late(self, path: str) -> bool:
        if not _OF_JOBS.search(path):
            return False
        return time.time() - os.stat(path).st_mtime < self._delay


@pytest.mark.parametrize("cluster", ["slurm", "bare_slurm"])
async def test_t08_a_record_that_is_a_minute_late_is_waited_for(
    cluster: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    request.getfixturevalue(cluster)
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
