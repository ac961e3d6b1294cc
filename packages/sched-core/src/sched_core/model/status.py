"""The states of a job and the moves between them."""

from __future__ import annotations

from enum import IntEnum

from ..errors import IllegalTransition

__all__ = ["MOVES", "JobStatus", "steps_between"]


class JobStatus(IntEnum):
    """Where a job stands. The numbers are those of `job.status` and never change."""

    INIT = 0
    """It was made; nobody has asked for it to run yet."""
    QUEUED = 2
    """It waits to be submitted."""
    SUBMITTED = 3
    """The engine has it, or may have it; it has not started."""
    RUNNING = 4
    """There is evidence that its command was started."""
    KILLING = 5
    """It is being ended."""
    FINISHED = 6
    """Its command returned 0, as its own record says, and no plugin objected."""
    FAILED = 7
    """It did not; `Job.failure` is the class, `Job.reason` the words."""
    KILLED = 8
    """Somebody asked for its end."""

    @property
    def final(self) -> bool:
        """Whether the job has ended (a retry or a resume may still begin another attempt)."""
        return self >= JobStatus.FINISHED

    @property
    def active(self) -> bool:
        """Whether the engine may hold or run the job now."""
        return JobStatus.SUBMITTED <= self <= JobStatus.KILLING


_S = JobStatus

MOVES: dict[JobStatus, frozenset[JobStatus]] = {
    _S.INIT: frozenset({_S.QUEUED, _S.KILLED}),
    _S.QUEUED: frozenset({_S.SUBMITTED, _S.FAILED, _S.KILLED}),
    # back to QUEUED: the driver took the submission back before the engine could start it
    _S.SUBMITTED: frozenset({_S.RUNNING, _S.QUEUED, _S.FAILED, _S.KILLING}),
    # back to SUBMITTED: the engine requeued the job
    _S.RUNNING: frozenset({_S.FINISHED, _S.FAILED, _S.KILLING, _S.SUBMITTED}),
    _S.KILLING: frozenset({_S.KILLED, _S.FINISHED, _S.FAILED}),
    _S.FINISHED: frozenset(),
    _S.FAILED: frozenset({_S.QUEUED}),
    _S.KILLED: frozenset({_S.QUEUED}),
}

# What a poll has skipped is filled in, so that hooks fire in order.
_SKIPPED: dict[tuple[JobStatus, JobStatus], tuple[JobStatus, ...]] = {
    (_S.INIT, _S.SUBMITTED): (_S.QUEUED,),
    (_S.INIT, _S.RUNNING): (_S.QUEUED, _S.SUBMITTED),
    (_S.INIT, _S.FAILED): (_S.QUEUED,),
    (_S.INIT, _S.FINISHED): (_S.QUEUED, _S.SUBMITTED, _S.RUNNING),
    (_S.QUEUED, _S.RUNNING): (_S.SUBMITTED,),
    (_S.QUEUED, _S.FINISHED): (_S.SUBMITTED, _S.RUNNING),
    (_S.SUBMITTED, _S.FINISHED): (_S.RUNNING,),
    (_S.SUBMITTED, _S.KILLED): (_S.KILLING,),
    (_S.RUNNING, _S.KILLED): (_S.KILLING,),
}


def steps_between(old: JobStatus, new: JobStatus) -> tuple[JobStatus, ...]:
    """Name the states to pass through from `old` to `new`, `new` included.

    Raises IllegalTransition where the table has no way.
    """
    if new in MOVES[old]:
        return (new,)
    if skipped := _SKIPPED.get((old, new)):
        return (*skipped, new)
    raise IllegalTransition(f"a job that is {old.name} cannot become {new.name}")
