"""Wall clocks, which people and daemons set, as they do not set the monotonic ones."""

from __future__ import annotations

from collections.abc import Callable

from .chance import Chance
from .faults import Fault

__all__ = ["EPOCH", "WallClock"]

EPOCH = 1_700_000_000.0
"""What a wall clock shows when a simulation begins, unless it is wrong."""

_JUMPS = (0.5, 5.0, 60.0, 3600.0, 86_400.0)


class WallClock:
    """The wall clock of one machine, which the fault sets forward or back."""

    def __init__(self, clock: Callable[[], float], chance: Chance, fault: Fault) -> None:
        """Go as the virtual time does, but for jumps."""
        self._clock = clock
        self._chance = chance
        self._fault = fault
        self._ahead = 0.0

    def __call__(self) -> float:
        """Return seconds since 1970."""
        if self._chance.strikes(self._fault):
            dice = self._chance.dice(f"{self._fault} by")
            self._ahead += dice.choice(_JUMPS) * dice.choice((-1.0, 1.0))
        return EPOCH + self._clock() + self._ahead
