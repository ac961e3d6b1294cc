"""What a backend sees of jobs, and of what they left."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ..model.failure import Failure
from ..text.claim import Claim

__all__ = ["EngineState", "Observation", "Remains", "observation_of"]


class EngineState(Enum):
    """Where an engine says a job is, or the job's own record that it ended."""

    WAITING = "waiting"
    """The engine has the job and has not started it."""
    RUNNING = "running"
    """The job has started."""
    SUCCEEDED = "succeeded"
    """The engine says so; only the job's own record proves it."""
    FAILED = "failed"
    """The engine says so, and that is proof."""
    FORGOTTEN = "forgotten"
    """The engine will certainly not start the job any more: it is submitted again if it never did."""
    RECORDED = "recorded"
    """The wrapper's own record, or its exit status seen by its parent: the command's rc."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One look at one attempt. What the backend does not know stays None."""

    state: EngineState
    rc: int | None = None
    failure: Failure | None = None
    reason: str = ""
    jid: str | None = None
    host: str | None = None
    restart: int = 0
    signal: str | None = None
    """The signal that reached the wrapper before the command ended: somebody else's wish."""
    started: float | None = None
    """Seconds since 1970."""
    ended: float | None = None
    """Seconds since 1970."""
    cpu: float | None = None
    """Seconds that processors have spent on the attempt."""
    max_rss: int | None = None
    """The most memory that the attempt had, in bytes."""
    position: int | None = None
    """Which of the attempt's claims tells so: 0, or n for the engine's n-th further start."""
    never_began: bool = False
    """The engine has not started it and never will: there is no record to look for."""


def observation_of(claim: Claim) -> Observation:
    """Return what a claim tells about its attempt: that it runs, or how it ended."""
    return Observation(
        EngineState.RUNNING if claim.rc is None else EngineState.RECORDED,
        rc=claim.rc,
        failure=None if claim.failure is None else Failure(claim.failure),
        jid=claim.jid or None,
        host=claim.host or None,
        restart=claim.restart,
        signal=claim.signal,
        started=claim.claimed,
        ended=claim.ended,
        cpu=claim.cpu,
        max_rss=claim.max_rss,
        position=claim.position,
    )


@dataclass(frozen=True, slots=True)
class Remains:
    """What a run has left on a host, outside of its own folder."""

    host: str
    path: str = ""
    """The folder there; empty where it could not be looked for."""
    size: int = 0
    """Bytes on the disk."""
    problem: str = ""
    """Why it cannot be looked for, or removed, and what to do about it."""

    def __str__(self) -> str:
        return f"{self.host}:{self.path}"
