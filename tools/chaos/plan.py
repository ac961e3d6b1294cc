"""What happens in a round, by its seed alone."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from random import Random

from .work import Work, plan_work

__all__ = ["Plan", "Size", "Strike", "plan_round"]

_PAUSE = 2.0
"""Seconds between two strikes, on the average."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much a round is, for one backend."""

    jobs: int
    forks: int
    seconds: float
    """How long strikes go on; jobs last about as long."""


@dataclass(frozen=True, slots=True)
class Strike:
    """Something that is to go wrong."""

    at: float
    """Seconds after the round's beginning."""
    fault: str
    lasts: float
    """The share of the longest time that the fault may last."""
    seed: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A round."""

    work: list[Work]
    strikes: list[Strike]


def plan_round(seed: int, number: int, faults: Collection[str], size: Size) -> Plan:
    """Return the round of that number: the same for the same seed, faults and size."""
    chance = Random(f"{seed}/{number}")
    # Few jobs sleep longer than the others: the time of all places is shared among all jobs.
    pause = size.seconds * size.forks / size.jobs
    work = plan_work(chance, size.jobs, pause)
    return Plan(work, _strikes(chance, sorted(faults), size.seconds))


def _strikes(chance: Random, faults: list[str], seconds: float) -> list[Strike]:
    at, strikes = chance.uniform(0.3, _PAUSE), []
    # Drivers are what it is about: every other strike is at one.
    named = [fault for fault in faults if fault.startswith("driver ")]
    while faults and at < seconds:
        fault = chance.choice(named if named and chance.random() < 0.5 else faults)
        lasts = chance.random()
        strikes.append(Strike(round(at, 3), fault, round(lasts, 3), chance.getrandbits(32)))
        at += chance.expovariate(1 / _PAUSE)
    return strikes
