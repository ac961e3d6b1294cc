"""What another process can tell of a run's driver."""

from __future__ import annotations

import time

from sched_core.runfolder import HEARTBEAT_INTERVAL, LeaseRecord, newest_lease

from .runfolder import RunFolder

__all__ = ["DriverWatch", "nobody_drives"]

_MISSED_HEARTBEATS = 3


def nobody_drives(folder: RunFolder) -> bool:
    """Tell whether it is certain that no process drives the run; cheap, whatever its size."""
    lease = newest_lease(folder.files, folder.layout)
    return lease is None or lease.released or folder.ports.lives(lease.driver) is False


class DriverWatch:
    """Tells whether a driver is gone, also on another host, where only its heartbeat shows it."""

    def __init__(self, folder: RunFolder) -> None:
        """Watch over who drives that run."""
        self._folder = folder
        self._seen: LeaseRecord | None = None
        self._since = time.monotonic()

    def is_gone(self, lease: LeaseRecord | None) -> bool:
        """Tell of the newest lease, as it is now, whether its driver has ended or died."""
        now = time.monotonic()
        if lease != self._seen:
            self._seen, self._since = lease, now
        if lease is None or lease.released:
            return True
        lives = self._folder.ports.lives(lease.driver)
        if lives is None:
            return now - self._since > _MISSED_HEARTBEATS * HEARTBEAT_INTERVAL
        return not lives

    def looks_gone(self) -> bool:
        """Look at the newest lease; tell whether its driver has ended or died. Blocks."""
        return self.is_gone(newest_lease(self._folder.files, self._folder.layout))
