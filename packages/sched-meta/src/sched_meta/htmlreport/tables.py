"""The report's tables, row by row, as words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from sched_core.model.failure import Failure
from sched_core.model.units import format_memory

from ..wording import count_jobs, index_ranges, one_line
from .columns import UNKNOWN_HOST
from .data import Report, state_of
from .statistics import spread
from .usage import Usage, wishes
from .words import cores, memory_text, span

if TYPE_CHECKING:
    from ..reading.attempts import Attempt

__all__ = [
    "escalations",
    "failure_rows",
    "host_rows",
    "retried_rows",
    "slowest_rows",
    "usage_rows",
]

_SLOWEST = 10
_MOST_GROUPS = 20
_MOST_HOSTS = 100
_MOST_RETRIED = 20
_MOST_ASKED = 4
_WIDTH = 160


@dataclass(frozen=True, slots=True)
class FailureRow:
    """Jobs that failed alike."""

    failure: str
    rc: str
    jobs: int
    indexes: str
    hosts: str
    line: str


def failure_rows(report: Report) -> list[FailureRow]:
    """Return the largest groups, and one row for the rest."""
    groups = report.failures[:_MOST_GROUPS]
    rows = [
        FailureRow(
            group.failure,
            "" if group.rc is None else str(group.rc),
            len(group.indexes),
            index_ranges(group.indexes),
            _some({report.jobs[index].host or "" for index in group.indexes}),
            group.line,
        )
        for group in groups
    ]
    rest = [index for group in report.failures[_MOST_GROUPS:] for index in group.indexes]
    if rest:
        ways = len(report.failures) - _MOST_GROUPS
        words = index_ranges(sorted(rest))
        rows.append(FailureRow("others", "", len(rest), words, "", f"in {ways:,} other ways"))
    return rows


def _some(names: set[str], most: int = 3) -> str:
    known = sorted(names - {""})
    return ", ".join(known[:most]) + (f" and {len(known) - most:,} more" if known[most:] else "")


@dataclass(frozen=True, slots=True)
class SlowestRow:
    """A job that took long; `share` is of the slowest one's time, in percent."""

    index: int
    name: str
    state: str
    wall: str
    share: float
    host: str
    cmd: str


def slowest_rows(report: Report) -> list[SlowestRow]:
    """Return the jobs that ran longest, those that still run among them."""
    begun = [a for a in report.last_attempts if a.started is not None]
    slowest = sorted(begun, key=lambda a: -_ran(report, a))[:_SLOWEST]
    most = (_ran(report, slowest[0]) if slowest else 0.0) or 1.0
    return [
        SlowestRow(
            attempt.index,
            report.jobs[attempt.index].name or "",
            state_of(attempt),
            span(_ran(report, attempt)),
            round(100 * _ran(report, attempt) / most, 1),
            attempt.host or "",
            one_line(report.jobs[attempt.index].cmd, _WIDTH),
        )
        for attempt in slowest
    ]


def _ran(report: Report, attempt: Attempt) -> float:
    return max(0.0, report.end_of(attempt) - (attempt.started or 0.0))


@dataclass(frozen=True, slots=True)
class UsageRow:
    """What was asked for of a resource against what was used."""

    resource: str
    asked: str
    attempts: int
    known: int
    median: str
    p99: str
    most: str
    share: float | None
    """What 99% of the attempts needed at most, in percent of what was asked for."""


_WORDS = {"cpus": cores, "memory": memory_text, "time": span}


def usage_rows(found: Sequence[Usage]) -> list[UsageRow]:
    """Return a row for each of the amounts that were asked for most often."""
    shown: dict[str, int] = defaultdict(int)
    rows = []
    for usage in found:
        shown[usage.resource] += 1
        if shown[usage.resource] <= _MOST_ASKED:
            rows.append(_usage_row(usage))
    return rows


def _usage_row(usage: Usage) -> UsageRow:
    words, used = _WORDS[usage.resource], usage.used
    asked = "nothing" if usage.asked is None else _asked(usage.resource, usage.asked)
    if used is None:
        return UsageRow(usage.resource, asked, usage.attempts, 0, "not known", "", "", None)
    share = round(100 * used.p99 / usage.asked, 1) if usage.asked else None
    spoken = words(used.median), words(used.p99), words(used.most)
    return UsageRow(usage.resource, asked, usage.attempts, used.count, *spoken, share)


def _asked(resource: str, amount: float) -> str:
    return format_memory(int(amount)) if resource == "memory" else _WORDS[resource](amount)


@dataclass(frozen=True, slots=True)
class HostRow:
    """What a host did."""

    host: str
    attempts: int
    failed: int
    busy: str
    median: str


def host_rows(report: Report) -> list[HostRow]:
    """Return the hosts, the one that worked most first."""
    by_host: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in report.all_attempts:
        if attempt.started is not None:
            by_host[attempt.host or UNKNOWN_HOST].append(attempt)
    busy = {host: sum(_ran(report, a) for a in attempts) for host, attempts in by_host.items()}
    order = sorted(by_host, key=lambda host: (-busy[host], host))[:_MOST_HOSTS]
    return [_host_row(host, by_host[host], busy[host]) for host in order]


def _host_row(host: str, attempts: Sequence[Attempt], busy: float) -> HostRow:
    walls = spread(a.wall for a in attempts if a.wall is not None)
    failed = sum(state_of(a) in ("failed", "retried") for a in attempts)
    return HostRow(host, len(attempts), failed, span(busy), span(walls.median) if walls else "")


@dataclass(frozen=True, slots=True)
class RetriedRow:
    """A job that was tried more than once; each attempt in words."""

    index: int
    name: str
    state: str
    attempts: tuple[str, ...]


def retried_rows(report: Report) -> list[RetriedRow]:
    """Return the jobs with the most attempts."""
    retried = [of_job for of_job in report.attempts.values() if len(of_job) > 1]
    return [
        RetriedRow(
            of_job[0].index,
            report.jobs[of_job[0].index].name or "",
            state_of(of_job[-1]),
            tuple(_attempt_in_words(report, attempt) for attempt in of_job[-5:]),
        )
        for of_job in sorted(retried, key=lambda of_job: -len(of_job))[:_MOST_RETRIED]
    ]


def _attempt_in_words(report: Report, attempt: Attempt) -> str:
    words = [f"{attempt.number}: {attempt.failure or attempt.status.name.lower()}"]
    if attempt.failure and attempt.rc:
        words.append(f"rc {attempt.rc}")
    if attempt.wall is not None:
        words.append(f"after {span(attempt.wall)}")
    if attempt.failure in _LIMITS:
        resource = _LIMITS[attempt.failure]
        asked = wishes(report, attempt).get(resource)
        words.append(f"with {_asked(resource, asked)}" if asked else "")
    return " ".join(filter(None, words))


_LIMITS = {Failure.OUT_OF_MEMORY: "memory", Failure.TIMEOUT: "time"}


def escalations(report: Report) -> list[str]:
    """Return which attempts got more than the one before, and what became of those jobs."""
    found: dict[tuple[str, str, str], list[Attempt]] = defaultdict(list)
    for of_job in report.attempts.values():
        for before, after in pairwise(of_job):
            for step in _steps(report, before, after):
                found[step].append(of_job[-1])
    return [
        f"{resource} from {old} to {new}: {count_jobs(len(jobs))}, {_well(jobs):,} finished"
        for (resource, old, new), jobs in sorted(found.items(), key=lambda item: -len(item[1]))
    ][:_MOST_RETRIED]


def _steps(report: Report, before: Attempt, after: Attempt) -> Iterator[tuple[str, str, str]]:
    old, new = wishes(report, before), wishes(report, after)
    for resource in ("memory", "time"):
        if resource in new and new[resource] != old.get(resource):
            was = _asked(resource, old[resource]) if resource in old else "no limit"
            yield resource, was, _asked(resource, new[resource])


def _well(attempts: Sequence[Attempt]) -> int:
    return sum(state_of(attempt) == "finished" for attempt in attempts)
