"""How fast a run goes, what of it runs now and how long it will take, from its records."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field

from sched_core.runfolder import JobRecord

from .states import is_running

__all__ = ["Progress", "progress_of"]

_RECENT = 60.0
_FEWEST = 20
"""Ends of jobs that tell a rate, where fewer of them are recent."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is at one moment."""

    running: list[JobRecord] = field(default_factory=list)
    """What runs, the longest first."""
    seconds: float | None = None
    """From the first start to the last end, or until now where jobs run."""
    rate: float | None = None
    """Jobs a second: of late where jobs run or wait for a driver at work, else over all its time."""
    seconds_left: float | None = None
    """At that rate; None where nobody drives the run, or nothing is left."""


def progress_of(jobs: Iterable[JobRecord], now: float, *, driven: bool) -> Progress:
    """Tell how far the jobs are; `driven` tells that somebody drives them."""
    jobs = list(jobs)
    running = [job for job in jobs if is_running(job)]
    running.sort(key=lambda job: (job.started or now, job.index))
    ends = [job.ended for job in jobs if job.status.final and job.ended is not None]
    left = sum(not job.is_done for job in jobs) if driven else 0
    seconds = _seconds(jobs, ends, now if running else None)
    if not left:
        rate = len(ends) / seconds if seconds and seconds >= 1 and len(ends) > 1 else None
        return Progress(running, seconds, rate)
    rate = _recent_rate(ends, now)
    return Progress(running, seconds, rate, left / rate if rate else None)


def _seconds(jobs: Iterable[JobRecord], ends: Iterable[float], now: float | None) -> float | None:
    begun = min((job.started for job in jobs if job.started is not None), default=None)
    until = now or max(ends, default=None)
    return None if begun is None or until is None else max(0.0, until - begun)


def _recent_rate(ends: list[float], now: float) -> float | None:
    """The rate of the last minute; where little has ended by then, of the last ends."""
    recent = [end for end in ends if end >= now - _RECENT]
    if len(recent) < _FEWEST:
        recent = heapq.nlargest(_FEWEST, ends)
    took = now - min(recent, default=now)
    return len(recent) / took if len(recent) > 1 and took >= 1 else None
