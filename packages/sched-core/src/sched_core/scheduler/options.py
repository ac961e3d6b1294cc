"""The options that every scheduler takes besides the arguments of the reference."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Literal

from ..errors import OptionError

__all__ = [
    "ERROR_STRATEGIES",
    "OPTION_ALIASES",
    "ErrorStrategy",
    "refuse_unknown",
    "rename_aliases",
]

ErrorStrategy = Literal["ignore", "retry", "halt"]
ERROR_STRATEGIES: tuple[ErrorStrategy, ...] = ("ignore", "retry", "halt")

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


def check_error_strategy(value: str) -> ErrorStrategy:
    """Return one of the strategies. Raises OptionError."""
    for strategy in ERROR_STRATEGIES:
        if value == strategy:
            return strategy
    raise OptionError(f"error_strategy {value!r}: it must be one of {', '.join(ERROR_STRATEGIES)}")
