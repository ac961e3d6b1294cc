"""What a job asks of the machine that runs it."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from sched_core.errors import OptionError

from .units import format_memory, format_time, parse_memory, parse_time

if TYPE_CHECKING:
    from datetime import timedelta

__all__ = ["Resources", "format_memory", "format_time", "parse_memory", "parse_time"]


@dataclass(frozen=True, slots=True, init=False)
class Resources:
    """What one job needs; None leaves it to the scheduler and the engine.

    - `cpus`: number of cores, above 0; containers can also give fractions.
    - `memory`: bytes, or a text with a unit such as '4 GiB' (see `parse_memory`).
    - `time`: limit of one attempt's wall time, queueing excluded: seconds, a timedelta or a text
      such as '90m' (see `parse_time`).
    - `gpus`: whole number of graphics cards, 0 for certainly none.
    - `disk`: bytes of scratch space, written as memory is.

    Raises OptionError for a value that is no such amount.
    """

    cpus: float | None
    memory: int | None
    time: float | None
    gpus: int | None
    disk: int | None

    def __init__(
        self,
        cpus: float | str | None = None,
        memory: float | str | None = None,
        time: float | str | timedelta | None = None,
        gpus: int | str | None = None,
        disk: float | str | None = None,
    ) -> None:
        self._set("cpus", None if cpus is None else _parse_cpus(cpus))
        self._set("memory", None if memory is None else parse_memory(memory))
        self._set("time", None if time is None else parse_time(time))
        self._set("gpus", None if gpus is None else _parse_gpus(gpus))
        self._set("disk", None if disk is None else parse_memory(disk, "disk"))

    def _set(self, name: str, value: float | None) -> None:
        object.__setattr__(self, name, value)

    @classmethod
    def from_value(cls, value: Resources | Mapping[str, Any] | None) -> Resources:
        """Resources of what a user gave: None asks for nothing, a mapping has the fields' names.

        Raises OptionError for another name, with the nearest right one, and for wrong values.
        """
        if isinstance(value, Resources):
            return value
        if value is None:
            return cls()
        if not isinstance(value, Mapping):
            raise OptionError(f"resources {value!r} are neither Resources nor a mapping")
        for name in value:
            if name not in _NAMES:
                raise OptionError(f"{name!r} is no resource; {_nearest(str(name))}")
        return cls(**value)

    def merge(self, other: Resources | Mapping[str, Any] | None) -> Resources:
        """These resources, with `other`'s in place of them where `other` asks for something."""
        wanted = Resources.from_value(other).to_json()
        return Resources.from_json(self.to_json() | wanted) if wanted else self

    def to_json(self) -> dict[str, float]:
        """What is asked for, as plain numbers in bytes and seconds."""
        values = ((name, getattr(self, name)) for name in _NAMES)
        return {name: value for name, value in values if value is not None}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Resources:
        """The resources that `to_json` made `data` of."""
        return cls.from_value(data)


_NAMES = tuple(field.name for field in fields(Resources))


def _nearest(name: str) -> str:
    near = difflib.get_close_matches(name, _NAMES, 1, 0.5)
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(_NAMES)}"


def _parse_cpus(value: float | str) -> float:
    number = _as_number(value)
    if number is None or not 0 < number < math.inf:
        raise OptionError(f"cpus {value!r} must be a number above 0")
    return int(number) if number == int(number) else number


def _parse_gpus(value: int | str) -> int:
    number = _as_number(value)
    if number is None or not 0 <= number < math.inf or number != int(number):
        raise OptionError(f"gpus {value!r} must be a whole number, 0 or more")
    return int(number)


def _as_number(value: object) -> float | None:
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
