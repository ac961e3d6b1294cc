"""Which jobs of a list a run has already."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

from sched_core.model.command import job_key
from sched_core.model.secret import Secret

from .jobspec import JobSpec

__all__ = ["match_jobs"]


class Known(Protocol):
    """A job that a run has."""

    @property
    def cmd(self) -> Sequence[str]: ...
    @property
    def envs(self) -> Mapping[str, str | Secret] | None: ...
    @property
    def secrets(self) -> Mapping[str, str] | None: ...


K = TypeVar("K", bound=Known)


def match_jobs(specs: Iterable[JobSpec], jobs: Iterable[K]) -> tuple[list[K], list[JobSpec]]:
    """Return the run's jobs that the list means, and what is new in it.

    Each job of the run stands for one of the list only.
    """
    known: dict[tuple[object, ...], deque[K]] = {}
    for job in jobs:
        known.setdefault(job_key(job.cmd, job.envs, job.secrets or ()), deque()).append(job)
    found: list[K] = []
    new: list[JobSpec] = []
    for spec in specs:
        same = known.get(job_key(spec.cmd, spec.envs)) if known else None
        if same:
            found.append(same.popleft())
        else:
            new.append(spec)
    return found, new
