"""What a peer takes once it is imported: seconds, and CPU of its own process."""

from __future__ import annotations

import resource
import time

__all__ = ["Took", "start", "took"]

Took = tuple[float, float]


def start() -> Took:
    """Return the clocks as they are."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return time.perf_counter(), used.ru_utime + used.ru_stime


def took(began: Took) -> Took:
    """Return what has passed since."""
    now = start()
    return now[0] - began[0], now[1] - began[1]
