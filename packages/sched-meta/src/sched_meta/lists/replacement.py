"""The `{}`-forms of a command, filled in with values: argument by argument, never by a shell.

The forms are those of GNU parallel::

    {}    the value             {/}   its last part             {#}   the number of the job, from 1
    {.}   without extension     {//}  the folder it is in       {2}   the value of the second source
    {/.}  last part, without extension                          {2/}  and so on; {-1} is the last

With several sources a form without a number stands for all of them: it becomes several arguments
where it is an argument by itself, and is joined by spaces inside of one. A command without any
form gets the values as further arguments. Braces that are none of these forms stay as they are,
and what a value brought in is never looked at again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sched_core.errors import OptionError

__all__ = ["FORM", "Form", "Template", "has_forms", "parse_form"]

FORM = re.compile(r"\{(?:(?P<number>#)|(?P<slot>%)|(?P<place>-?\d+)?(?P<part>//|/\.|/|\.)?)\}")


@dataclass(frozen=True, slots=True)
class Form:
    """One `{}`-form: which part of which value; `place` counts from 0 and None means all."""

    place: int | None = None
    part: str = ""
    number: bool = False

    def texts(self, values: Sequence[str], number: int) -> list[str]:
        """What the form stands for: one text, or one a source."""
        if self.number:
            return [str(number)]
        part = _PARTS[self.part]
        if self.place is None:
            return [part(value) for value in values]
        return [part(values[self.place])]


class Template:
    """A command with `{}`-forms, parsed once and filled in for many rows of values."""

    def __init__(self, words: Sequence[str], sources: int) -> None:
        self._words = [_parse_word(word, sources) for word in words] if sources else None
        self._literal = list(words)
        self._sources = sources
        self.has_forms = any(
            isinstance(piece, Form) for word in self._words or () for piece in word
        )

    def fill(self, values: Sequence[str], number: int) -> list[str]:
        """Return the words for one row of values; `number` is what `{#}` stands for."""
        if not self.has_forms or self._words is None:
            return [*self._literal, *values]
        return [text for word in self._words for text in _fill_word(word, values, number)]


def has_forms(text: str | None) -> bool:
    """Tell whether a text holds any form."""
    return bool(text and FORM.search(text))


def parse_form(match: re.Match[str], sources: int, literally: str = "") -> Form:
    """Return the form that FORM matched. Raises OptionError where it stands for no source.

    `literally` says how to write these very braces, where that is not to give them as a value.
    """
    if match["number"]:
        return Form(number=True)
    if match["slot"]:
        raise OptionError(
            "{%}: which slot runs a job is not known before it starts; "
            "use --shell, and $SCHED_SLOT in the line"
        )
    if match["place"] is None:
        return Form(part=match["part"] or "")
    number = int(match["place"])
    if not 1 <= abs(number) <= sources:
        have = "1 source" if sources == 1 else f"{sources} sources"
        literally = literally or f"give it as a value: ::: '{match[0]}'"
        raise OptionError(
            f"{match[0]} stands for a value of source {abs(number)}, and there is only {have}"
            f" of values; to have {match[0]} itself in the command, {literally}"
        )
    return Form(number - 1 if number > 0 else sources + number, match["part"] or "")


def _parse_word(word: str, sources: int) -> list[str | Form]:
    pieces: list[str | Form] = []
    end = 0
    for match in FORM.finditer(word):
        if literal := word[end : match.start()]:
            pieces.append(literal)
        pieces.append(parse_form(match, sources))
        end = match.end()
    if end < len(word) or not pieces:
        pieces.append(word[end:])
    return pieces


def _fill_word(word: list[str | Form], values: Sequence[str], number: int) -> list[str]:
    if len(word) == 1 and isinstance(word[0], Form):
        return word[0].texts(values, number)
    return ["".join(_text(piece, values, number) for piece in word)]


def _text(piece: str | Form, values: Sequence[str], number: int) -> str:
    return piece if isinstance(piece, str) else " ".join(piece.texts(values, number))


def _whole(value: str) -> str:
    return value


def _last_part(value: str) -> str:
    return value[value.rfind("/") + 1 :]


def _without_extension(value: str) -> str:
    dot = value.rfind(".")
    return value[:dot] if dot > value.rfind("/") else value


def _folder(value: str) -> str:
    # Perl's File::Basename, which GNU parallel asks, does not count slashes at the end.
    folder, last = _split(value)
    return folder if last else _split(folder)[0]


def _split(value: str) -> tuple[str, str]:
    cut = value.rfind("/") + 1
    folder = value[:cut] or "./"
    return folder[0] + folder[1:].rstrip("/"), value[cut:]


def _stem(value: str) -> str:
    return _without_extension(_last_part(value))


_PARTS: dict[str, Callable[[str], str]] = {
    "": _whole,
    ".": _without_extension,
    "/": _last_part,
    "//": _folder,
    "/.": _stem,
}
