"""Starts and good ends that nobody is to be told of: taken in on the spot.

Where no plugin listens and nothing is overridden, a start or an end awaits nothing. To hand it to
the loop would cost a short job more than the move itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..model.job import Job
from ..model.status import JobStatus
from ..runfolder.submissions import AttemptId
from ..scheduler.observation import EngineState, Observation

if TYPE_CHECKING:
    from .active import Active
    from .session import Session

__all__ = ["Shortcut"]


class Shortcut:
    """Does what `Evidence.observe` would do, for the two most frequent cases."""

    def __init__(self, session: Session) -> None:
        """Find out whether the session's scheduler and plugins leave room for it."""
        from ..scheduler import Scheduler

        cls = type(session.scheduler)
        self._session = session
        self._usable = (
            not session.hooks.any_for_jobs()
            and cls.transition_job_status is Scheduler.transition_job_status
            and cls.shared_disk
            and session.mirror is None
            and not cls.restarts()
        )

    def take(self, attempt: AttemptId, seen: Observation) -> bool:
        """Take an observation in; False where it is for the loop, in the order in which it came."""
        session = self._session
        if not self._usable or session.inbox or session.transitions.is_moving(attempt.job_index):
            return False
        active = session.active.get(attempt.job_index)
        if active is None or active.attempt != attempt.attempt or active.concluded:
            return False
        if seen.state is EngineState.RUNNING and active.job.status is JobStatus.SUBMITTED:
            self._started(active, seen)
            return True
        if _finished(seen) and active.job.status is JobStatus.RUNNING:
            self._finished(active, seen)
            return True
        return False

    def _started(self, active: Active, seen: Observation) -> None:
        session, job = self._session, active.job
        session.evidence.note(active, seen)
        job.started = seen.started or session.ports.now()
        session.transitions.arrive(job, JobStatus.RUNNING)

    def _finished(self, active: Active, seen: Observation) -> None:
        session = self._session
        job: Job = active.job
        session.evidence.note(active, seen)
        active.recorded = active.concluded = True
        job.rc = 0
        job.started = seen.started or job.started
        job.ended = seen.ended or session.ports.now()
        job.cpu, job.max_rss = seen.cpu, seen.max_rss
        session.transitions.arrive(job, JobStatus.FINISHED)
        session.let_go(job)
        session.ended(job)


def _finished(seen: Observation) -> bool:
    return seen.state is EngineState.RECORDED and seen.rc == 0 and seen.failure is None
