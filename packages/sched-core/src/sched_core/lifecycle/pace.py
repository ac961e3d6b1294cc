"""How often a driver looks at what rarely changes."""

from __future__ import annotations

from typing import Self

from ..ports import Files

__all__ = ["Pace"]

_LONGEST = 5.0
_GROWTH = 1.5


class Pace:
    """The time between two looks: it grows while they find nothing."""

    def __init__(self, shortest: float, longest: float) -> None:
        """Look as often as every `shortest` seconds, and every `longest` seconds at least."""
        self._shortest, self._longest = shortest, longest
        self.seconds = shortest

    @classmethod
    def in_store(cls, files: Files, wanted: float, rarer: int = 1) -> Self:
        """Look as often as is wanted, or as the store's interval, taken `rarer` times, demands: where a
        look costs nothing, the time does not grow.
        """
        shortest = max(wanted, files.interval * rarer)
        return cls(shortest, max(shortest, _LONGEST) if files.interval else shortest)

    def note(self, *, found: bool) -> None:
        """Take in whether the last look was of any use, or whether somebody waits for the next."""
        self.seconds = self._shortest if found else min(self.seconds * _GROWTH, self._longest)
