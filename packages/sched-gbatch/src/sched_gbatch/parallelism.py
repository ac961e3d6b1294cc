"""How `forks` is shared among the Batch jobs of a run. Pure.

How many of its tasks a Batch job runs at once is said when it is made, and cannot be changed later.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["Parallelism"]

_LONG = 30.0
"""Seconds after which even few empty places are worth a Batch job of their own."""


class Parallelism:
    """How many tasks the Batch jobs of a run may run at once, and for how long places stay empty."""

    def __init__(self) -> None:
        self._most: dict[str, int] = {}
        self._empty_since: float | None = None

    def note(self, sid: str, most: int) -> None:
        """Know how many tasks of a submission's Batch job run at once at most."""
        self._most[sid] = most

    def taken(self, left: Mapping[str, int]) -> int:
        """Return how many tasks may run at once; `left` are the unended ones of each submission."""
        for sid in self._most.keys() - left.keys():
            del self._most[sid]
        return sum(min(tasks, self._most.get(sid, tasks)) for sid, tasks in left.items())

    def note_empty(self, now: float, *, empty: bool) -> bool:
        """Note whether places are empty now that jobs wait for; tell whether they long have been."""
        if not empty:
            self._empty_since = None
        elif self._empty_since is None:
            self._empty_since = now
        return self.are_long_empty(now)

    def are_long_empty(self, now: float) -> bool:
        """Tell whether places have been empty for so long that any number is worth a Batch job."""
        return self._empty_since is not None and now - self._empty_since >= _LONG
