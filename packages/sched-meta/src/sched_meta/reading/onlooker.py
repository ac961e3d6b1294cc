"""What another process can tell of a run's driver."""

from __future__ import annotations

from sched_core.runfolder import newest_lease

from .runfolder import RunFolder

__all__ = ["nobody_drives"]


def nobody_drives(folder: RunFolder) -> bool:
    """Tell whether it is certain that no process drives the run; cheap, whatever its size."""
    lease = newest_lease(folder.files, folder.layout)
    return lease is None or lease.released or folder.ports.lives(lease.driver) is False
