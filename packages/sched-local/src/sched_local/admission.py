"""What this machine has to give: cores, memory and graphics cards."""

from __future__ import annotations

import os
import re

from sched_core.scheduler.admission import CARDS, Admission, Grant
from sched_core.scheduler.admission import Machine as AnyMachine

__all__ = ["CARDS", "Admission", "Grant", "Machine"]

_CARD = re.compile(r"nvidia(\d+)")


class Machine(AnyMachine):
    """What jobs of this process may use."""

    @classmethod
    def this(cls) -> Machine:
        """Look at this machine, as far as this process may use it."""
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return cls(len(os.sched_getaffinity(0)), memory, _cards())


def _cards() -> tuple[str, ...]:
    visible = os.environ.get(CARDS)
    if visible is not None:
        return tuple(card.strip() for card in visible.split(",") if card.strip())
    numbers = [int(m[1]) for name in os.listdir("/dev") if (m := _CARD.fullmatch(name))]
    return tuple(map(str, sorted(numbers)))
