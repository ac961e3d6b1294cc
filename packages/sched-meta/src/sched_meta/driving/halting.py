"""What a driver does where failures stop its run: at once, or once what runs has ended (`--halt`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sched_core import Job, JobStatus, Runner

from ..wording import count_jobs
from .display import running_jobs
from .limits import FailureCount, TooManyFailures

if TYPE_CHECKING:
    from sched_core import Scheduler

__all__ = ["Halting"]


class Halting:
    """Looks at each job that has ended."""

    def __init__(
        self,
        runner: Runner,
        scheduler: Scheduler,
        failures: FailureCount | None,
        say: Callable[[str], None],
    ) -> None:
        """Stop the run at so many failures."""
        self._runner = runner
        self._scheduler = scheduler
        self._failures = failures
        self._say = say
        self._soon = scheduler.halt == "soon"
        self._told = False

    def took_back(self, job: Job) -> bool:
        """Tell whether the job was killed before it began: a resumed run goes on with it."""
        never_began = job.status is JobStatus.KILLED and job.started is None
        return never_began and self._scheduler.session.goes_on(job)

    def ended(self, job: Job) -> None:
        """Count a job that has ended. Raises TooManyFailures where the run is to stop now."""
        if self._failures is not None:
            self._count(self._failures, job)
        if self._soon and self._scheduler.session.closing and not self._told:
            self._told = True
            self._tell()

    def _count(self, failures: FailureCount, job: Job) -> None:
        try:
            failures.ended(job)
        except TooManyFailures as error:
            if not self._soon:
                raise
            self._runner.drain(error)

    def _tell(self) -> None:
        if running := running_jobs(self._scheduler):
            self._say(
                f"nothing more is started; what runs ends by itself: {count_jobs(len(running))}"
            )
