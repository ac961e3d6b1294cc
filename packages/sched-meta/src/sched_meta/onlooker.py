"""What another process can tell of a run's driver."""

from __future__ import annotations

from pathlib import Path

from sched_core.ports import system_ports
from sched_core.runfolder import Layout, newest_lease

__all__ = ["nobody_drives"]


def nobody_drives(folder: Path) -> bool:
    """Tell whether it is certain that no process drives the run; cheap, whatever its size."""
    layout, ports = Layout(str(folder)), system_ports(str(folder))
    lease = newest_lease(ports.files, layout)
    return lease is None or lease.released or ports.lives(lease.driver) is False
