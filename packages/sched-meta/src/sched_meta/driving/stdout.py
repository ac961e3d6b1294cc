"""Writing to stdout without ever waiting for whoever reads it."""

from __future__ import annotations

import asyncio
import os
import queue
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..console import for_stdout, say
from ..reading.jobfiles import chunks

if TYPE_CHECKING:
    from ..reading.runfolder import RunFolder

__all__ = ["Stdout"]

_STDOUT = 1


class Stdout:
    """Writes texts and contents of files in the order in which they are put.

    A thread writes, one that the process does not wait for: a reader that does not read holds up
    neither the run nor its end by Ctrl-C.
    """

    def __init__(self, folder: RunFolder) -> None:
        """Take files from the folder of that run."""
        self._folder = folder
        self._due: queue.SimpleQueue[bytes | str | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._written = asyncio.Event()
        threading.Thread(target=self._write_all, daemon=True).start()

    def put(self, text: bytes) -> None:
        """Have a text written; returns at once."""
        self._due.put(text)

    def put_file(self, path: str) -> None:
        """Have written what a file holds by then; returns at once."""
        self._due.put(path)

    async def drain(self) -> None:
        """Wait until all is written; nothing may be put any more."""
        self._due.put(None)
        await self._written.wait()

    def _write_all(self) -> None:
        try:
            while (what := self._due.get()) is not None:
                for chunk in [what] if isinstance(what, bytes) else self._content(what):
                    _write(chunk)
        except OSError as error:
            say(f"stdout cannot be written any more ({error.strerror}); the run goes on")
        self._loop.call_soon_threadsafe(self._written.set)

    def _content(self, path: str) -> Iterator[bytes]:
        try:
            yield from for_stdout(chunks(self._folder, path))
        except FileNotFoundError:
            return  # the job never started
        except OSError as error:
            say(f"{path} cannot be read ({error.strerror}); the run goes on")


def _write(text: bytes) -> None:
    # Not by sys.stdout: its lock would be held for as long as nobody reads.
    rest = memoryview(text)
    while rest:
        rest = rest[os.write(_STDOUT, rest) :]
