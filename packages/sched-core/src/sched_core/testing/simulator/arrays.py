"""A scheduler whose simulated engine keeps to `forks` itself."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, ClassVar

from ...model.job import Job
from ...runfolder.submissions import Submission
from .chance import Chance
from .engine import SimulatedEngine
from .scheduler import SimulatedScheduler

__all__ = ["SimulatedArrayScheduler"]


class SimulatedArrayScheduler(SimulatedScheduler):
    """Keeps more jobs in the engine's queue than `forks`: the arrays' own limits hold them back.

    The limits of all arrays that may still run sum to at most `forks`.
    """

    throttles: ClassVar[bool] = True
    ends_jobs: ClassVar[bool] = True
    queue_ahead: int = 8

    def __init__(
        self,
        workdir: str | os.PathLike[str],
        *,
        engine: SimulatedEngine,
        chance: Chance,
        **options: Any,
    ) -> None:
        super().__init__(workdir, engine=engine, chance=chance, **options)
        self._limits: dict[str, int] = {}

    def room(self, room: int) -> int:
        """Take nothing while other arrays may fill all `forks`, or while one is on its way."""
        active = self.session.active.values()
        if any(a.submission is None for a in active):
            return 0
        return room if self._spare() > 0 else 0

    def _spare(self) -> int:
        """Return how many more jobs may run at once than the engine has leave to start."""
        return self.forks - sum(min(n, self._limits.get(s, n)) for s, n in self._open().items())

    def _open(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for active in self.session.active.values():
            if active.submission is not None:
                name = active.submission.name
                counts[name] = counts.get(name, 0) + 1
        return counts

    def _limit(self, jobs: Sequence[Job], submission: Submission) -> int:
        self._limits[submission.name] = 0
        self._limits[submission.name] = spare = max(1, self._spare())
        return spare
