"""What runs on this machine, seen without the code that is tested."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # a thread, or a child, that has just ended
        return ""


def children() -> list[str]:
    """Return /proc/PID/stat of this process's children, zombies too."""
    tasks = Path("/proc/self/task").iterdir()
    pids = [pid for task in tasks for pid in read(task / "children").split()]
    return [stat for pid in pids if (stat := read(Path(f"/proc/{pid}/stat")))]


def zombies() -> list[str]:
    return [stat for stat in children() if stat.rpartition(") ")[2].startswith("Z")]


def living() -> int:
    """Return how many children of this process have not ended."""
    return len(children()) - len(zombies())


def carriers(token: str) -> list[int]:
    """Return the processes whose SCHED_JOB_TOKEN begins with this."""
    mark = b"\0SCHED_JOB_TOKEN=" + os.fsencode(token)
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                if mark in b"\0" + (folder / "environ").read_bytes():
                    found.append(int(folder.name))
            except OSError:
                continue  # it has just ended, or is somebody else's
    return found


def wait_until_none(look: Callable[[], list[T]], seconds: float) -> list[T]:
    """Look until nothing is left, at most that long; return what is."""
    until = time.monotonic() + seconds
    while (left := look()) and time.monotonic() < until:
        time.sleep(0.02)
    return left
