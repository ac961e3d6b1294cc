"""Looks at runs beside the screen, so that nothing that reads a folder keeps the screen waiting."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from sched_core.errors import SchedError

from ..wording import plain

__all__ = ["Looking", "in_words"]


class Looking:
    """A thread that looks again and again, until it is told to stop."""

    def __init__(
        self,
        look: Callable[[], None],
        interval: Callable[[], float],
        trouble: Callable[[str], None],
        close: Callable[[], None] | None = None,
    ) -> None:
        """Call `look` each time that `interval` tells in seconds, and `close` in the end, in one thread.

        `trouble` gets in words what a look raised, and '' once one succeeds again.
        """
        self._look = look
        self._interval = interval
        self._trouble = trouble
        self._close = close
        self._troubled = False
        self._wanted = threading.Event()
        self._stopped = False
        # A daemon: a file system that does not answer keeps nobody from leaving.
        self._thread = threading.Thread(target=self._go_on, daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def look_now(self) -> None:
        """Have it look without waiting for the interval to end. From any thread."""
        self._wanted.set()

    def stop(self) -> None:
        """Look no more; a look that goes on may still come to its end."""
        self._stopped = True
        self._wanted.set()

    def _go_on(self) -> None:
        while not self._stopped:
            self._wanted.clear()
            self._look_once()
            self._wanted.wait(self._interval())
        if self._close:
            self._close()

    def _look_once(self) -> None:
        try:
            self._look()
        except Exception as error:  # noqa: BLE001  # a screen that stands still tells nothing
            self._troubled = True
            self._trouble(f"{in_words(error)}; trying again")
        else:
            if self._troubled:
                self._troubled = False
                self._trouble("")


def in_words(error: Exception) -> str:
    """Return what went wrong, in a line for the person at the screen."""
    if isinstance(error, OSError):
        where = f"{os.fsdecode(error.filename)}: " if error.filename else ""
        return plain(f"{where}{error.strerror or error}")
    if isinstance(error, SchedError):
        return plain(str(error))
    return plain(f"{type(error).__name__}: {error}; this is a fault of sched's own")
