"""The jobs of a run as its journal tells of them: what a new driver or an onlooker starts from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from ..errors import RunCorrupt
from ..model.failure import Failure
from ..model.status import JobStatus
from .records import MALFORMED

__all__ = [
    "JOB_STATE",
    "SPARSE_STATE",
    "JobRecord",
    "Replay",
    "check_numbers",
    "job_entry",
    "replay",
    "state_entry",
]


@dataclass(slots=True)
class JobRecord:
    """One job: what it is to run, and how far it got."""

    index: int
    cmd: list[str]
    name: str | None = None
    envs: dict[str, str] | None = None
    secrets: dict[str, str] | None = None
    """Names of the files that hold the values of further variables, by these."""
    resources: dict[str, Any] | None = None
    timeout: float | None = None
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    container: dict[str, Any] | None = None
    generation: int = 1
    status: JobStatus = JobStatus.INIT
    attempt: int = 1
    trial_count: int = 0
    infrastructure_retries: int = 0
    will_retry: bool = False
    """The attempt failed and another follows, which is not recorded yet."""
    restart: int = 0
    rc: int | None = None
    failure: Failure | None = None
    reason: str = ""
    jid: str | None = None
    sid: str | None = None
    host: str | None = None
    queued: float | None = None
    """When the attempt began to wait, in seconds since 1970."""
    submitted: float | None = None
    """When its submission was recorded, just before the engine was called."""
    started: float | None = None
    ended: float | None = None
    cpu: float | None = None
    """Seconds that processors have spent on the attempt; None where nobody told."""
    max_rss: int | None = None
    """The most memory that the attempt had, in bytes; None where nobody told."""
    raised: dict[str, float] | None = None
    """What was raised after attempts that had too little of it, as in `Job.raised`."""
    interrupted: bool = False
    """Ended with the run: killed because the run was, not because somebody wanted this job gone, or not
    tried again once it had failed.
    """

    @property
    def is_done(self) -> bool:
        """Whether nothing follows any more, unless somebody asks for it."""
        return self.status.final and not self.interrupted and not self.will_retry


_SPEC = ("cmd", "name", "envs", "secrets", "resources", "timeout", "inputs", "outputs", "container")
SPARSE_STATE = ("queued", "submitted", "cpu", "max_rss", "raised")
"""What is kept of a job that moves as well, where there is something to keep."""
_NO_STATE = (*_SPEC, *SPARSE_STATE, "index", "generation", "status")
_STATE = tuple(f.name for f in fields(JobRecord) if f.name not in _NO_STATE)
JOB_STATE = tuple(name for name in _STATE if name not in ("sid", "interrupted"))
"""What is kept of a job that moves, by the names of its attributes."""


def job_entry(index: int, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return the journal's entry for a job that was fed; what is empty is left out."""
    return {"job": index} | {key: spec[key] for key in _SPEC if spec.get(key)}


def state_entry(
    index: int, status: JobStatus, at: float, state: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the journal's entry for a job that moved; `state` is of the fields of JobRecord."""
    return {"state": index, "to": int(status), "at": at, **state}


class Replay:
    """The jobs of a run, as far as its records were taken."""

    def __init__(self) -> None:
        self.jobs: dict[int, JobRecord] = {}
        """By index; a record that tells of a job changes its JobRecord."""
        self._generation = 1

    def take(self, entries: Iterable[Mapping[str, Any]]) -> set[int]:
        """Take the next records; return the indexes of the jobs that they tell of.

        Raises RunCorrupt for records that make no sense.
        """
        changed: set[int] = set()
        for entry in entries:
            try:
                changed.update(self._take(entry))
            except MALFORMED as error:
                raise RunCorrupt(f"the journal cannot be read: {error!r} in {entry}") from None
        return changed

    def _take(self, entry: Mapping[str, Any]) -> tuple[int, ...]:
        if "state" in entry:
            index = entry["state"]
            _apply_state(self.jobs[index], entry)
            return (index,)
        if "job" in entry:
            index = entry["job"]
            check_numbers(index)
            self.jobs[index] = _apply_job(self.jobs.get(index), index, self._generation, entry)
            return (index,)
        self._generation = entry.get("generation", self._generation)
        return ()


def replay(entries: Iterable[Mapping[str, Any]]) -> dict[int, JobRecord]:
    """Return the jobs by index. Raises RunCorrupt for entries that make no sense."""
    replay = Replay()
    replay.take(entries)
    return replay.jobs


def _apply_job(
    old: JobRecord | None, index: int, generation: int, entry: Mapping[str, Any]
) -> JobRecord:
    spec = {key: entry[key] for key in _SPEC if key in entry}
    job = JobRecord(index, spec.pop("cmd", []), **spec, generation=generation)
    if old is not None and old.generation != generation:
        # The files of earlier attempts are there: numbers are never used twice.
        job.attempt = old.attempt + 1
    elif old is not None:
        # The same job, told once more: what it needs has changed. What became of it has not.
        for key in ("status", *_STATE, *SPARSE_STATE):
            setattr(job, key, getattr(old, key))
    return job


def _apply_state(job: JobRecord, entry: Mapping[str, Any]) -> None:
    job.status = JobStatus(entry["to"])
    job.interrupted = False
    for key in _STATE:
        if key in entry:
            setattr(job, key, entry[key])
    check_numbers(job.attempt, job.restart)
    if job.failure is not None:
        job.failure = Failure(job.failure)
    for key in SPARSE_STATE:
        setattr(job, key, entry.get(key))


def check_numbers(*numbers: int) -> None:
    """See that what names files is a number: anything else could name a file elsewhere.

    Raises ValueError.
    """
    for number in numbers:
        if type(number) is not int or number < 0:
            raise ValueError(f"{number!r} is no number of a job or an attempt")
