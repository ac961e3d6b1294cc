"""The filters of lists, as far as the service is asked with them here."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from .batch_errors import invalid
from .batch_jobs import Job, Task

__all__ = ["filter_jobs", "filter_tasks"]

T = TypeVar("T")
_TERM = re.compile(r'(?P<field>[\w.-]+)\s*(?P<sign>!?=|:)\s*"?(?P<value>[^"\s]*)"?')


def filter_jobs(jobs: Sequence[Job], text: str) -> list[Job]:
    """Return those that a filter of ListJobs lets through. Raises ApiError."""
    return _filter(jobs, text, _field_of_job)


def filter_tasks(tasks: Sequence[Task], text: str) -> Sequence[Task]:
    """Return those that a filter of ListTasks lets through. Raises ApiError."""
    return _filter(tasks, text, _field_of_task) if text else tasks


def _field_of_job(job: Job, field: str) -> str | None:
    if field.startswith("labels."):
        return str(job.spec.labels.get(field.removeprefix("labels."), ""))
    known = {"status.state": job.state.name, "name": job.name, "uid": job.uid}
    return known.get(field)


def _field_of_task(task: Task, field: str) -> str | None:
    return task.state.name if field.lower() in ("state", "status.state") else None


def _filter(items: Sequence[T], text: str, field_of: Callable[[T, str], str | None]) -> list[T]:
    """Alternatives bind more than AND does, as in Google's filters."""
    every = [re.split(r"\s+OR\s+", part) for part in re.split(r"\s+AND\s+", text.strip()) if part]
    terms = [[_parse(term) for term in alternatives] for alternatives in every]

    def fits(item: T) -> bool:
        return all(any(_holds(field_of(item, t[0]), *t) for t in some) for some in terms)

    return [item for item in items if fits(item)]


def _parse(term: str) -> tuple[str, str, str]:
    found = _TERM.fullmatch(term.strip().strip("()").strip())
    if found is None:
        raise invalid("filter", f"Invalid filter term {term!r}")
    return found["field"], found["sign"], found["value"]


def _holds(actual: str | None, field: str, sign: str, value: str) -> bool:
    if actual is None:
        raise invalid("filter", f"Unknown field {field!r} in the filter")
    if sign == ":":
        return bool(actual) if value == "*" else value in actual
    return (actual == value) is (sign == "=")
