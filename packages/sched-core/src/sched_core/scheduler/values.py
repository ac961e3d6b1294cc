"""What options may hold, by its kind. Each check returns the value, or raises OptionError."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from ..errors import OptionError

__all__ = ["check_path", "check_prefix", "check_text", "check_texts", "check_variables"]

_PATHS = (str, bytes, os.PathLike)


def check_path(name: str, value: object) -> str | os.PathLike[str]:
    """Return a path as it is: one that knows where jobs see it goes on doing so."""
    if isinstance(value, bytes):
        return os.fsdecode(value)
    if not isinstance(value, str | os.PathLike):
        raise OptionError(f"{name} {value!r}: it must be a path")
    return value


def check_text(name: str, value: object) -> str:
    """Return a text, an empty one for None."""
    if value is not None and not isinstance(value, str):
        raise OptionError(f"{name} {value!r}: it must be a text")
    return value or ""


def check_texts(name: str, value: object) -> list[str]:
    """Return a list of texts or paths, of which one may stand alone; None is an empty list."""
    if value is None:
        return []
    given = [value] if isinstance(value, _PATHS) else value
    found = list(given) if isinstance(given, Iterable) else [given]
    texts = [os.fsdecode(one) for one in found if isinstance(one, _PATHS)]
    if len(texts) < len(found):
        raise OptionError(f"{name} {value!r}: it must be a text or a list of texts")
    return texts


def check_variables(name: str, value: object) -> dict[str, str]:
    """Return names of variables by other names; None stands for no names."""
    given = {} if value is None else value
    if not isinstance(given, Mapping) or not all(
        isinstance(one, str) for pair in given.items() for one in pair
    ):
        raise OptionError(f"{name} {value!r}: give names of variables, {{'MINE': 'SCHED_WORKDIR'}}")
    return dict(given)


def check_prefix(name: str, value: object) -> str | None:
    """Return what names begin with, or None."""
    if value is not None and not (isinstance(value, str) and value and value.isprintable()):
        raise OptionError(f"{name} {value!r}: it must be a printable text that is not empty")
    return value
