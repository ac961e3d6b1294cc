"""What the command lines of all processes say, which every user of a machine can read."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

__all__ = ["Watcher", "watched"]

_PAUSE = 0.005
"""Seconds between two looks: what is watched wants to run as well."""


class Watcher(threading.Thread):
    """Reads the command lines of all processes that are seen here, over and over."""

    def __init__(self, marker: bytes) -> None:
        """Start with none; `start` begins to read. Whoever has `marker` in its command line is watched."""
        super().__init__()
        self._marker = marker
        self.seen: set[bytes] = set()
        """What was in them: each argument is ended by NUL."""
        self._over = threading.Event()

    def run(self) -> None:
        """Read until `stop` is called."""
        while not self._over.wait(_PAUSE):
            for entry in os.scandir("/proc"):
                if entry.name.isdigit():
                    with contextlib.suppress(OSError), open(f"{entry.path}/cmdline", "rb") as file:
                        self.seen.add(file.read())

    def has_seen_marker(self) -> bool:
        """Tell whether what is to be watched was seen."""
        return any(self._marker in line for line in self.seen.copy())

    def stop(self) -> None:
        """Stop reading."""
        self._over.set()
        self.join()


@contextmanager
def watched(secrets: Sequence[str], marker: bytes) -> Iterator[Watcher]:
    """Fail where a secret was in some command line while the block ran.

    `marker` is in the command line of something that was run: else nothing was really looked at.
    """
    watcher = Watcher(marker)
    watcher.start()
    try:
        yield watcher
    finally:
        watcher.stop()
    assert watcher.has_seen_marker(), f"{marker!r} was not even seen"
    told = [line for line in watcher.seen if any(os.fsencode(word) in line for word in secrets)]
    assert told == []
