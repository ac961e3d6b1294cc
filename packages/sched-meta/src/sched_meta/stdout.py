"""Writing to stdout without ever waiting for whoever reads it."""

from __future__ import annotations

import asyncio
import os
import queue
import threading
from pathlib import Path

from .console import say

__all__ = ["Stdout"]

_STDOUT = 1
_CHUNK = 1 << 18


class Stdout:
    """Writes texts and contents of files in the order in which they are put.

    A thread writes, one that the process does not wait for: a reader that does not read holds up
    neither the run nor its end by Ctrl-C.
    """

    def __init__(self) -> None:
        self._due: queue.SimpleQueue[bytes | Path | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._written = asyncio.Event()
        threading.Thread(target=self._write_all, daemon=True).start()

    def put(self, what: bytes | Path) -> None:
        """Have a text, or what a file holds, written; returns at once."""
        self._due.put(what)

    async def drain(self) -> None:
        """Wait until all is written; nothing may be put any more."""
        self._due.put(None)
        await self._written.wait()

    def _write_all(self) -> None:
        try:
            while (what := self._due.get()) is not None:
                if isinstance(what, Path):
                    _copy(what)
                else:
                    _write(what)
        except OSError as error:
            say(f"stdout cannot be written any more ({error.strerror}); the run goes on")
        self._loop.call_soon_threadsafe(self._written.set)


def _copy(path: Path) -> None:
    try:
        source = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return  # the job never started
    try:
        while chunk := os.read(source, _CHUNK):
            _write(chunk)
    finally:
        os.close(source)


def _write(text: bytes) -> None:
    # Not by sys.stdout: its lock would be held for as long as nobody reads.
    rest = memoryview(text)
    while rest:
        rest = rest[os.write(_STDOUT, rest) :]
