"""How many jobs the engine may be given now."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .session import Session

__all__ = ["free_places", "full_batch", "room_for_jobs"]


def full_batch(session: Session) -> int:
    """Return how many jobs one submission can hold."""
    scheduler = session.scheduler
    return scheduler.max_batch if scheduler.submits_in_bulk() else 1


def room_for_jobs(session: Session, submitting: int) -> int:
    """Return how many more jobs the engine may be given, with so many submissions on their way."""
    room = free_places(session, submitting)
    return session.scheduler.room(room) if room > 0 else 0


def free_places(session: Session, submitting: int) -> int:
    """Return for how many more jobs there is room by `forks`, and in the engine's queue."""
    scheduler = session.scheduler
    active = len(session.active)
    # A queue that goes on by itself would start more before a failure that halts is seen here.
    queues = scheduler.throttles and scheduler.error_strategy != "halt"
    if not (queues and scheduler.submits_in_bulk()):
        return scheduler.forks - active
    if submitting and not scheduler.batch_delay:
        return 0  # one after the other, where that takes no time: jobs start in order
    if active < scheduler.forks and not scheduler.batch_delay:
        return scheduler.forks - active  # which do not wait for the files of the rest
    room = scheduler.forks + scheduler.queue_ahead - active
    # Refilled by the half, so that a submission is worth its record.
    return room if room * 2 > scheduler.queue_ahead or active < scheduler.forks else 0
