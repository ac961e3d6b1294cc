"""How fast a run goes, what of it runs now and how long it will take, from its records."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sched_core.runfolder import JobRecord, Tally
from sched_core.runfolder.tally import recent_ends

from .states import is_running

__all__ = ["Progress", "progress_of"]


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


def progress_of(
    jobs: Iterable[JobRecord], now: float, *, driven: bool, others: Tally | None = None
) -> Progress:
    """Tell how far the jobs are, and `others`; `driven` tells that somebody drives them."""
    others = Tally() if others is None else others
    jobs = list(jobs)
    running = [job for job in jobs if is_running(job)]
    running.sort(key=lambda job: (job.started or now, job.index))
    ends = [job.ended for job in jobs if job.ended is not None and _has_ended(job)]
    left = sum(not job.is_done for job in jobs) + others.waiting + others.unbegun if driven else 0
    until = now if running else max([*ends, *filter(None, [others.ended])], default=None)
    seconds = _seconds([*filter(None, [others.began]), *_starts(jobs)], until)
    if not left:
        ended = len(ends) + others.finished
        rate = ended / seconds if seconds and seconds >= 1 and ended > 1 else None
        return Progress(running, seconds, rate)
    rate = _recent_rate(ends + others.ends, now)
    return Progress(running, seconds, rate, left / rate if rate else None)


def _has_ended(job: JobRecord) -> bool:
    """Tell whether the job has ended after it was begun: what the end of a run has kept from it has not."""
    return job.status.final and not (job.interrupted and job.started is None)


def _starts(jobs: Iterable[JobRecord]) -> list[float]:
    return [job.started for job in jobs if job.started is not None]


def _seconds(starts: Iterable[float], until: float | None) -> float | None:
    begun = min(starts, default=None)
    return None if begun is None or until is None else max(0.0, until - begun)


def _recent_rate(ends: list[float], now: float) -> float | None:
    """The rate of the last minute; where little has ended by then, of the last ends."""
    recent = recent_ends(ends, now)
    took = now - min(recent, default=now)
    return len(recent) / took if len(recent) > 1 and took >= 1 else None
