"""From the queue to submissions: which batches leave now, and when the next one may."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..lifecycle.room import full_batch, room_for_jobs
from ..model.job import Job

if TYPE_CHECKING:
    from ..lifecycle.session import Session
    from .tasks import Tasks

__all__ = ["Pump"]

_SHORTEST = 0.001


class Pump:
    """Sends off batches of jobs, each in a task of its own."""

    def __init__(self, session: Session, tasks: Tasks) -> None:
        """Send off what waits in that session."""
        self._session, self._tasks = session, tasks
        self._pumped = 0.0
        self._held = 0
        self.submitting = 0
        """How many submissions are on their way to the engine."""

    def hold(self) -> None:
        """Submit nothing until `release`."""
        self._held += 1

    def release(self) -> None:
        """Undo one `hold`."""
        self._held -= 1
        self._session.wake()

    def send(self) -> None:
        """Send off the batches that may leave."""
        session = self._session
        now = self._pumped = session.ports.monotonic()
        session.waiting.due(now)
        if session.closing or self._held or now < session.backoff.submissions_until:
            return
        scheduler = session.scheduler
        full = full_batch(session)
        patient = session.feeding and full > 1
        leaves_before = now - scheduler.batch_delay if patient else math.inf
        while self.submitting < scheduler.submission_batch:
            room = room_for_jobs(session, self.submitting)
            batch = session.waiting.take(room, full, leaves_before) if room > 0 else []
            if not batch:
                break
            session.submitter.reserve(batch)
            self.submitting += 1
            self._tasks.spawn(self._submit, batch)

    async def _submit(self, batch: list[Job]) -> None:
        try:
            await self._session.submitter.submit(batch)
        finally:
            self.submitting -= 1
            self._session.wake()
            self._session.notify()

    def until_next(self) -> float | None:
        """Return in how many seconds a batch may leave that could not at the last `send`, if ever."""
        session = self._session
        moments = []
        if not session.closing and not self._held:
            later = session.waiting.next_moment()
            oldest = session.waiting.oldest()
            if later is not None:
                moments.append(later)
            delay = session.scheduler.batch_delay
            # Computed as in `send`: rounding must not lose a wake-up.
            may_submit = self.submitting < session.scheduler.submission_batch
            if oldest is not None and may_submit and oldest > self._pumped - delay:
                moments.append(self._pumped + max(oldest + delay - self._pumped, _SHORTEST))
            if oldest is not None:
                moments.append(session.backoff.submissions_until)
        now = session.ports.monotonic()
        # Nor may what has become due since then.
        coming = [max(moment - now, _SHORTEST) for moment in moments if moment > self._pumped]
        return min(coming) if coming else None
