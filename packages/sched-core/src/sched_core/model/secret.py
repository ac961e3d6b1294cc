"""Values that nobody but a job's own process is to see."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NoReturn

from ..errors import CommandError, OptionError

__all__ = ["MASK", "Redactor", "Secret", "refuse_secrets"]

MASK = "***"
"""What is shown in a secret's place."""

_SHORTEST = 4
"""Characters of a text that is looked for in others: shorter ones stand everywhere by chance."""


class Secret:
    """A value for a job's environment that is in no command line, script, record or log.

        await runner.feed(["push"], envs={"TOKEN": Secret(token)})

    `str`, `repr` and `format` show `***`; `reveal` returns the value. Two secrets are equal if their
    values are. It cannot be pickled. Raises CommandError for what no variable can hold.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str | bytes | os.PathLike[str]) -> None:
        self._value: str | None = _checked(value)

    @classmethod
    def withheld(cls) -> Secret:
        """Return a secret of an earlier driver's whose value this process does not know."""
        secret = cls("")
        secret._value = None
        return secret

    @property
    def is_known(self) -> bool:
        """Whether this process knows the value."""
        return self._value is not None

    def reveal(self) -> str:
        """Return the value. Raises OptionError where this process does not know it."""
        if self._value is None:
            raise OptionError("this process does not know the value of the secret; give it again")
        return self._value

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return f"Secret('{MASK}')"

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(Secret)  # one of the value's own would tell which values it cannot be

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled: give it to the other process in another way")


def _checked(value: object) -> str:
    if not isinstance(value, str | bytes | os.PathLike):
        raise CommandError(f"a secret is a text or bytes, not {type(value).__name__}")
    text = os.fsdecode(value)
    if "\0" in text:
        raise CommandError("a secret holds a NUL byte, which no variable can hold")
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        # without the cause, which shows the value
        raise CommandError("a secret holds half of a character (a lone surrogate)") from None
    return text


def refuse_secrets(what: str, value: object) -> None:
    """Raise OptionError where a secret stands in an option, also somewhere within it."""
    if isinstance(value, Secret):
        raise OptionError(
            f"{what} cannot hold a secret, since it is recorded: give it to jobs as a variable, "
            "envs={'TOKEN': Secret(...)}, and use that: \"$TOKEN\""
        )
    if isinstance(value, Mapping):
        refuse_secrets(what, [*value, *value.values()])
    elif isinstance(value, Iterable) and not isinstance(value, str | bytes | os.PathLike):
        for part in _parts(value):
            refuse_secrets(what, part)


def _parts(value: Iterable[Any]) -> Iterable[Any]:
    # What can be gone through only once is left to whom it was given.
    return value if isinstance(value, list | tuple | set | frozenset) else ()


class Redactor:
    """Masks secrets in what others have said: their values, and the lines of longer ones.

    Values of less than four characters are left: they would be found everywhere. Of many values only
    those cost time that begin as something in the text does. Any thread may ask while one adds.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        """Mask these values."""
        self._by_start: dict[str, list[str]] = {}
        self._known: set[str] = set()
        for value in values:
            self.add(value)

    def add(self, value: str) -> None:
        """Mask one more value."""
        for piece in {value, *value.splitlines()} - self._known:
            self._known.add(piece)
            if len(piece.strip()) >= _SHORTEST:
                self._by_start.setdefault(piece[:_SHORTEST], []).append(piece)

    def redact(self, text: str) -> str:
        """Return the text with the values masked."""
        if not self._by_start:
            return text
        parts, shown = [], 0
        for start, end in self._masked(text):
            parts += [text[shown:start], MASK]
            shown = end
        return "".join([*parts, text[shown:]])

    def _masked(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where values are; what overlaps is one place, so that no rest of a value is left."""
        start = end = 0
        for at in range(len(text) - _SHORTEST + 1):
            for piece in self._by_start.get(text[at : at + _SHORTEST], ()):
                if text.startswith(piece, at):
                    if at >= end > start:
                        yield start, end
                    start, end = start if at < end else at, max(end, at + len(piece))
        if end > start:
            yield start, end
