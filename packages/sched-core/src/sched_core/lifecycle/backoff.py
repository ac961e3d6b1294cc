"""How long an engine that refuses is left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import EngineUnavailable

if TYPE_CHECKING:
    from .session import Session

__all__ = ["BackOff"]

_FIRST_DELAY = 1.0
_LONGEST_DELAY = 60.0


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
        longest = min(_LONGEST_DELAY, _FIRST_DELAY * 2**self._refusals)
        self._refusals += 1
        delay = error.retry_after or longest * session.ports.random.uniform(0.5, 1.0)
        self.submissions_until = session.ports.monotonic() + delay
        self.refused(error)
        session.warn(f"{session.scheduler.name} takes no jobs now, trying again: {error}")

    def took_jobs(self) -> None:
        """Begin anew with short delays."""
        self._refusals = 0
