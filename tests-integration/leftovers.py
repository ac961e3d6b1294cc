"""What a driver keeps open, seen from outside of the code under test."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sched_core import JobStatus, Runner

__all__ = ["leaves_nothing"]

_SLACK = 4
"""A tool may be running and a thread reading just then."""


@dataclass(frozen=True)
class _Kept:
    files: int
    threads: int
    zombies: frozenset[str]


def _kept() -> _Kept:
    return _Kept(len(os.listdir("/proc/self/fd")), threading.active_count(), _zombies())


def _zombies() -> frozenset[str]:
    found = set()
    for task in Path("/proc/self/task").iterdir():
        for pid in _read(task / "children").split():
            stat = _read(Path(f"/proc/{pid}/stat"))
            if stat.rpartition(") ")[2].startswith("Z"):
                found.add(pid)
    return frozenset(found)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # it has ended
        return ""


async def leaves_nothing(runner: Runner, command: Sequence[str], count: int) -> None:
    """Run so many jobs, and as many once more: the second half adds nothing to what is kept open."""
    before = _zombies()
    halves = []
    for _ in range(2):
        jobs = await runner.feed_all([command] * (count // 2))
        for job in jobs:
            await runner.wait(job)
        assert {job.status for job in jobs} == {JobStatus.FINISHED}
        halves.append(_kept())
    first, second = halves
    assert second.files <= first.files + _SLACK
    assert second.threads <= first.threads + _SLACK
    # One that has just ended may not have been waited for yet, but none stays.
    assert not (first.zombies & second.zombies) - before
