"""The arrays of a run: how many of their tasks may run at once, so that all stay within `forks`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from math import ceil

from sched_core import EngineUnavailable, JobStatus
from sched_core.lifecycle.active import Active
from sched_core.scheduler import shares
from sched_core.scheduler.shares import Share

from .configuration import ClusterConfiguration
from .places import array_of

__all__ = ["ArrayLimits"]

_PATIENCE = 5.0
"""Seconds after which even few empty places are worth the call of a tool."""


class ArrayLimits:
    """Knows the limits of all arrays, and gives the places that one no longer needs to others."""

    def __init__(self, scheduler: ClusterConfiguration) -> None:
        """Share the `forks` of this scheduler."""
        self._scheduler = scheduler
        self._limits: dict[str, int | None] = {}
        self._empty_since: float | None = None

    def __contains__(self, array: object) -> bool:
        return array in self._limits

    def note(self, array: str, limit: int) -> None:
        """Take in the limit that an array has."""
        self._limits[array] = limit

    def limit_of_next(self, tasks: int) -> int:
        """Return how many of these tasks, which count as active already, may run at once."""
        return max(1, self._scheduler.forks - (self._tasks_active() - tasks))

    def room(self, room: int) -> int:
        """Return how many jobs may be submitted now: whole arrays, while places are free."""
        scheduler, session = self._scheduler, self._scheduler.session
        if not scheduler.submits_in_bulk():
            return min(room, scheduler.forks - len(session.active))
        if len(session.active) >= scheduler.forks * scheduler.chunk:
            return 0
        free = scheduler.forks - self._tasks_active()
        if scheduler.largest_array == 1:
            return min(room, free * scheduler.chunk)
        waiting = ceil(len(session.waiting) / scheduler.chunk)
        is_worth_it = shares.has_room(free, waiting, self._step())
        return min(room, scheduler.max_batch if is_worth_it else 0)

    async def balance(self, set_limit: Callable[[str, int], Awaitable[None]]) -> None:
        """Give places away that an array no longer needs."""
        present, others = self._shares()
        limits = shares.balance(self._scheduler.forks, present, others, self._step())
        self._note_empty_places(others + shares.used(present), changed=bool(limits))
        for array, limit in limits.items():
            try:
                await set_limit(array, limit)
            except EngineUnavailable as error:
                self._scheduler.session.warn(f"an array's limit cannot be changed now: {error}")
                return
            self._limits[array] = limit

    def _note_empty_places(self, used: int, *, changed: bool) -> None:
        """Remember since when places are empty, and have jobs submitted once that is long."""
        if changed or used >= self._scheduler.forks:
            self._empty_since = None
        elif self._empty_since is None:
            self._empty_since = self._scheduler.session.ports.monotonic()
        elif self._step() == 1:
            self._scheduler.session.wake()

    def _step(self) -> int:
        """Return how many empty places are worth a call: after a while, any."""
        now = self._scheduler.session.ports.monotonic()
        since = self._empty_since
        waited = since is not None and now - since >= _PATIENCE
        return 1 if waited else shares.worth_a_call(self._scheduler.forks)

    def _shares(self) -> tuple[list[Share], int]:
        """Return what arrays hold, oldest first, and how many jobs are in none."""
        actives = list(self._scheduler.session.active.values())
        found, others = shares_of(actives, self._limits, self._scheduler.chunk)
        self._limits = {share.array: share.limit for share in found}
        return found, others

    def _tasks_active(self) -> int:
        """Return how many tasks the engine has, or is about to be given."""
        if self._scheduler.chunk == 1:
            return len(self._scheduler.session.active)
        present, others = self._shares()
        return sum(share.left for share in present) + others


def shares_of(
    actives: Iterable[Active], limits: Mapping[str, int | None], chunk: int
) -> tuple[list[Share], int]:
    """Return what arrays hold, oldest first, and how many tasks are in none."""
    left: dict[str, set[int]] = {}
    running: dict[str, set[int]] = {}
    singles: set[str] = set()
    unknown: dict[str, int] = {}
    for active in actives:
        if active.job.jid is None:
            sid = active.submission.sid if active.submission else ""
            unknown[sid] = unknown.get(sid, 0) + 1
            continue
        array, task = array_of(active.job.jid)
        if task is None:
            singles.add(array)
            continue
        left.setdefault(array, set()).add(task)
        if active.job.status in (JobStatus.RUNNING, JobStatus.KILLING):
            running.setdefault(array, set()).add(task)
    found = [
        Share(array, limits.get(array), len(tasks), len(running.get(array, ())))
        for array, tasks in left.items()
    ]
    return found, len(singles) + sum(ceil(jobs / chunk) for jobs in unknown.values())
