"""How `forks` is shared among the arrays of a run. Pure.

An array never runs more tasks than its limit, nor more than it has left; the sum of these over all
arrays, with one for each job of which the array is not known yet, stays within `forks`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Share", "balance", "has_room", "used", "worth_a_call"]


@dataclass(frozen=True, slots=True)
class Share:
    """One array: its limit, None where it is not known or there is none, and its unended tasks.

    More may be running than its limit allows, when that was lowered: they are not ended for it.
    """

    array: str
    limit: int | None
    left: int
    running: int = 0

    @property
    def aim(self) -> int:
        """How many of its tasks may run at once, once those that are too many have ended."""
        return self.left if self.limit is None else min(self.limit, self.left)

    @property
    def most(self) -> int:
        """How many of its tasks may run at once now."""
        return max(self.aim, min(self.running, self.left))


def used(shares: Sequence[Share]) -> int:
    """Return how many tasks of these arrays may run at once."""
    return sum(share.most for share in shares)


def worth_a_call(forks: int) -> int:
    """Return how many empty places are worth the call of a tool at once: a tenth of them."""
    return max(1, forks // 10)


def has_room(free: int, waiting: int, step: int) -> bool:
    """Tell whether an array is worth its submission: it can have a limit of some size.

    That is `step` places, or one for each of the tasks that wait.
    """
    return free > 0 and (free >= step or waiting <= free)


def balance(forks: int, shares: Sequence[Share], others: int, step: int) -> dict[str, int]:
    """Return the limits to change, so that fewer than `step` places are left empty.

    `shares` are oldest first, `others` are jobs whose array is not known. A limit is never 0:
    engines take that for none.
    """
    spare = forks - others - used(shares)
    wanting = [share for share in shares if share.left > share.most]
    if spare < 0:
        return _cut(shares, -spare, forks - others)
    lacking = sum(share.left - share.most for share in wanting)
    if spare >= step or 0 < lacking <= spare:
        return _raise(wanting, spare)
    return {}


def _raise(wanting: Sequence[Share], spare: int) -> dict[str, int]:
    changes = {}
    for share in wanting:
        more = min(spare, share.left - share.most)
        if more > 0:
            changes[share.array] = share.most + more
            spare -= more
    return changes


def _cut(shares: Sequence[Share], excess: int, places: int) -> dict[str, int]:
    """Lower limits: first where that counts at once, then so that all of them fit in the end."""
    aims = {share.array: share.aim for share in shares}
    for share in reversed(shares):
        less = min(excess, share.aim - max(1, share.running))
        if less > 0:
            aims[share.array] -= less
            excess -= less
    excess = sum(aims.values()) - places
    for share in reversed(shares):
        less = min(excess, aims[share.array] - 1)
        if less > 0:
            aims[share.array] -= less
            excess -= less
    return {s.array: aims[s.array] for s in shares if aims[s.array] != s.aim and s.left > 1}
