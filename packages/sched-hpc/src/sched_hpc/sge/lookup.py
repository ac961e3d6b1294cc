"""Which of Grid Engine's rows are about which jobs. Pure.

An id alone is not trusted, it may be used again: a row has to bear the name of the job's submission.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sched_core import Job

from ..cluster.places import Named, Place, array_of, places_of
from .names import sge_name
from .parsers import Row

__all__ = ["places_of_tasks", "rows_of_jobs"]


def rows_of_jobs(jobs: Iterable[Named], rows: Iterable[Row]) -> Iterator[tuple[Job, Row | None]]:
    """Yield the jobs whose ids the queue has, each with its row; None where it is another job's."""
    of_place = {place: row for row in rows for place in places_of(row)}
    for job, name in jobs:
        row = of_place.get(array_of(job.jid)) if job.jid is not None else None
        if row is not None:
            yield job, row if name is None or sge_name(name) == row.name else None


def places_of_tasks(tasks: Iterable[tuple[str, int | None]], rows: Iterable[Row]) -> list[Place]:
    """Return where those tasks are that the queue has; they are given by submission and number."""
    ids = {(row.name, task): row.id for row in rows for _, task in places_of(row)}
    wanted = ((ids.get((sge_name(name), task)), task) for name, task in tasks)
    return [(id_, task) for id_, task in wanted if id_ is not None]
