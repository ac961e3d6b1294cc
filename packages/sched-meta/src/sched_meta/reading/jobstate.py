"""What the words about a job need of it, be it live or a record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from sched_core.model.failure import Failure
from sched_core.model.resources import Resources
from sched_core.model.status import JobStatus

__all__ = ["JobState", "given_name"]


class JobState(Protocol):
    """A job that one can tell about."""

    @property
    def index(self) -> int: ...
    @property
    def status(self) -> JobStatus: ...
    @property
    def rc(self) -> int | None: ...
    @property
    def failure(self) -> Failure | None: ...
    @property
    def reason(self) -> str: ...
    @property
    def host(self) -> str | None: ...
    @property
    def attempt(self) -> int: ...
    @property
    def raised(self) -> dict[str, float] | None: ...
    @property
    def resources(self) -> Resources | Mapping[str, Any] | None: ...
    @property
    def timeout(self) -> float | None: ...


def given_name(job: JobState) -> str | None:
    """Return the name that the job was given, None for none."""
    name: str | None = getattr(job, "given_name" if hasattr(job, "given_name") else "name", None)
    return name
