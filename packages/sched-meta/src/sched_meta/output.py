"""`--cat`: what the jobs printed, in the order of the jobs."""

from __future__ import annotations

import shutil
import sys
from collections import deque
from collections.abc import Iterable
from pathlib import Path

import anyio.to_thread

from sched_core import Job

from .console import say

__all__ = ["OrderedOutput"]


class OrderedOutput:
    """Copies each job's output to stdout as soon as all jobs before it have ended."""

    def __init__(self, indexes: Iterable[int]) -> None:
        self._waiting = deque(indexes)
        self._ended: dict[int, Path] = {}
        self._broken = False

    async def ended(self, job: Job) -> None:
        """Take a job that has ended, and write what may be written now."""
        self._ended[job.index] = Path(str(job.stdout_file))
        due = []
        while self._waiting and (path := self._ended.pop(self._waiting[0], None)):
            self._waiting.popleft()
            due.append(path)
        if due and not self._broken:
            await anyio.to_thread.run_sync(self._write, due)

    def _write(self, paths: Iterable[Path]) -> None:
        try:
            for path in paths:
                _copy(path)
        except BrokenPipeError:
            self._broken = True
            say("nobody reads the output any more; the run goes on without it")


def _copy(path: Path) -> None:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return  # it never started
    with file:
        shutil.copyfileobj(file, sys.stdout.buffer)
    sys.stdout.buffer.flush()
