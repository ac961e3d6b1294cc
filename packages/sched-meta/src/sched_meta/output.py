"""`--cat`: what the jobs printed, in the order of the jobs."""

from __future__ import annotations

import asyncio
import os
import queue
import threading
from collections import deque
from collections.abc import Iterable
from pathlib import Path

from sched_core import Job

from .console import say

__all__ = ["OrderedOutput"]

_STDOUT = 1
_CHUNK = 1 << 18


class OrderedOutput:
    """Copies each job's output to stdout as soon as all jobs before it have ended.

    A thread writes, one that the process does not wait for: a reader that does not read holds up
    neither the run nor its end by Ctrl-C.
    """

    def __init__(self, indexes: Iterable[int]) -> None:
        self._waiting = deque(indexes)
        self._ended: dict[int, Path] = {}
        self._due: queue.SimpleQueue[Path | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._written = asyncio.Event()
        threading.Thread(target=self._write_all, daemon=True).start()

    def ended(self, job: Job) -> None:
        """Take a job that has ended, and have written what may be written now."""
        self._ended[job.index] = Path(str(job.stdout_file))
        while self._waiting and (path := self._ended.pop(self._waiting[0], None)):
            self._waiting.popleft()
            self._due.put(path)

    async def drain(self) -> None:
        """Wait until all that may be written is."""
        self._due.put(None)
        await self._written.wait()

    def _write_all(self) -> None:
        try:
            while path := self._due.get():
                _copy(path)
        except OSError as error:
            say(f"the jobs' output is written no further ({error.strerror}); the run goes on")
        self._loop.call_soon_threadsafe(self._written.set)


def _copy(path: Path) -> None:
    try:
        source = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return  # it never started
    try:
        # Not by sys.stdout: its lock would be held for as long as nobody reads.
        while chunk := os.read(source, _CHUNK):
            _write(chunk)
    finally:
        os.close(source)


def _write(chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[os.write(_STDOUT, rest) :]
