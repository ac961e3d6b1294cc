"""What the driver knows of attempts that wait for a host or are on one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from sched_core import AttemptId, Job
from sched_core.scheduler.admission import Grant

from .host import Host

__all__ = ["Attempt", "Stage", "by_host"]


class Stage(IntEnum):
    """How far an attempt has come."""

    QUEUED = 0
    PLACED = 1
    """It has a host, which was not told yet."""
    SENT = 2
    """The host was told to start it."""
    STARTED = 3
    ENDED = 4
    """It has ended; its files may still be on their way."""


@dataclass(slots=True, eq=False)
class Attempt:
    """One attempt at one job."""

    job: Job
    attempt: int
    host: Host | None = None
    slot: int = 0
    """Where it runs there; 0 for what an earlier driver started."""
    grant: Grant | None = None
    stage: Stage = Stage.QUEUED
    leader: int = 0
    released: bool = False
    deaths: int = 0
    """How many shells died that were to start it."""

    @property
    def id(self) -> AttemptId:
        """What observations of it name."""
        return AttemptId(self.job.index, self.attempt)


def by_host(attempts: Iterable[Attempt]) -> dict[Host, list[Attempt]]:
    """Return those that have a host, by their hosts."""
    found: dict[Host, list[Attempt]] = {}
    for attempt in attempts:
        if attempt.host is not None:
            found.setdefault(attempt.host, []).append(attempt)
    return found
