"""An engine's own options, given as keywords: `cpus_per_task=4` for `--cpus-per-task=4`."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sched_core import OptionError

__all__ = ["expand", "take_directives"]


def take_directives(
    scheduler: str,
    options: Mapping[str, Any],
    legal: Mapping[str, str],
    reserved: Mapping[str, str],
    others: Collection[str],
) -> dict[str, Any]:
    """Return the options under the names of `legal`, which may hold several for one.

    `reserved` tells what to use instead of those that the scheduler sets itself; `others` are the
    scheduler's own options, for hints. Raises OptionError.
    """
    taken: dict[str, Any] = {}
    for given, value in options.items():
        name = given.replace("-", "_")
        name = legal.get(name, name)
        if name in reserved:
            raise OptionError(f"the scheduler {scheduler} sets {name} itself; {reserved[name]}")
        if name not in legal:
            raise OptionError(
                f"the scheduler {scheduler} has no option {given}; {_hint(given, legal, others)}"
            )
        if name in taken:
            raise OptionError(f"the option {name} is given twice")
        taken[name] = _checked(name, value)
    return taken


def expand(directives: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Yield each option with its value, None for a bare flag; a list repeats its option."""
    for name, value in directives.items():
        for one in value if isinstance(value, list) else [value]:
            if one is True:
                yield name, None
            elif one is not False and one is not None:
                yield name, str(one)


def _hint(given: str, legal: Collection[str], others: Collection[str]) -> str:
    near = difflib.get_close_matches(given, [*others, *legal], n=1)
    return f"did you mean {near[0]}?" if near else "neither sched nor the engine knows it"


def _checked(name: str, value: Any) -> Any:
    values = list(value) if isinstance(value, list | tuple) else [value]
    for one in values:
        if not isinstance(one, str | int | float | bool | None):
            raise OptionError(f"{name} {one!r}: give a text, a number, True for a flag, or a list")
        if isinstance(one, str) and ("\0" in one or "\n" in one):
            raise OptionError(f"{name} {one!r}: it must be one line")
    return values if isinstance(value, list | tuple) else value
