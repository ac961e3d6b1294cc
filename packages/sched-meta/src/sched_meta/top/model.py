"""What the live screen shows of a run: counts, pace and lists, as its jobs change."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain

from sched_core.runfolder import JobRecord, RunView

from ..reading.states import STATES, state_word
from ..wording import one_line
from .pace import Pace, PaceMeter

__all__ = ["MOST", "Chosen", "Counts", "Query", "RunModel", "Tab"]

MOST = 500
"""Jobs of a list that are shown; the filter finds the others."""
_PARTS = 40
"""Bars of the pace's picture."""


class Tab(StrEnum):
    """A list of jobs, by the states that are in it."""

    RUNNING = "running"
    FAILED = "failed"
    WAITING = "waiting"
    SLOWEST = "slowest"
    ALL = "all"


_STATES = {
    Tab.RUNNING: ("running",),
    Tab.FAILED: ("failed", "killed"),
    Tab.WAITING: ("waiting", "interrupted"),
    Tab.SLOWEST: ("finished",),
    Tab.ALL: STATES,
}


@dataclass(frozen=True, slots=True)
class Query:
    """What the person at the screen wants to see."""

    tab: Tab = Tab.RUNNING
    text: str = ""
    """Part of a name or command, in small or capital letters."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How far a run is."""

    states: Mapping[str, int]
    """As of `state_counts`."""
    pace: Pace | None
    seconds_left: float | None
    """None where nobody drives the run, or nothing tells."""

    @property
    def total(self) -> int:
        """All jobs."""
        return sum(self.states.values())

    @property
    def done(self) -> int:
        """Jobs that have ended for good."""
        return self.states["finished"] + self.states["failed"] + self.states["killed"]

    def of(self, tab: Tab) -> int:
        """How many jobs are in that list, whatever the filter."""
        return sum(self.states[state] for state in _STATES[tab])


@dataclass(frozen=True, slots=True)
class Chosen:
    """The jobs of a list, the first of them in its order."""

    jobs: Sequence[JobRecord]
    matching: int
    """How many there are that the filter lets through."""


class RunModel:
    """Takes the jobs that have changed; keeps what a look at 100,000 jobs would take too long for."""

    def __init__(self) -> None:
        self._jobs: dict[str, dict[int, JobRecord]] = {state: {} for state in STATES}
        self._state: dict[int, str] = {}
        self._ended: dict[int, float] = {}
        self._meter = PaceMeter()

    def take(self, changed: Iterable[JobRecord]) -> None:
        """Take jobs that are new or have changed."""
        for job in changed:
            state = state_word(job)
            self._jobs[self._state.get(job.index, state)].pop(job.index, None)
            self._state[job.index] = state
            self._jobs[state][job.index] = job
            self._measure(job)

    def _measure(self, job: JobRecord) -> None:
        if job.started is not None:
            self._meter.started(job.started)
        before = self._ended.pop(job.index, None)
        if before is not None:
            self._meter.ended(before, -1)
        if job.is_done and job.ended is not None:
            self._ended[job.index] = job.ended
            self._meter.ended(job.ended)

    def counts(self, view: RunView, now: float) -> Counts:
        """Return how far the run is at that moment."""
        states = {state: len(jobs) for state, jobs in self._jobs.items()}
        driven = view.driver is not None
        pace = self._meter.pace(now if driven else self._meter.last() or now, _PARTS)
        left = states["running"] + states["waiting"]
        seconds = left / pace.rate if driven and pace and pace.rate else None
        return Counts(states, pace, seconds)

    def choose(self, query: Query) -> Chosen:
        """Return the jobs of a list, the first of them in its order."""
        jobs = list(self._matching(query))
        return Chosen(heapq.nsmallest(MOST, jobs, key=_ORDER[query.tab]), len(jobs))

    def all_of(self, query: Query) -> list[JobRecord]:
        """Return all jobs of that list that the filter lets through, by their indexes."""
        return sorted(self._matching(query), key=_by_index)

    def _matching(self, query: Query) -> Iterator[JobRecord]:
        jobs = chain.from_iterable(self._jobs[state].values() for state in _STATES[query.tab])
        text = query.text.casefold()
        return (job for job in jobs if _matches(job, text)) if text else jobs


def _matches(job: JobRecord, text: str) -> bool:
    return text in (job.name or "").casefold() or text in one_line(job.cmd).casefold()


def _by_index(job: JobRecord) -> tuple[float, int]:
    return 0.0, job.index


def _by_start(job: JobRecord) -> tuple[float, int]:
    return job.started or float("inf"), job.index


def _slowest_first(job: JobRecord) -> tuple[float, int]:
    return (job.started or 0.0) - (job.ended or 0.0), job.index


_ORDER: Mapping[Tab, Callable[[JobRecord], tuple[float, int]]] = {
    Tab.RUNNING: _by_start,
    Tab.FAILED: _by_index,
    Tab.WAITING: _by_index,
    Tab.SLOWEST: _slowest_first,
    Tab.ALL: _by_index,
}
