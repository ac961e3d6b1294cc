"""Waiting for the end of a run that another process drives."""

from __future__ import annotations

import time

from ..wording import count_jobs
from .onlooker import DriverWatch
from .runfolder import RunFolder

__all__ = ["left_in_words", "wait_for_end"]

_INTERVAL = 0.2


def wait_for_end(folder: RunFolder, timeout: float | None = None) -> bool:
    """Wait until nobody drives the run any more; False where that takes longer, in seconds. Blocks."""
    watch = DriverWatch(folder)
    until = None if timeout is None else time.monotonic() + timeout
    while not watch.looks_gone():
        left = None if until is None else until - time.monotonic()
        if left is not None and left <= 0:
            return False
        interval = folder.interval(_INTERVAL)
        time.sleep(interval if left is None else min(interval, left))
    return True


def left_in_words(folder: RunFolder, left: int) -> str:
    """What is said of a run that nobody drives and that has not ended."""
    have = "has" if left == 1 else "have"
    return (
        f"nobody drives {folder}, and {count_jobs(left)} of it {have} not ended;"
        f" sched resume {folder} goes on"
    )
