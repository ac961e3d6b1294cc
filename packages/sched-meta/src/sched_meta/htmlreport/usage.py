"""What jobs asked for against what they used."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from sched_core.model.status import JobStatus

from ..reading.attempts import Attempt
from ..reading.shortage import SHORT_OF
from ..reading.wishes import resources_of
from .data import Report
from .statistics import Spread, spread

__all__ = ["RESOURCES", "Usage", "usages", "wishes"]

RESOURCES = ("cpus", "memory", "time")
_SHORTEST = 1.0
"""Seconds below which the cores that an attempt used, on average, tell nothing."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What attempts that asked for the same amount of a resource used of it.

    Cores, bytes or seconds, of attempts that came to an end of their own.
    """

    resource: str
    asked: float | None
    attempts: int
    used: Spread | None
    """None where nobody told."""
    ran_out: int
    """How many ended since it was not enough, and were not tried again with more."""


def usages(report: Report) -> list[Usage]:
    """Return one for each amount that was asked for, resource by resource, the common ones first."""
    ended = [a for a in report.all_attempts if a.started is not None and a.status.final]
    asked = [(attempt, wishes(report, attempt)) for attempt in ended]
    helped = _that_got_more(report)
    return [usage for resource in RESOURCES for usage in _of_resource(resource, asked, helped)]


def wishes(report: Report, attempt: Attempt) -> dict[str, float]:
    """Return what an attempt asked for, of RESOURCES, by itself or by what the run had for all."""
    own = repr(attempt.resources)
    if own not in report.known_wishes:
        report.known_wishes[own] = resources_of(report.run.options, attempt.resources)
    wanted = report.known_wishes[own].after(attempt.raised)
    limit = attempt.timeout
    if limit is None and "time" not in (attempt.resources or {}):
        limit = report.run.options.get("timeout")
    asked = {"cpus": wanted.cpus, "memory": wanted.memory, "time": limit or wanted.time}
    return {name: amount for name, amount in asked.items() if amount}


def _that_got_more(report: Report) -> set[tuple[int, int]]:
    """Return index and number of the attempts that were followed by one that got more."""
    return {
        (before.index, before.number)
        for of_job in report.attempts.values()
        for before, after in pairwise(of_job)
        if after.raised != before.raised
    }


def _of_resource(
    resource: str,
    attempts: Iterable[tuple[Attempt, Mapping[str, float]]],
    helped: set[tuple[int, int]],
) -> list[Usage]:
    by_asked: dict[float | None, list[Attempt]] = defaultdict(list)
    for attempt, asked in attempts:
        by_asked[asked.get(resource)].append(attempt)
    found = [_usage(resource, asked, of_asked, helped) for asked, of_asked in by_asked.items()]
    return sorted(found, key=lambda usage: -usage.attempts)


def _usage(
    resource: str, asked: float | None, attempts: list[Attempt], helped: set[tuple[int, int]]
) -> Usage:
    short = [a for a in attempts if a.failure and SHORT_OF.get(a.failure) == resource]
    out = sum((a.index, a.number) not in helped for a in short)
    return Usage(resource, asked, len(attempts), spread(_told(resource, attempts)), out)


def _told(resource: str, attempts: Iterable[Attempt]) -> Iterable[float]:
    for attempt in attempts:
        used = _used(resource, attempt)
        if used is not None and attempt.status is not JobStatus.KILLED:
            yield used


def _used(resource: str, attempt: Attempt) -> float | None:
    if resource == "memory":
        return attempt.max_rss
    if resource == "time":
        return attempt.wall
    if attempt.cpu is None or attempt.wall is None or attempt.wall < _SHORTEST:
        return None
    return attempt.cpu / attempt.wall
