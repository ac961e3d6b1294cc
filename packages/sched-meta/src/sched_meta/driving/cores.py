"""How many cores this process may use."""

from __future__ import annotations

import math
import os
from pathlib import Path

__all__ = ["usable_cores"]


def usable_cores(cgroups: Path = Path("/sys/fs/cgroup")) -> int:
    """Return the cores that affinity and the cgroup's quota leave, at least 1."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:
        cores = os.cpu_count() or 1
    return max(1, min(cores, math.ceil(_quota(cgroups) or cores)))


def _quota(cgroups: Path) -> float | None:
    """The cores that the cgroup may use; cgroups(7): "max" or a quota, and the period of both."""
    for folder in (cgroups / _own_cgroup(), cgroups):
        try:
            quota, period = (folder / "cpu.max").read_text().split()
            return None if quota == "max" else int(quota) / int(period)
        except (OSError, ValueError):
            continue
    return None


def _own_cgroup() -> str:
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return ""
    return next((line[3:].lstrip("/") for line in lines if line.startswith("0::")), "")
