"""`-o KEY=VALUE`: options of a scheduler, typed as its constructor declares them."""

from __future__ import annotations

import json
import re
import types
import typing
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sched_core.errors import OptionError

if TYPE_CHECKING:
    from sched_core import Scheduler

__all__ = ["parse_options"]

_WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)


def parse_options(pairs: Iterable[str], scheduler: type[Scheduler]) -> dict[str, Any]:
    """Return the keyword arguments; a key that is given several times becomes a list.

    Raises OptionError for what is no KEY=VALUE, and for a value of another type than declared.
    """
    declared = _declared_types(scheduler)
    options: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        key = key.strip().replace("-", "_")
        if not equals or not key:
            raise OptionError(f"-o {pair}: write it as KEY=VALUE")
        value = _convert(key, text, declared.get(key, frozenset()))
        options[key] = _append(options[key], value) if key in options else value
    return {key: _in_list(value, declared.get(key, frozenset())) for key, value in options.items()}


def _append(old: Any, value: Any) -> list[Any]:
    return [*(old if isinstance(old, list) else [old]), value]


def _in_list(value: Any, declared: frozenset[Any]) -> Any:
    """An object alone, where only a list of them can be meant, is a list of one."""
    if not isinstance(value, dict) or not any(map(_holds_values, declared)):
        return value
    return value if any(map(_holds_keys, declared)) else [value]


def _declared_types(scheduler: type[Scheduler]) -> dict[str, frozenset[Any]]:
    """The types of the named arguments of the constructor and of those that it hands things to."""
    found: dict[str, frozenset[Any]] = {}
    for cls in reversed(scheduler.__mro__):
        init = vars(cls).get("__init__")
        if isinstance(init, types.FunctionType):
            found |= {name: _members(hint) for name, hint in _hints(init).items()}
    return found


def _hints(init: types.FunctionType) -> dict[str, Any]:
    try:
        return typing.get_type_hints(init)
    except NameError:
        return {}  # names that are only imported for type checkers


def _members(hint: Any) -> frozenset[Any]:
    parts = typing.get_args(hint) if _is_union(hint) else (hint,)
    return frozenset(typing.get_origin(part) or part for part in parts) - {types.NoneType}


def _is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in (typing.Union, types.UnionType)


def _convert(key: str, text: str, declared: frozenset[Any]) -> Any:
    if key == "mode":
        return _octal(text)
    if bool in declared:
        return _boolean(key, text)
    if text[:1] in ("{", "[") and any(map(_holds_values, declared)):
        return _json(key, text)
    if str in declared:
        return text
    for kind in (int, float):
        if kind in declared:
            return _number(key, text, kind)
    return _guess(key, text)


def _boolean(key: str, text: str) -> bool:
    if text.lower() not in _WORDS:
        raise OptionError(f"-o {key}={text}: it must be true or false")
    return _WORDS[text.lower()]


def _number(key: str, text: str, kind: type[int | float]) -> float:
    try:
        return kind(text)
    except ValueError:
        what = "a whole number" if kind is int else "a number"
        raise OptionError(f"-o {key}={text}: it must be {what}") from None


def _octal(text: str) -> int:
    try:
        return int(text, 8)
    except ValueError:
        raise OptionError(
            f"-o mode={text}: write permissions as in chmod, for example 640"
        ) from None


def _guess(key: str, text: str) -> Any:
    """The value of a native option: numbers, truth values and JSON are taken for what they are."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if match := _NUMBER.fullmatch(text):
        return float(text) if match[1] else int(text)
    return _json(key, text) if text[:1] in ("{", "[") else text


def _holds_values(kind: Any) -> bool:
    return isinstance(kind, type) and kind is not str and issubclass(kind, Iterable)


def _holds_keys(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Mapping)


def _json(key: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise OptionError(f"-o {key}={text}: no JSON: {error}") from None
