"""Who a driver is, and whether it still lives."""

from __future__ import annotations

import contextlib
import os
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

__all__ = ["DriverIdentity"]


@dataclass(frozen=True, slots=True)
class DriverIdentity:
    """A process, told apart from every other: pids are reused, host names are not unique."""

    host: str
    boot_id: str
    pid_namespace: str
    pid: int
    start_time: int
    """Clock ticks after boot, field 22 of proc_pid_stat(5)."""

    @classmethod
    def of_this_process(cls) -> DriverIdentity:
        """Read the identity of the calling process."""
        pid = os.getpid()
        return cls(socket.gethostname(), _boot_id(), _pid_namespace(), pid, _start_time(pid) or 0)

    def same_pids_as(self, other: DriverIdentity) -> bool:
        """Tell whether a pid means the same process to both."""
        return (self.boot_id, self.pid_namespace) == (other.boot_id, other.pid_namespace)

    def lives(self) -> bool:
        """Tell whether the process runs; only meaningful where `same_pids_as` this process."""
        return _start_time(self.pid) == self.start_time

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` takes."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> DriverIdentity:
        """Read what `to_json` wrote."""
        return cls(
            str(data["host"]),
            str(data["boot_id"]),
            str(data["pid_namespace"]),
            int(data["pid"]),
            int(data["start_time"]),
        )

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


def _boot_id() -> str:
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return ""


def _pid_namespace() -> str:
    with contextlib.suppress(OSError):
        return os.readlink("/proc/self/ns/pid")
    return ""


def _start_time(pid: int) -> int | None:
    """Return when the process started, None where it is gone or only a zombie is left."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2].split()
    except OSError:
        return None
    return None if fields[0] in (b"Z", b"X") else int(fields[19])
