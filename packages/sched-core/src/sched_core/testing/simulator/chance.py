"""Whether something goes wrong: drawn from a seed, or chosen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from random import Random

from .faults import Fault

__all__ = ["Chance"]

_RARE = {
    Fault.PREEMPTED: 3.0,
    Fault.PREEMPTED_BY_TERM: 3.0,
    Fault.NODE_FAIL: 3.0,
    Fault.REQUEUED: 2.0,
    Fault.REQUEUED_BY_TERM: 2.0,
    Fault.REQUEUED_LATE: 2.0,
    Fault.LAUNCH_HELD: 4.0,
    Fault.OUT_OF_MEMORY: 3.0,
    Fault.OUT_OF_TIME: 3.0,
    Fault.FULL_DISK: 2.0,
    Fault.READ_ONLY_DISK: 4.0,
    Fault.SUBMIT_REJECTED: 5.0,
    Fault.OUTAGE: 10.0,
    Fault.RATE_LIMITED: 4.0,
    Fault.QUOTA: 2.0,
    Fault.JOB_KILLED: 0.5,
    Fault.KILL_LOST: 0.2,
    Fault.KILL_REFUSED: 0.3,
    Fault.KILL_FORGOTTEN: 0.3,
    Fault.KILL_IGNORED: 0.1,
    Fault.SLOW_DISK: 100.0,
    Fault.DRIVER_DISK_FULL: 80.0,
    Fault.STORE_AWAY: 150.0,
    Fault.STALE_MOUNT: 100.0,
    Fault.CLOCK_JUMPS: 30.0,
    Fault.HOOK_RAISES: 6.0,
    Fault.LISTING_LAGS: 2.0,
    Fault.EMPTY_FILE: 3.0,
    Fault.GHOST_FILE: 3.0,
    Fault.NODE_CLOCK_JUMPS: 4.0,
    Fault.RUN_CANCELLED: 0.3,
    Fault.DRIVERS_RACE: 0.3,
    Fault.SECOND_DRIVER: 0.3,
}
"""By how much rarer than others they are drawn: they would leave no room for these, or hide them."""


class Chance:
    """Draws faults and numbers, the same for the same seed; counts the faults that took effect.

    Each kind of fault has dice of its own, so that one that is switched off changes no other.
    """

    def __init__(
        self,
        seed: int,
        faults: Collection[Fault] = (),
        rate: float = 0.05,
        at: Mapping[Fault, int] | None = None,
    ) -> None:
        """Let each of the faults strike with about this probability at each opportunity; those of
        `at` instead once, at the opportunity of that number, counted from 1.
        """
        self._seed = seed
        self._faults = frozenset(faults)
        self._rate = rate
        self._left = dict(at or {})
        self._dice: dict[str, Random] = {}
        self.calm = False
        """Whether nothing goes wrong any more."""
        self.counts: Counter[Fault] = Counter()
        self.on_strike: Callable[[Fault], None] = _nothing

    def dice(self, name: str) -> Random:
        """Return the source of chance of that name."""
        found = self._dice.get(name)
        if found is None:
            found = self._dice[name] = Random(f"{self._seed}/{name}")
        return found

    def strikes(self, fault: Fault) -> bool:
        """Tell whether the fault strikes now, and count it."""
        if self.calm or not self._is_drawn(fault):
            return False
        self.count(fault)
        return True

    def _is_drawn(self, fault: Fault) -> bool:
        if fault in self._left:
            self._left[fault] -= 1
            return self._left[fault] == 0
        if fault not in self._faults:
            return False
        return self.dice(fault).random() < self._rate / _RARE.get(fault, 1.0)

    def count(self, fault: Fault) -> None:
        """Count a fault that has struck."""
        self.counts[fault] += 1
        self.on_strike(fault)

    def between(self, name: str, low: float, high: float) -> float:
        """Draw a number."""
        return self.dice(f"{name}/between").uniform(low, high)


def _nothing(fault: Fault) -> None:
    """Nobody wants to know."""
