"""Which of Slurm's rows are about which jobs. Pure.

An id alone is not trusted: a controller that has crashed gives it once more, and two clusters may use
the same one. Each row has to bear the name of the job's submission, as name or as comment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sched_core import Job, Submission

from ..cluster.places import JobIds, Named, Place, array_of, by_array, places_of
from .names import slurm_name
from .parsers import Row

__all__ = ["ids_by_cluster", "rows_by_submission", "rows_of_jobs"]


def rows_of_jobs(jobs: Iterable[Named], rows: Iterable[Row]) -> Iterator[tuple[Job, Row | None]]:
    """Yield the jobs whose ids Slurm tells of, each with its row; None where it is another job's."""
    of_place: dict[Place, list[Row]] = {}
    for row in rows:
        for place in places_of(row):
            of_place.setdefault(place, []).append(row)
    for job, name in jobs:
        found = of_place.get(array_of(job.jid), []) if job.jid is not None else []
        own = [row for row in found if name is None or slurm_name(name) in (row.name, row.comment)]
        if found:
            yield job, own[-1] if own else None


def rows_by_submission(
    submissions: Iterable[Submission], rows: Iterable[Row]
) -> Iterator[tuple[Submission, Row]]:
    """Yield the submissions that Slurm has, each with the first of its rows."""
    wanted = {slurm_name(submission.name): submission for submission in submissions}
    for row in rows:
        submission = wanted.pop(row.name, None) or wanted.pop(row.comment, None)
        if submission is not None:
            yield submission, row


def ids_by_cluster(
    jobs: Iterable[tuple[str, int | None]], rows: Iterable[Row]
) -> Mapping[str | None, JobIds]:
    """Return the ids of those jobs that Slurm has; they are given by submission and number of task."""
    places: dict[str, dict[int | None, Row]] = {}
    for row in rows:
        for _, task in places_of(row):
            for own in {row.name, row.comment}:
                places.setdefault(own, {})[task] = row
    found: dict[str | None, dict[Place, None]] = {}
    for name, task in jobs:
        place = places.get(slurm_name(name), {}).get(task)
        if place is not None:
            found.setdefault(place.cluster, {})[place.id, task] = None
    return {cluster: by_array(ids) for cluster, ids in found.items()}
