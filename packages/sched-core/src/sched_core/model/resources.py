"""What a job asks of the machine that runs it."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sched_core.errors import OptionError

from .units import format_memory, format_time, parse_memory, parse_time

if TYPE_CHECKING:
    from datetime import timedelta

__all__ = ["Resources", "format_memory", "format_time", "parse_memory", "parse_time"]


@dataclass(frozen=True, slots=True, init=False, repr=False)
class Resources:
    """What one job needs; None leaves it to the scheduler and the engine.

    - `cpus`: number of cores, above 0; containers can also give fractions.
    - `memory`: bytes, or a text with a unit such as '4 GiB' (see `parse_memory`).
    - `time`: limit of one attempt's wall time, queueing excluded: seconds, a timedelta or a text
      such as '90m' (see `parse_time`).
    - `gpus`: whole number of graphics cards, 0 for certainly none.
    - `disk`: bytes of scratch space, written as memory is.

    `memory` and `time` may be several values, each above the one before: the first attempt gets the
    first, and one that follows an OUT_OF_MEMORY or a TIMEOUT gets the next. Such a retry happens
    whatever is said about retries otherwise, and is not counted among them.

    Raises OptionError for a value that is no such amount.
    """

    cpus: float | None
    memory: int | None
    time: float | None
    gpus: int | None
    disk: int | None
    further_memory: tuple[int, ...]
    """The values of memory behind the first one."""
    further_time: tuple[float, ...]

    def __init__(
        self,
        cpus: float | str | None = None,
        memory: float | str | Iterable[float | str] | None = None,
        time: float | str | timedelta | Iterable[float | str | timedelta] | None = None,
        gpus: int | str | None = None,
        disk: float | str | None = None,
    ) -> None:
        self._set("cpus", None if cpus is None else _parse_cpus(cpus))
        self._set_all("memory", _parse_several("memory", memory, parse_memory, format_memory))
        self._set_all("time", _parse_several("time", time, parse_time, format_time))
        self._set("gpus", None if gpus is None else _parse_gpus(gpus))
        self._set("disk", None if disk is None else parse_memory(disk, "disk"))

    def __repr__(self) -> str:
        values = ((name, self.amounts(name)) for name in _NAMES)
        several = (f"{n}={list(v) if len(v) > 1 else v[0] if v else None}" for n, v in values)
        return f"Resources({', '.join(several)})"

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _set_all(self, name: str, values: tuple[float, ...]) -> None:
        self._set(name, values[0] if values else None)
        self._set(f"further_{name}", values[1:])

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

    def amounts(self, name: str) -> tuple[float, ...]:
        """All values of a resource, in their order; none where it is not asked for."""
        first = getattr(self, name)
        return () if first is None else (first, *getattr(self, f"further_{name}", ()))

    def after(self, raised: Mapping[str, float] | None) -> Resources:
        """What one attempt asks for, when these were raised before it: one value of each.

        What was raised counts only as long as it is more than what is asked for anyway.
        """
        if not raised and not self.further_memory and not self.further_time:
            return self
        wanted: dict[str, Any] = {name: getattr(self, name) for name in _NAMES}
        for name, amount in (raised or {}).items():
            if wanted[name] is not None:
                wanted[name] = max(wanted[name], amount)
        return Resources(**wanted)

    def to_json(self) -> dict[str, Any]:
        """What is asked for, as plain numbers in bytes and seconds, or lists of them."""
        values = ((name, self.amounts(name)) for name in _NAMES)
        return {
            name: list(amounts) if len(amounts) > 1 else amounts[0]
            for name, amounts in values
            if amounts
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Resources:
        """The resources that `to_json` made `data` of."""
        return cls.from_value(data)


_NAMES = tuple(f.name for f in fields(Resources) if not f.name.startswith("further_"))


def _parse_several(
    name: str,
    value: Any,
    parse: Callable[[Any, str], float],
    show: Callable[[Any], str],
) -> tuple[float, ...]:
    if value is None:
        return ()
    if isinstance(value, str | Mapping) or not isinstance(value, Iterable):
        return (parse(value, name),)
    amounts = tuple(parse(each, name) for each in value)
    if not amounts:
        raise OptionError(f"{name} is a list without values; give one, or leave {name} out")
    for before, after in pairwise(amounts):
        if after <= before:
            raise OptionError(
                f"{name}: {show(after)} comes after {show(before)}, and is not more;"
                " give values that grow, such as those for a first attempt, a second and so on"
            )
    return amounts


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
