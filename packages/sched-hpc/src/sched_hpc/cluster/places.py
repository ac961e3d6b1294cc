"""Where a job is in its engine: the id of its array, and the number of its task. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from sched_core import Job

__all__ = ["JobIds", "Named", "Place", "array_of", "by_array", "places_of"]

Place = tuple[str, int | None]
"""The id of an array with one of its tasks, or that of a job that is in none."""

JobIds = Mapping[str, Sequence[int] | None]
"""Tasks by the id of their array; None for a job that is no array, or a whole array."""

Named = tuple[Job, str | None]
"""A job and the name of its submission, where that is known."""


class _Row(Protocol):
    """What an engine tells of a job, or of some tasks of an array; `tasks` is None for no array."""

    @property
    def id(self) -> str: ...
    @property
    def tasks(self) -> tuple[int, ...] | None: ...


def array_of(jid: str) -> Place:
    """Split a job's id (`7_3`, `7.3`) into its array's and its task; without a task it is no array's."""
    id_, _, task = jid.replace(".", "_").partition("_")
    return id_, int(task) if task.isdecimal() else None


def places_of(row: _Row) -> Iterator[Place]:
    """Yield what the row is about."""
    if row.tasks is None:
        yield row.id, None
    else:
        for task in row.tasks:
            yield row.id, task


def by_array(places: Iterable[Place]) -> JobIds:
    """Return the tasks of each array."""
    arrays: dict[str, list[int] | None] = {}
    for id_, task in places:
        tasks = arrays.setdefault(id_, None if task is None else [])
        if tasks is not None and task is not None:
            tasks.append(task)
    return arrays
