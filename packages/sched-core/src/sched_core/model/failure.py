"""Why a job did not finish."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Failure"]


class Failure(StrEnum):
    """The class of a failure: what decides whether, and on whose account, a job is retried."""

    EXIT = "EXIT"
    """The command ended with a return code other than 0."""
    TIMEOUT = "TIMEOUT"
    """The command ran longer than it was allowed to."""
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    """The engine or the kernel ended the command for its use of memory."""
    CANCELLED = "CANCELLED"
    """Somebody asked for the job to be killed."""
    OUTPUT = "OUTPUT"
    """The command returned 0, and `on_job_verify` said why it failed all the same."""
    SETUP = "SETUP"
    """The command was not reached: its folder, prescript or records could not be set up."""
    PREEMPTED = "PREEMPTED"
    """The engine took the place away for another job."""
    NODE_FAIL = "NODE_FAIL"
    """The node died with the job."""
    REJECTED = "REJECTED"
    """The engine refuses the job as it is."""
    UNAVAILABLE = "UNAVAILABLE"
    """The engine or the host cannot be asked."""
    LOST = "LOST"
    """The job is gone and left no record."""

    @property
    def retriable(self) -> bool:
        """Whether another attempt can do better."""
        return self not in (Failure.REJECTED, Failure.CANCELLED)

    @property
    def infrastructure(self) -> bool:
        """Whether the job is not to blame: such retries are not charged to `num_retries`."""
        return self in _INFRASTRUCTURE


_INFRASTRUCTURE = frozenset(
    {Failure.PREEMPTED, Failure.NODE_FAIL, Failure.UNAVAILABLE, Failure.LOST}
)
