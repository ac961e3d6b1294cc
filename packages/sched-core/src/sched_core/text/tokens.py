"""The budget of calls that drivers share: tokens, each a name that can be taken once. Pure.

Token `k` stands for the moment `k / rate` on the machine's monotonic clock, so that which tokens there
are follows from the time alone: nobody refills anything, and nobody holds anything. Whoever is to
call takes the earliest token that is not taken, not older than the burst allows, and waits for its
moment: those who take one later have a later moment, so that none starves. A token that a dead
driver has taken is lost, and no other one with it.

What an engine answers that has too much to do becomes a pause: a name with two moments. Until its
end nobody calls, then the budget begins empty, and each pause of the last minute halves the rate.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from ..model.rate import Rate

__all__ = [
    "LONGEST_PAUSE",
    "Pause",
    "Token",
    "choose_token",
    "old_names",
    "pause_after",
    "pauses_in",
]

LONGEST_PAUSE = 60.0
"""Seconds that drivers wait at most for an engine that has asked them to."""
_REMEMBERED = 60.0
"""Seconds for which a pause makes the rate lower."""
_MOST_HALVINGS = 3
_FIRST_PAUSE = 1.0
_MOST_DOUBLINGS = 1
_SHORTEST_LIFE = 1.0
_PAUSE = re.compile(r"pause\.(\d{1,15})\.(\d{1,15})")


@dataclass(frozen=True, slots=True)
class Token:
    """A call that may be made from the moment `at` on, before `until`."""

    name: str
    at: float
    until: float


@dataclass(frozen=True, slots=True)
class Pause:
    """The time in which nobody calls."""

    since: float
    until: float

    @property
    def name(self) -> str:
        """The name that tells the others; moments are whole milliseconds."""
        return f"pause.{round(self.since * 1000)}.{round(self.until * 1000)}"


def pauses_in(names: Iterable[str], now: float) -> list[Pause]:
    """Return the pauses that still count, the one that ends last at the end.

    What no driver can have written is left out: it must not hold anybody.
    """
    matches = filter(None, map(_PAUSE.fullmatch, [n for n in names if n.startswith("pause")]))
    pauses = [Pause(int(match[1]) / 1000, int(match[2]) / 1000) for match in matches]
    sound = [p for p in pauses if p.since <= now + 1 and p.until - p.since < LONGEST_PAUSE + 1]
    return sorted((p for p in sound if p.until > now - _REMEMBERED), key=lambda p: p.until)


def pause_after(
    names: Iterable[str], now: float, began: float, retry_after: float | None
) -> Pause | None:
    """Return the pause that an answer asks for, whose call began then; None where others have heard
    the same before, and there is one.
    """
    known = pauses_in(names, now)
    seconds = retry_after or _FIRST_PAUSE * 2 ** min(len(known), _MOST_DOUBLINGS)
    until = now + min(seconds, LONGEST_PAUSE)
    if known and began < known[-1].until and (retry_after is None or until <= known[-1].until):
        return None
    return Pause(now, until)


def choose_token(names: Iterable[str], series: str, rate: Rate, now: float, kept: int = 0) -> Token:
    """Return the token of a series to take next.

    `kept` tokens are left to calls that are more urgent: they are ahead by so many.
    """
    taken = set(names)
    pauses = pauses_in(taken, now)
    step = 2 ** min(len(pauses), _MOST_HALVINGS)
    earliest = math.floor(now * rate.per_second) - rate.burst + 1
    if pauses:
        earliest = max(earliest, math.ceil(pauses[-1].until * rate.per_second))
    number = math.ceil(earliest / step) * step
    while f"{series}.{number}" in taken:
        number += step
    moment = number / rate.per_second
    at = moment + kept / rate.per_second
    return Token(f"{series}.{number}", at, moment + _lifetime(rate))


def old_names(names: Iterable[str], series: str, rate: Rate, now: float) -> list[str]:
    """Return what stands for nothing any more: it can be removed, whoever still looks at it."""
    names = list(names)
    before = (now - _lifetime(rate)) * rate.per_second
    tokens = [f"{series}.{number}" for number in _numbers(names, series) if number < before]
    known = {pause.name for pause in pauses_in(names, now)}
    return tokens + [name for name in names if _PAUSE.fullmatch(name) and name not in known]


def _lifetime(rate: Rate) -> float:
    """Return how long a token can be used: as long as the burst lasts, and by any process in time."""
    return max(rate.burst / rate.per_second, _SHORTEST_LIFE)


def _numbers(names: Iterable[str], series: str) -> Iterable[int]:
    start = f"{series}."
    ends = (name[len(start) :] for name in names if name.startswith(start))
    return (int(end) for end in ends if end.isascii() and end.isdecimal() and len(end) <= 18)
