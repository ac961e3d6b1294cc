"""What this machine has to give: cores, memory and graphics cards."""

from __future__ import annotations

import os
import re

from ..scheduler.admission import CARDS, Machine

__all__ = ["this_machine"]

_CARD = re.compile(r"nvidia(\d+)")


def this_machine(scheduler: str) -> Machine:
    """Return what jobs of this process may use; `scheduler` is named in refusals."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    cores = len(os.sched_getaffinity(0))
    return Machine(cores, memory, _cards(), "this machine", scheduler)


def _cards() -> tuple[str, ...]:
    visible = os.environ.get(CARDS)
    if visible is not None:
        return tuple(card.strip() for card in visible.split(",") if card.strip())
    numbers = [int(m[1]) for name in os.listdir("/dev") if (m := _CARD.fullmatch(name))]
    return tuple(map(str, sorted(numbers)))
