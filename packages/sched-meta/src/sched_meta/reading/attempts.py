"""Every attempt of every job, as the journal tells of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sched_core.model.failure import Failure
from sched_core.model.status import JobStatus

__all__ = ["Attempt", "attempts_of"]

_TOLD = (
    "rc failure reason host jid queued submitted started ended cpu max_rss raised interrupted will_retry"
).split()
_TIMES = {JobStatus.QUEUED: "queued", JobStatus.SUBMITTED: "submitted"}


@dataclass(slots=True)
class Attempt:
    """One attempt of a job. Times are seconds since 1970; None is what nobody told."""

    index: int
    number: int
    resources: Mapping[str, Any] | None = None
    """What it asked for, where that is not the scheduler's default."""
    timeout: float | None = None
    status: JobStatus = JobStatus.INIT
    rc: int | None = None
    failure: Failure | None = None
    reason: str = ""
    host: str | None = None
    jid: str | None = None
    queued: float | None = None
    submitted: float | None = None
    started: float | None = None
    ended: float | None = None
    cpu: float | None = None
    max_rss: int | None = None
    raised: dict[str, float] | None = None
    """What it got more of than was asked for at first."""
    interrupted: bool = False
    will_retry: bool = False

    @property
    def attempt(self) -> int:
        """Its number, by the name that jobs have for it."""
        return self.number

    @property
    def wall(self) -> float | None:
        """Seconds from start to end, once it has ended."""
        if self.started is None or self.ended is None:
            return None
        return max(0.0, self.ended - self.started)

    @property
    def waited(self) -> float | None:
        """Seconds from when it could have been started until it was."""
        if self.queued is None or self.started is None:
            return None
        return max(0.0, self.started - self.queued)

    def take(self, entry: Mapping[str, Any]) -> None:
        """Go to the state that an entry of the journal tells of."""
        self.status = JobStatus(entry["to"])
        if self.status in _TIMES:
            setattr(self, _TIMES[self.status], entry.get("at"))
        for name in _TOLD:
            if name in entry:
                setattr(self, name, entry[name])
        self.failure = Failure(self.failure) if self.failure else None


@dataclass(slots=True)
class _Wish:
    generation: int
    resources: Mapping[str, Any] | None
    timeout: float | None


def attempts_of(entries: Iterable[Mapping[str, Any]]) -> dict[int, list[Attempt]]:
    """Return the attempts of each job, the first one first; a job that was never queued has none.

    Only those of a job's last generation: before that, another job had the index.
    """
    found: dict[int, dict[int, Attempt]] = {}
    wishes: dict[int, _Wish] = {}
    generation = 1
    for entry in entries:
        if "state" in entry:
            _attempt(found, wishes, entry).take(entry)
        elif "job" in entry:
            index = entry["job"]
            if index in wishes and wishes[index].generation != generation:
                found.pop(index, None)
            wishes[index] = _Wish(generation, entry.get("resources"), entry.get("timeout"))
        elif "generation" in entry:
            generation = entry["generation"]
    return {index: [of[number] for number in sorted(of)] for index, of in sorted(found.items())}


def _attempt(
    found: dict[int, dict[int, Attempt]], wishes: Mapping[int, _Wish], entry: Mapping[str, Any]
) -> Attempt:
    index, number = entry["state"], int(entry.get("attempt", 1))
    of_job = found.setdefault(index, {})
    if number not in of_job:
        of_job[number] = Attempt(index, number)
    attempt, wish = of_job[number], wishes.get(index)
    if wish and attempt.started is None:
        # What a retry asks for anew is noted before it starts.
        attempt.resources = entry.get("resources", wish.resources)
        attempt.timeout = entry.get("timeout", wish.timeout)
    return attempt
