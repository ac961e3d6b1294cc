"""How long an engine that refuses is left alone."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from ..errors import EngineUnavailable

if TYPE_CHECKING:
    from .session import Session

__all__ = ["BackOff", "delay_after"]

_FIRST_DELAY = 1.0
_LONGEST_DELAY = 60.0
_MOST_DOUBLINGS = 6


def delay_after(failures: int, random: Random) -> float:
    """Return for how many seconds to wait after so many failures in a row: twice as long each time, up
    to a minute, and for as long as chance will have it, so that not all who failed come back at once.
    """
    longest = _FIRST_DELAY * 2.0 ** min(failures - 1, _MOST_DOUBLINGS)
    return min(_LONGEST_DELAY, longest) * random.uniform(0.5, 1.0)


class BackOff:
    """Until when an engine is asked nothing, and given nothing; on the monotonic clock."""

    def __init__(self, session: Session) -> None:
        """Leave alone the engine of that session."""
        self._session = session
        self._refusals = 0
        self.questions_until = 0.0
        self.submissions_until = 0.0

    def refused(self, error: EngineUnavailable) -> None:
        """Leave the engine alone until it wants to be called again, where it has named that moment."""
        until = self._session.ports.monotonic() + (error.retry_after or 0.0)
        self.questions_until = max(self.questions_until, until)
        self.submissions_until = max(self.submissions_until, until)

    def refused_jobs(self, error: EngineUnavailable) -> None:
        """Submit nothing for a while, the longer the more often jobs were refused in a row."""
        session = self._session
        self._refusals += 1
        delay = error.retry_after or delay_after(self._refusals, session.ports.random)
        self.submissions_until = session.ports.monotonic() + delay
        self.refused(error)
        if not session.closing:
            session.warn(f"{session.scheduler.name} takes no jobs now, trying again: {error}")

    def took_jobs(self) -> None:
        """Begin anew with short delays."""
        self._refusals = 0
