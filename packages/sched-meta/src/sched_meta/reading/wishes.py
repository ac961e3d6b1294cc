"""What a job asks for, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sched_core.errors import OptionError
from sched_core.model.resources import Resources, format_memory, format_time

__all__ = ["attempt_words", "raised_words", "resources_of", "wishes_words"]

_ORDINALS = ("first", "second", "third", "fourth", "fifth")
_SHOWN = {"memory": format_memory, "disk": format_memory, "time": format_time}


def resources_of(
    options: Mapping[str, Any], own: Resources | Mapping[str, Any] | None
) -> Resources:
    """Return what a job asks for in all: its own wishes, and for the rest those of the run's options."""
    try:
        return Resources.from_value(options.get("resources")).merge(own)
    except (OptionError, TypeError):
        return Resources()  # of a newer version, or written by hand


def wishes_words(wanted: Resources, raised: Mapping[str, float] | None) -> Sequence[str]:
    """'cpus 2', 'memory 8 GiB, second of 4, 8, 16 GiB': what the present attempt asks for."""
    present = wanted.after(raised).to_json()
    return [
        f"{name} {_show(name, amount)}{_place(wanted.amounts(name), name, amount)}"
        for name, amount in present.items()
    ]


def raised_words(raised: Mapping[str, float] | None) -> str:
    """'memory raised to 16 GiB', empty where nothing was raised."""
    return ", ".join(f"{name} raised to {_show(name, to)}" for name, to in (raised or {}).items())


def attempt_words(attempt: int, raised: Mapping[str, float] | None) -> str:
    """' (attempt 3, memory raised to 16 GiB)', empty for a first one."""
    if attempt == 1:
        return ""
    words = raised_words(raised)
    return f" (attempt {attempt}{', ' if words else ''}{words})"


def _show(name: str, amount: Any) -> str:
    return _SHOWN.get(name, "{:g}".format)(amount)


def _place(amounts: Sequence[float], name: str, amount: float) -> str:
    """Which of several values it is."""
    if len(amounts) < 2 or amount not in amounts:
        return ""
    number = amounts.index(amount)
    which = _ORDINALS[number] if number < len(_ORDINALS) else f"number {number + 1}"
    return f", {which} of {', '.join(_in_short([_show(name, each) for each in amounts]))}"


def _in_short(texts: Sequence[str]) -> Iterator[str]:
    """A unit that several have is said once, by the last of them."""
    units = [text.partition(" ")[2] for text in texts]
    for number, text in enumerate(texts):
        same = number + 1 < len(texts) and units[number] and units[number] == units[number + 1]
        yield text.partition(" ")[0] if same else text
