"""What an engine's accounting tells of the memory of jobs, and which of it is a job's own. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Protocol

from sched_core import AttemptId, Job, Usage, attempt_id

from .places import Place, array_of

__all__ = ["Told", "share_no_task", "usage_of"]

_SKEW = 5.0
"""Seconds by which the clocks of a node and of the engine may differ."""


class Told(Protocol):
    """What the accounting tells of the end of a job, or of a task of an array."""

    @property
    def name(self) -> str: ...
    @property
    def started(self) -> float | None: ...
    @property
    def ended(self) -> float | None: ...
    @property
    def max_rss(self) -> int | None: ...


def share_no_task(jobs: Iterable[Job], among: Iterable[Job]) -> list[Job]:
    """Return those of the jobs whose task was that of no other job."""
    tasks = Counter(job.jid for job in among)
    return [job for job in jobs if job.jid is not None and tasks[job.jid] == 1]


def usage_of(jobs: Iterable[Job], told: Mapping[Place, Told], run: str) -> dict[AttemptId, Usage]:
    """Return what is told of each job; nothing of one whose end the accounting does not know yet.

    A record under another run's name is another job's, since ids are used again; one that began when
    the job had ended is of a start that the engine made once more.
    """
    found: dict[AttemptId, Usage] = {}
    for job in jobs:
        record = told.get(array_of(str(job.jid)))
        if record is not None and record.ended is not None:
            own = f"-{run}-" in record.name and _is_about(record, job)
            found[attempt_id(job)] = Usage(max_rss=record.max_rss if own else None)
    return found


def _is_about(record: Told, job: Job) -> bool:
    if None in (record.started, record.ended, job.started):
        return False
    return record.started - _SKEW <= job.started <= record.ended + _SKEW  # type: ignore[operator]
