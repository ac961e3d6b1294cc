"""How often a driver looks at what rarely changes."""

from __future__ import annotations

from ..ports import Files

__all__ = ["Pace"]

_LONGEST = 5.0
_GROWTH = 1.5


class Pace:
    """The time between two looks: it grows while they find nothing, where a look costs something."""

    def __init__(self, files: Files, wanted: float, rarer: int = 1) -> None:
        """Look as often as is wanted, or as the store's interval, taken `rarer` times, demands."""
        self._shortest = max(wanted, files.interval * rarer)
        self._longest = max(self._shortest, _LONGEST) if files.interval else self._shortest
        self.seconds = self._shortest

    def note(self, *, found: bool) -> None:
        """Take in whether the last look was of any use, or whether somebody waits for the next."""
        self.seconds = self._shortest if found else min(self.seconds * _GROWTH, self._longest)
