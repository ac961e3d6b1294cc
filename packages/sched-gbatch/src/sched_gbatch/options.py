"""What options may hold. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sched_core import OptionError

__all__ = ["flag", "required", "runnables", "text", "words"]


def required(options: Mapping[str, Any], name: str, what: str) -> str:
    """Return an option that has no default. Raises OptionError."""
    value = options.get(name)
    if not value or not isinstance(value, str):
        raise OptionError(f"{name} is missing: give {what} ({name}=...)")
    return value


def text(options: Mapping[str, Any], name: str) -> str | None:
    """Return a text, None where there is none or an empty one. Raises OptionError."""
    value = options.get(name)
    if value is not None and not isinstance(value, str):
        raise OptionError(f"{name} {value!r}: it must be a text")
    return value or None


def flag(options: Mapping[str, Any], name: str) -> bool | None:
    """Return true, false, or None where neither was said. Raises OptionError."""
    value = options.get(name)
    if value is not None and not isinstance(value, bool):
        raise OptionError(f"{name} {value!r}: it must be true or false")
    return value


def words(options: Mapping[str, Any], name: str) -> str | tuple[str, ...] | None:
    """Return a word or a list of words. Raises OptionError."""
    value = options.get(name)
    if value is None or isinstance(value, str):
        return value
    if not isinstance(value, Sequence) or not all(isinstance(word, str) for word in value):
        raise OptionError(f"{name} {value!r}: it must be a word or a list of words")
    return tuple(value)


def runnables(options: Mapping[str, Any], name: str) -> tuple[Mapping[str, Any], ...]:
    """Return a list of mappings. Raises OptionError."""
    value = options.get(name) or ()
    if not isinstance(value, Sequence) or not all(isinstance(one, Mapping) for one in value):
        raise OptionError(
            f"{name}: it must be a list, such as [{{'order': -1, 'script': {{'text': 'mkdir /tmp/x'}}}}]"
        )
    return tuple(value)
