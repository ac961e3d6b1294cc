"""What the page's script is given: numbers and words of attempts and jobs, column by column.

Times are whole milliseconds from the beginning of the run, amounts whole numbers; -1 is unknown.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ..reading.attempts import Attempt
from ..reading.states import state_word
from ..wording import one_line, plain
from .data import STATES, Report, state_of
from .lanes import pack

if TYPE_CHECKING:
    from sched_core.runfolder import JobRecord

__all__ = ["columns", "embedded"]

MOST_ATTEMPTS = 150_000
MOST_JOBS = 20_000
_TEXT = 1_000_000
"""Characters of names and commands, all in all: what a page of 10,000 jobs may weigh."""
_SHORTEST, _LONGEST = 40, 400
UNKNOWN_HOST = "host unknown"


def columns(report: Report) -> dict[str, Any]:
    """Return all of it, fit for JSON."""
    attempts = _most_telling_attempts(report)
    jobs = _most_telling_jobs(report)
    hosts = _hosts(attempts)
    lanes = _lanes(report, attempts)
    return {
        "begun": round(report.begun * 1000),
        "took": round(report.took * 1000),
        "states": STATES,
        "hosts": hosts,
        "lanes": _lanes_of_hosts(attempts, lanes, hosts),
        "total": len(report.jobs),
        "totalAttempts": len(report.all_attempts),
        "attempts": _attempt_columns(report, attempts, hosts, lanes),
        "words": [_words(group.line) for group in report.failures],
        "jobs": _job_columns(report, jobs),
    }


def embedded(value: object) -> str:
    """The value as JSON that can stand in a page: nothing in it ends an element or a line."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


# --- attempts ------------------------------------------------------------------------------------


def _most_telling_attempts(report: Report) -> list[Attempt]:
    known = [a for a in report.all_attempts if a.queued is not None or a.started is not None]
    if len(known) <= MOST_ATTEMPTS:
        return known
    longest = sorted(known, key=lambda a: -(a.wall or 0.0))[:MOST_ATTEMPTS]
    return sorted(longest, key=lambda a: (a.index, a.number))


def _hosts(attempts: Iterable[Attempt]) -> list[str]:
    return sorted({_host(a) for a in attempts if a.started is not None}, key=_as_people_count)


def _host(attempt: Attempt) -> str:
    return plain(attempt.host) if attempt.host else UNKNOWN_HOST


def _as_people_count(name: str) -> tuple[bool, int, str]:
    """node2 before node10."""
    stem = name.rstrip("0123456789")
    return name == UNKNOWN_HOST, len(name) - len(stem), name


def _lanes(report: Report, attempts: Sequence[Attempt]) -> list[int]:
    """Return the lane of each attempt on its host, -1 for what has not started."""
    lanes = [-1] * len(attempts)
    by_host: dict[str, list[int]] = defaultdict(list)
    for number, attempt in enumerate(attempts):
        if attempt.started is not None:
            by_host[_host(attempt)].append(number)
    for numbers in by_host.values():
        spans = [(attempts[n].started or 0.0, report.end_of(attempts[n])) for n in numbers]
        for number, lane in zip(numbers, pack(spans), strict=True):
            lanes[number] = lane
    return lanes


def _lanes_of_hosts(
    attempts: Sequence[Attempt], lanes: Sequence[int], hosts: Sequence[str]
) -> list[int]:
    most = dict.fromkeys(hosts, 0)
    for attempt, lane in zip(attempts, lanes, strict=True):
        if lane >= 0:
            most[_host(attempt)] = max(most[_host(attempt)], lane + 1)
    return list(most.values())


def _attempt_columns(
    report: Report, attempts: Sequence[Attempt], hosts: Sequence[str], lanes: Sequence[int]
) -> dict[str, list[int]]:
    numbers = {host: number for number, host in enumerate(hosts)}

    def moment(at: float | None) -> int:
        return -1 if at is None else max(0, round((at - report.begun) * 1000))

    def end(attempt: Attempt) -> int:
        return -1 if attempt.started is None else moment(report.end_of(attempt))

    return {
        "job": [a.index for a in attempts],
        "number": [a.number for a in attempts],
        "state": [_state_number(report, a) for a in attempts],
        "host": [-1 if a.started is None else numbers[_host(a)] for a in attempts],
        "lane": list(lanes),
        "queued": [moment(a.queued) for a in attempts],
        "started": [moment(a.started) for a in attempts],
        "ended": [end(a) for a in attempts],
    }


def _state_number(report: Report, attempt: Attempt) -> int:
    last = report.attempts[attempt.index][-1] is attempt
    return STATES.index(state_of(attempt, last=last))


# --- jobs ----------------------------------------------------------------------------------------


def _most_telling_jobs(report: Report) -> list[JobRecord]:
    """All jobs, or those that failed and then those that took longest."""
    jobs = list(report.jobs.values())
    if len(jobs) <= MOST_JOBS:
        return sorted(jobs, key=lambda job: job.index)
    walls = {a.index: a.wall or 0.0 for a in report.last_attempts}

    def rank(job: JobRecord) -> tuple[bool, float]:
        return state_word(job) == "finished", -walls.get(job.index, 0.0)

    return sorted(sorted(jobs, key=rank)[:MOST_JOBS], key=lambda job: job.index)


def _job_columns(report: Report, jobs: Sequence[JobRecord]) -> dict[str, list[Any]]:
    last = {attempt.index: attempt for attempt in report.last_attempts}
    group_numbers = {
        index: number for number, group in enumerate(report.failures) for index in group.indexes
    }
    width = min(max(_TEXT // max(len(jobs), 1), _SHORTEST), _LONGEST)
    own = [last.get(job.index, Attempt(job.index, 0)) for job in jobs]
    return {
        "index": [job.index for job in jobs],
        "name": [_words(job.name or "", width) for job in jobs],
        "cmd": [one_line(job.cmd, width) for job in jobs],
        "state": [STATES.index(state_word(job)) for job in jobs],
        "rc": [job.rc for job in jobs],
        "failure": [job.failure.value if job.failure else "" for job in jobs],
        "words": [group_numbers.get(job.index, -1) for job in jobs],
        "attempt": [len(report.attempts.get(job.index, ())) for job in jobs],
        "host": [plain(job.host or "") for job in jobs],
        "waited": [_milliseconds(a.waited) for a in own],
        "wall": [_milliseconds(a.wall) for a in own],
        "cpu": [_milliseconds(a.cpu) for a in own],
        "memory": [-1 if a.max_rss is None else a.max_rss for a in own],
    }


def _milliseconds(seconds: float | None) -> int:
    return -1 if seconds is None else round(seconds * 1000)


def _words(text: str, width: int = _LONGEST) -> str:
    text = plain(text)
    return text if len(text) <= width else text[: width - 3] + "..."
