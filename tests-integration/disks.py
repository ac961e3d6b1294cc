"""Disks that are too small, for jobs and drivers to fill."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sched_core import Failure, Job, JobStatus, Runner, Scheduler

from .jobs import begun

__all__ = ["keeps_results_on_a_full_disk", "small_disk"]

_FILLS = (
    ': >"$SCHED_JOB_METADIR/begun"; while [ ! -e "$1" ]; do sleep 0.1; done; '
    'cat /dev/zero >"$SCHED_WORKDIR/filler" 2>/dev/null; exit 5'
)
"""Shell code that waits for the file $1, leaves not a single block free, and fails."""


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Have a disk of a mebibyte at that folder."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m,nr_inodes=1000", "none", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


async def keeps_results_on_a_full_disk(make: Callable[[Path], Scheduler], disk: Path) -> None:
    """Have a job fill the disk of its run and fail: the run stops, and another driver knows how it ended."""
    gate = disk.parent / "gate"
    command = ["/bin/sh", "-c", _FILLS, "sh", str(gate)]
    with pytest.raises(OSError, match="No space left"):
        await _fill(make(disk / "run"), command, gate)
    (disk / "run/filler").unlink()
    async with Runner(make(disk / "run"), plugins=[], existing="resume") as again:
        await again.feed_all([command, ["true"]])
    assert [_outcome(job) for job in again.jobs] == [
        (JobStatus.FAILED, 5, Failure.EXIT, 1),
        (JobStatus.FINISHED, 0, None, 1),
    ]


async def _fill(scheduler: Scheduler, command: list[str], gate: Path) -> None:
    async with Runner(scheduler, plugins=[]) as runner:
        job = await runner.feed(command)
        await begun(job)
        gate.touch()
        await runner.wait(job)
        await runner.feed(["true"])


def _outcome(job: Job) -> tuple[JobStatus, int | None, Failure | None, int]:
    return job.status, job.rc, job.failure, job.attempt
