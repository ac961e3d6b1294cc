"""What this machine has to give: cores, memory and graphics cards."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from ..errors import OptionError
from ..scheduler.admission import CARDS, Machine

__all__ = ["parse_cards", "this_machine"]

_CARD = re.compile(r"nvidia(\d+)")
_NAME = re.compile(r"\w[\w./:-]*", re.ASCII)
_NO_CARDS = "name the cards that it has by the option gpus (-o gpus=0,1)"


def this_machine(scheduler: str, cards: tuple[str, ...] | None = None) -> Machine:
    """Return what jobs of this process may use; `scheduler` is named in refusals.

    `cards` are the names of graphics cards, None for those that this process sees.
    """
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    cores = len(os.sched_getaffinity(0))
    found = _cards() if cards is None else cards
    return Machine(cores, memory, found, "this machine", scheduler, _NO_CARDS)


def parse_cards(value: int | str | Iterable[object] | None) -> tuple[str, ...] | None:
    """Read the option `gpus`: a number of cards, or names of them, by commas or in a list.

    Raises OptionError.
    """
    if value is None:
        return None
    known = isinstance(value, int | str | Iterable)
    cards = [word.strip() for word in _words(value)] if known else [""]
    if value is True or len({*cards}) < len(cards) or not all(map(_NAME.fullmatch, cards)):
        raise OptionError(
            f"gpus {value!r}: give how many graphics cards there are, or the name of each one once,"
            " as in 0,1 or GPU-8932f937"
        )
    return tuple(cards)


def _words(value: int | str | Iterable[object]) -> Iterable[str]:
    text = str(value)
    if isinstance(value, int | str) and text.isdecimal() and text.isascii():
        return map(str, range(int(text)))
    return text.split(",") if isinstance(value, int | str) else map(str, value)


def _cards() -> tuple[str, ...]:
    visible = os.environ.get(CARDS)
    if visible is not None:
        return tuple(card.strip() for card in visible.split(",") if card.strip())
    numbers = [int(m[1]) for name in os.listdir("/dev") if (m := _CARD.fullmatch(name))]
    return tuple(map(str, sorted(numbers)))
