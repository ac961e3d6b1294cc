"""What has happened to jobs, from the journal: what their driver tells with `--json`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sched_core.model.failure import Failure
from sched_core.model.status import JobStatus

__all__ = ["DETAILS", "TIMES", "JobEvents", "job_event"]

_END = ("rc", "failure", "reason", "host", "started", "ended", "cpu", "max_rss")
DETAILS: Mapping[str, Sequence[str]] = {
    "queued": (),
    "submitted": ("jid",),
    "started": ("jid", "host"),
    "finished": _END,
    "failed": (*_END, "will_retry"),
    "killed": _END,
}
"""What is told of each event beside the job that it happened to: attributes of jobs."""
_STAGES = ("queued", "submitted", "started")
TIMES: Mapping[str, str] = {name: name if name in _STAGES else "ended" for name in DETAILS}
"""Which of a job's times tells when an event happened, where that is known."""
_REACHED = {
    JobStatus.QUEUED: 1,
    JobStatus.SUBMITTED: 2,
    JobStatus.RUNNING: 3,
    JobStatus.KILLING: 3,
    JobStatus.FINISHED: 4,
    JobStatus.FAILED: 4,
    JobStatus.KILLED: 4,
}
_ENDS = {
    JobStatus.FINISHED: "finished",
    JobStatus.FAILED: "failed",
    JobStatus.KILLED: "killed",
}


def job_event(
    event: str, at: float, index: int, name: str | None, attempt: int, details: Mapping[str, Any]
) -> dict[str, Any]:
    """Return an event of `--json`; never commands, environments or secrets."""
    head = {"event": event, "at": round(at, 3), "index": index, "name": name, "attempt": attempt}
    return head | dict(details)


class JobEvents:
    """Turns records of a run's journal into events, each told once.

    A record tells where a job stood when it was written: what came before is filled in.
    """

    def __init__(self) -> None:
        self._names: dict[int, str | None] = {}
        self._told: dict[int, tuple[int, int]] = {}
        """Of each job the attempt, and how many of its stages, that were told last."""

    def take(self, records: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        """Yield the events that the next records of the journal tell of."""
        for record in records:
            if "job" in record:
                self._names[record["job"]] = record.get("name")
            elif "state" in record:
                yield from self._events(record)

    def _events(self, record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        index, attempt = record["state"], record.get("attempt", 1)
        status = JobStatus(record["to"])
        reached = _REACHED.get(status, 0)
        told = self._told.get(index, (0, 0))
        if (attempt, reached) <= told:
            return
        self._told[index] = (attempt, reached)
        first = told[1] + 1 if told[0] == attempt else 1
        for stage in range(first, reached + 1):
            name = _STAGES[stage - 1] if stage <= len(_STAGES) else _ENDS[status]
            if name in _STAGES and stage < reached and not _came_to(name, record):
                continue
            at, details = _details(name, record)
            yield job_event(name, at, index, self._names.get(index), attempt, details)


def _came_to(stage: str, record: Mapping[str, Any]) -> bool:
    """Tell whether an attempt that has gone further went through that stage."""
    if stage == "queued" or record["to"] == JobStatus.FINISHED:
        return True
    return record.get(stage) is not None or record.get("started") is not None


def _details(event: str, record: Mapping[str, Any]) -> tuple[float, dict[str, Any]]:
    """When it happened, and what else is told of it."""
    details = {name: record.get(name) for name in DETAILS[event]}
    if "failure" in details:
        failure = details["failure"]
        details["failure"] = Failure(failure).value if failure else None
        details["reason"] = details["reason"] or None
    if "will_retry" in details:
        details["will_retry"] = bool(details["will_retry"])
    at = record.get(TIMES[event])
    return (record["at"] if at is None else at), details
