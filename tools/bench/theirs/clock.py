"""What a peer takes once it is imported: seconds, and CPU of its own process."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

__all__ = ["Took", "start", "took", "took_by_threads"]

Took = tuple[float, float]


def start() -> Took:
    """Return the clocks as they are."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return time.perf_counter(), used.ru_utime + used.ru_stime


def took(began: Took) -> Took:
    """Return what has passed since."""
    now = start()
    return now[0] - began[0], now[1] - began[1]


def took_by_threads(one: Callable[[int], None], jobs: int, slots: int) -> Took:
    """Run each job in a thread that waits for it, and return what all took."""
    began = start()
    with ThreadPoolExecutor(slots) as pool:
        list(pool.map(one, range(jobs)))
    return took(began)
