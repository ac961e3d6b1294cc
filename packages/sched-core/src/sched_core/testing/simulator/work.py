"""What simulated commands do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = ["Behaviour", "Work", "scripted"]


@dataclass(frozen=True, slots=True)
class Work:
    """What one start of a command does, unless something happens to it."""

    seconds: float = 1.0
    """How long it runs."""
    rc: int = 0
    """What it ends with."""
    stdout: bytes = b""
    """What it writes."""


Behaviour = Callable[[Sequence[str], int], Work]
"""Tells, of a command and the number of its attempt (from 1 on), what it does."""


def scripted(command: Sequence[str], attempt: int) -> Work:
    """Run commands of the form NAME SECONDS RC[,RC...], of each attempt the return code at its place,
    of later ones the last; any other command takes a second and finishes.
    """
    try:
        _, seconds, codes = command
        rcs = [int(code) for code in codes.split(",")]
        return Work(float(seconds), rcs[min(attempt, len(rcs)) - 1])
    except ValueError:
        return Work()
