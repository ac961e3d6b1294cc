"""The options that every scheduler takes besides the arguments of the reference."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Literal, TypeVar

from ..errors import OptionError

__all__ = [
    "ERROR_STRATEGIES",
    "HALTS",
    "OPTION_ALIASES",
    "ErrorStrategy",
    "Halt",
    "refuse_unknown",
    "rename_aliases",
]

ErrorStrategy = Literal["ignore", "retry", "halt"]
ERROR_STRATEGIES: tuple[ErrorStrategy, ...] = ("ignore", "retry", "halt")

Halt = Literal["now", "soon"]
HALTS: tuple[Halt, ...] = ("now", "soon")

Choice = TypeVar("Choice", bound=str)

OPTION_ALIASES: Mapping[str, str] = {"mount": "volumes", "mount_as_cwd": "volume_as_cwd"}
"""One table for all backends: what some call `mount` is `volumes` for others."""


def rename_aliases(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options under their own names. Raises OptionError for one given twice."""
    renamed: dict[str, Any] = {}
    for name, value in options.items():
        own = OPTION_ALIASES.get(name, name)
        if own in renamed:
            raise OptionError(f"the options {name} and {own} are the same: give one of them")
        renamed[own] = value
    return renamed


def refuse_unknown(scheduler: str, unknown: Iterable[str], known: Collection[str]) -> None:
    """Raise OptionError for the first unknown option, with the nearest right name."""
    for name in unknown:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"it takes {', '.join(sorted(known))}"
        raise OptionError(f"the scheduler {scheduler} has no option {name}; {hint}")


def check_count(name: str, value: object, least: int) -> int:
    """Return a whole number of at least `least`. Raises OptionError."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise OptionError(f"{name} {value!r}: it must be a whole number of at least {least}")
    return value


def check_choice(name: str, value: object, choices: Sequence[Choice]) -> Choice:
    """Return the one of the choices that the value is. Raises OptionError."""
    for choice in choices:
        if value == choice:
            return choice
    raise OptionError(f"{name} {value!r}: it must be one of {', '.join(choices)}")
