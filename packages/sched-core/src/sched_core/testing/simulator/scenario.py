"""All that a simulation depends on, as a value and as a line of text; and what came of it."""

from __future__ import annotations

import dataclasses
import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Self

from ...model.job import Job
from .clock import Backend
from .faults import ALL_FAULTS, Fault
from .wrapper import Execution

__all__ = ["Outcome", "Scenario"]


@dataclass(frozen=True, slots=True, repr=False)
class Scenario:
    """All that a simulation depends on: the same scenario always gives the same run.

    As text (`str`, `Scenario.parse`) it is a line such as `seed=23 faults=preempted,late_file`,
    without what is as by default.
    """

    seed: int = 0
    jobs: int = 10
    """How many commands are run where the host is not one's own."""
    forks: int = 4
    faults: frozenset[Fault] = ALL_FAULTS
    """What may go wrong, as often as `rate` has it."""
    rate: float = 0.05
    """How probable each fault is at each opportunity."""
    at: Mapping[Fault, int] = field(default_factory=dict)
    """Faults that strike once, each at its opportunity of that number, counted from 1."""
    drivers: int = 3
    """How many drivers die, hang or are cancelled at most, before one that does not."""
    arrays: bool = True
    """Whether the engine keeps to `forks` itself, so that more jobs wait in its queue."""
    backend: Backend = "asyncio"
    limited: bool = False
    """Whether some jobs have limits of time that grow."""
    horizon: float = 14_400.0
    """Virtual seconds within which the run must have ended."""

    def __str__(self) -> str:
        words = [f"seed={self.seed}"]
        for item in dataclasses.fields(self)[1:]:
            value = getattr(self, item.name)
            if value != _default(item):
                words.append(f"{item.name}={_FORMATS.get(item.name, _word)(value)}")
        return " ".join(words)

    def __repr__(self) -> str:
        return f"Scenario.parse({str(self)!r})"

    @property
    def command(self) -> str:
        """The command that plays it again and tells its story."""
        return f"python -m sched_core.testing.simulator {shlex.quote(str(self))}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a line as `str` gives it. Raises ValueError, whose text says what is wrong."""
        values: dict[str, Any] = {}
        for word in text.split():
            name, equals, value = word.partition("=")
            if not equals or name not in _PARSERS:
                raise ValueError(f"{word!r} is none of {', '.join(f'{n}=' for n in _PARSERS)}")
            try:
                values[name] = _PARSERS[name](value)
            except ValueError as error:
                raise ValueError(f"{word!r}: {error}") from None
        return cls(**values)


@dataclass(slots=True)
class Outcome:
    """What became of a simulated run."""

    violations: list[str] = field(default_factory=list)
    """What must not be, whatever goes wrong; empty where all is well."""
    faults: Counter[Fault] = field(default_factory=Counter)
    """How often each fault has struck."""
    jobs: Sequence[Job] = ()
    """The jobs as the driver that came to the end of the run knows them."""
    executions: Sequence[Execution] = ()
    """Every time that a command really ran."""
    seconds: float = 0.0
    """Virtual ones."""
    result: Any = None
    """What the host returned in the driver that came to the end."""
    story: Sequence[str] = ()
    """What happened, a line each, in virtual time."""


def _default(item: dataclasses.Field[Any]) -> object:
    made = item.default_factory
    return item.default if made is dataclasses.MISSING else made()


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _faults_word(faults: Iterable[Fault]) -> str:
    chosen = sorted(faults)
    left_out = sorted(ALL_FAULTS.difference(chosen))
    if not chosen:
        return "none"
    if len(left_out) < len(chosen):
        return ",".join(["all", *(f"-{fault}" for fault in left_out)])
    return ",".join(chosen)


def _at_word(at: Mapping[Fault, int]) -> str:
    return ",".join(f"{fault}:{number}" for fault, number in at.items())


_FORMATS: dict[str, Callable[[Any], str]] = {"faults": _faults_word, "at": _at_word}


def _fault(name: str) -> Fault:
    try:
        return Fault(name)
    except ValueError:
        near = get_close_matches(name, list(ALL_FAULTS), 1)
        hint = f"; did you mean {near[0]}?" if near else " (--faults lists them)"
        raise ValueError(f"there is no fault {name!r}{hint}") from None


def _parse_faults(text: str) -> frozenset[Fault]:
    if text == "none":
        return frozenset()
    words = text.split(",")
    if words[0] == "all":
        return ALL_FAULTS.difference(_fault(word.removeprefix("-")) for word in words[1:])
    return frozenset(map(_fault, words))


def _parse_at(text: str) -> dict[Fault, int]:
    found = {}
    for word in text.split(","):
        name, _, number = word.partition(":")
        found[_fault(name)] = _count(number or "1")
    return found


def _integer(text: str, least: int) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < least:
        raise ValueError(f"a whole number, at least {least}, is wanted")
    return int(text)


def _whole(text: str) -> int:
    return _integer(text, 0)


def _count(text: str) -> int:
    return _integer(text, 1)


def _number(text: str, most: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= most:
        raise ValueError(f"a number from 0 to {most:g} is wanted")
    return value


def _choice(**choices: Any) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        if text not in choices:
            raise ValueError(f"it is one of {', '.join(choices)}")
        return choices[text]

    return parse


_PARSERS: dict[str, Callable[[str], Any]] = {
    "seed": _whole,
    "jobs": _count,
    "forks": _count,
    "faults": _parse_faults,
    "rate": lambda text: _number(text, 1.0),
    "at": _parse_at,
    "drivers": _whole,
    "arrays": _choice(yes=True, no=False),
    "backend": _choice(asyncio="asyncio", trio="trio"),
    "limited": _choice(yes=True, no=False),
    "horizon": lambda text: _number(text, 1e9),
}
