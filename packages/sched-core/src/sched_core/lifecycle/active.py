"""Attempts that are on their way to the engine, or in it, and the submissions that they are in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..model.job import Job
from ..runfolder.submissions import AttemptId, Submission

__all__ = ["Active", "OpenSubmissions"]


@dataclass(slots=True)
class Active:
    """An attempt that is on its way to the engine, or in it."""

    job: Job
    attempt: int
    seen: float
    """When there was last a sign of life, on the monotonic clock."""
    submission: Submission | None = None
    accepted: bool = False
    """The engine is known to have taken it."""
    concluded: bool = False
    """How it ended is known: what is seen later, or at the same time, changes nothing."""
    recorded: bool = False
    """The wrapper's own record tells how it ended."""
    absent_since: float | None = None
    """Since when the engine does not know it."""
    held: bool = False
    """There is a record of an end by a signal, and the engine has not said yet what it was about."""
    told: float | None = None
    """When the engine was last told to end it, on the monotonic clock."""
    engine_ended: float | None = None
    """Since when the engine says that it has ended, while there is no record."""

    @property
    def id(self) -> AttemptId:
        """What tells the attempt from every other one of the run."""
        return AttemptId(self.job.index, self.attempt)


class OpenSubmissions:
    """Which submissions have attempts that have not ended: their records are kept as long."""

    def __init__(self) -> None:
        self._left: dict[str, int] = {}
        self._settled: list[Submission] = []

    @property
    def left(self) -> Mapping[str, int]:
        """How many attempts of each submission have not ended, by its sid."""
        return self._left

    def bind(self, active: Active, submission: Submission) -> None:
        """Keep the record of a submission until this attempt, as well, has ended."""
        active.submission = submission
        self._left[submission.sid] = self._left.get(submission.sid, 0) + 1

    def let_go(self, active: Active) -> None:
        """Keep the record of the attempt's submission for the others alone."""
        if active.submission is None:
            return
        sid = active.submission.sid
        left = self._left.pop(sid, 1) - 1
        if left:
            self._left[sid] = left
        else:
            self._settled.append(active.submission)

    def take_settled(self) -> list[Submission]:
        """Hand out, once, the submissions of which no attempt is left."""
        settled, self._settled = self._settled, []
        return settled

    def put_back(self, settled: list[Submission]) -> None:
        """Have them handed out again: their records could not be removed."""
        self._settled += settled
