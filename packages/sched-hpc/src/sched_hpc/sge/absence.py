"""Jobs that the queue does not name: since when, and what that may mean. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sched_core import AttemptId, EngineState, Job, Observation, attempt_id

__all__ = ["Absences"]


class Absences:
    """Knows which jobs were not named, and which start of the qmaster has named each job last."""

    def __init__(self) -> None:
        """Know of none."""
        self._since: dict[AttemptId, float] = {}
        self._known_by: dict[AttemptId, int | None] = {}

    def clear(self) -> None:
        """Forget all."""
        self._since.clear()
        self._known_by.clear()

    def known(self, attempts: Iterable[AttemptId], qmaster: int | None) -> None:
        """Note that the qmaster that was started then has these."""
        self._known_by |= dict.fromkeys(attempts, qmaster)

    def keep(self, attempts: Collection[AttemptId]) -> None:
        """Forget who has known any others."""
        self._known_by = {key: by for key, by in self._known_by.items() if key in attempts}

    def note(self, missing: Sequence[Job], now: float) -> list[Job]:
        """Take in which jobs were not named now; return those that were not named before either."""
        again = [job for job in missing if attempt_id(job) in self._since]
        keys = [attempt_id(job) for job in missing]
        self._since = {key: self._since.get(key, now) for key in keys}
        return again

    def seconds(self, job: Job, now: float) -> float:
        """Return for how long the job has not been named."""
        return now - self._since.get(attempt_id(job), now)

    def forgotten(self, jobs: Iterable[Job], qmaster: int | None) -> dict[AttemptId, Observation]:
        """Find what a qmaster that was started since had not saved; it keeps no record of what is
        deleted before it starts, so that only its own end tells one from the other.
        """
        reason = "Grid Engine's qmaster was started again and does not know it"
        lost = Observation(EngineState.FORGOTTEN, reason=reason)
        keys = [attempt_id(job) for job in jobs if job.started is None]
        return {
            key: lost for key in keys if self._known_by.get(key, qmaster) not in (None, qmaster)
        }
