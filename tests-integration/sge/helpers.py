"""What the tests on the real Grid Engine share."""

from __future__ import annotations

from typing import ClassVar

from sched_hpc import SgeScheduler

from ..jobs import (
    NOTED,
    ONCE,
    Clock,
    Watched,
    begun,
    most_at_once,
    pending,
    ran,
    running,
    until,
    waiting,
)

__all__ = [
    "NOTED",
    "ONCE",
    "Asked",
    "Clock",
    "Watched",
    "begun",
    "most_at_once",
    "pending",
    "ran",
    "running",
    "until",
    "waiting",
]


class Asked(SgeScheduler):
    """Asked more often, for tests."""

    poll_interval: ClassVar[tuple[float, float]] = (0.3, 1.0)
    spool_interval: ClassVar[float] = 0.2
