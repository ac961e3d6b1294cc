"""The keys of `sched.toml`: the long options as they are typed, and what each may hold."""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from sched_core.errors import OptionError, SchedError
from sched_core.model.command import check_environment
from sched_core.model.secret import Secret
from sched_core.model.units import parse_memory, parse_time

__all__ = ["KEYS", "OF_ONE_SCHEDULER", "OF_THE_SESSION", "PER_RUN", "TABLES", "check_value"]

OF_ONE_SCHEDULER = ("forks", "options")
"""What says nothing about another scheduler than the one that it was written for."""

OF_THE_SESSION = ("max-failures", "no-progress", "on-finish")
"""What a run does not record, so that each `resume` and `retry` takes it anew."""

TABLES = ("env", "options")
"""What is merged key by key."""

PER_RUN = frozenset(
    "workdir name profile resume dry-run cat json detach shell from table no-header colsep help".split()
)
"""Options of `sched run` that make no sense as a default."""


def check_value(key: str, value: Any, where: Callable[..., str]) -> Any:
    """Return the value as the command line would have it; a table as texts by their keys.

    Raises OptionError for an unknown key and for a value that the key cannot have.
    """
    if key not in KEYS:
        raise OptionError(f"{where()}: {_unknown(key)}")
    try:
        return KEYS[key](value)
    except SchedError as error:
        raise OptionError(f"{where(*error.args[1:])}: {key}: {error.args[0]}") from None


def _unknown(key: str) -> str:
    if key in PER_RUN:
        return f"{key!r} is for one run; give it on the command line: --{key}"
    near = nearest(key.replace("_", "-"), KEYS)
    hint = f"did you mean {near!r}?" if near else f"there are {', '.join(sorted(KEYS))}, profile"
    if near in (None, "options"):
        hint += " (an option of the scheduler stands in the table `options`)"
    return f"unknown key {key!r}; {hint}"


def nearest(word: str, words: Collection[str]) -> str | None:
    """Return the word that may have been meant."""
    found = difflib.get_close_matches(word, words, 1)
    return found[0] if found else None


def _wrong(value: object, wanted: str) -> OptionError:
    return OptionError(f"it must be {wanted}, not {_shown(value)}")


def _shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _count(least: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise _wrong(value, f"a whole number of at least {least}")
        return value

    return check


def _choice(*words: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value not in words:
            raise _wrong(value, " or ".join(map(_shown, words)))
        return str(value)

    return check


def _text(example: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if not isinstance(value, str) or not value.strip():
            raise _wrong(value, f'a text such as "{example}"')
        return value

    return check


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong(value, "true or false")
    return value


def _amounts(parse: Callable[[Any], object], example: str) -> Callable[[Any], str]:
    """One amount, or a list of those that are tried one after the other."""

    def check(value: Any) -> str:
        amounts = value if isinstance(value, list) else [value]
        if not amounts or not all(_is_amount(amount) for amount in amounts):
            raise _wrong(value, f'an amount such as "{example}", or a list of them')
        for amount in amounts:
            for part in amount.split(",") if isinstance(amount, str) else [amount]:
                parse(part)
        return ",".join(map(str, amounts))

    return check


def _is_amount(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _failures(value: Any) -> str:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)%|(\d+)", str(value), re.ASCII)
    if isinstance(value, bool) or not match or float(match[1] or match[2]) == 0:
        raise _wrong(value, 'a number of jobs, or a share of them such as "5%"')
    if match[1] and float(match[1]) > 100:
        raise _wrong(value, 'at most "100%"')
    return str(value)


def _environment(value: Any) -> dict[str, str]:
    variables = {name: _variable(name, text) for name, text in _table(value, 'LANG = "C"').items()}
    check_environment(variables)
    return variables


def _variable(name: str, value: Any) -> str:
    if not _is_amount(value):
        raise OptionError(f"{name} must be a text or a number, not {_shown(value)}", name)
    return str(value)


def _names(value: Any) -> tuple[str, ...]:
    """Names of variables, whose values are nowhere."""
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _wrong(value, 'a list of names such as ["TOKEN"]')
    check_environment(dict.fromkeys(names, Secret("")))
    return tuple(names)


def _options(value: Any) -> dict[str, list[str]]:
    """Each option as `-o` would be given: a list as often as it has items."""
    options: dict[str, list[str]] = {}
    for name, given in _table(value, 'partition = "main"').items():
        items = given if isinstance(given, list) else [given]
        options[name.replace("-", "_")] = [_typed(name, item) for item in items]
    return options


def _typed(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        kind = "infinity" if isinstance(value, float) and math.isinf(value) else str(value)
        raise OptionError(f"{name} cannot be {kind}; write it as a text, in quotes", name) from None


def _table(value: Any, example: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(value, f"a table such as {{ {example} }}")
    return value


KEYS: Mapping[str, Callable[[Any], Any]] = {
    "scheduler": _text("slurm"),
    "forks": _count(1),
    "options": _options,
    "retries": _count(0),
    "on-error": _choice("continue", "retry", "halt"),
    "halt": _choice("now", "soon"),
    "time": _amounts(parse_time, "90m"),
    "cpus": lambda value: str(_count(1)(value)),
    "memory": _amounts(parse_memory, "4 GiB"),
    "gpus": lambda value: str(_count(0)(value)),
    "env": _environment,
    "secret-env": _names,
    "max-failures": _failures,
    "on-finish": _text("echo done"),
    "no-progress": _flag,
}
"""What each key may hold, and how the command line would have it."""
