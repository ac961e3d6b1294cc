"""The `{}`-forms of a command, filled in with values: argument by argument, never by a shell.

The forms are those of GNU parallel::

    {}    the value             {/}   its last part             {#}   the number of the job, from 1
    {.}   without extension     {//}  the folder it is in       {2}   the value of the second source
    {/.}  last part, without extension                          {2/}  and so on; {-1} is the last

With several sources a form without a number stands for all of them: it becomes several arguments
where it is an argument by itself, and is joined by spaces inside of one. A command without any
form gets the values as further arguments. Braces that are none of these forms stay as they are,
and what a value brought in is never looked at again.

The values of a table have names, too: `{sample}`, `{sample.}`, `{sample/}`, `{sample//}`, `{sample/.}`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from sched_core.errors import OptionError

from ..wording import count_of

__all__ = ["FORM", "Form", "Grammar", "Template", "has_forms"]

_PART = r"(?:\.|/|//|/\.)"
_WORD = r"[^\W\d][\w-]*"
_NEVER = "(?!)"


def _pattern(names: Sequence[str]) -> re.Pattern[str]:
    known = "|".join(sorted(map(re.escape, names), key=len, reverse=True)) or _NEVER
    # What looks like a column's name: no ${variable} of bash, and no redirection {fd}>file.
    unknown = _WORD if names else _NEVER
    return re.compile(
        r"\{(?:(?P<number>#)|(?P<slot>%)"
        rf"|(?:(?P<place>-?\d+)|(?P<name>{known}))?(?P<part>{_PART})?)\}}"
        rf"|(?<!\$)\{{(?P<unknown>{unknown}){_PART}?\}}(?![<>])"
    )


FORM = _pattern(())
_PERL = re.compile(r"\{=.*=\}")


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


class Grammar:
    """The forms of a command: what they are, and which value each stands for."""

    def __init__(self, sources: int, names: Sequence[str] = ()) -> None:
        """Know how many sources of values there are, and the names of a table's columns."""
        self.sources = sources
        self.names = names
        self._pattern = _pattern(names) if names else FORM

    def find(self, text: str) -> Iterator[re.Match[str]]:
        """Yield what looks like a form, from left to right; nothing where there are no values.

        Raises OptionError for GNU parallel's Perl, which nothing else looks like.
        """
        if not self.sources:
            return iter(())
        if perl := _PERL.search(text):
            raise OptionError(f"{perl[0]} is Perl, which only GNU parallel runs; use --shell")
        return self._pattern.finditer(text)

    def parse(self, match: re.Match[str], literally: str = "") -> Form:
        """Return the form that was found. Raises OptionError where it stands for no value.

        `literally` says how to write these very braces, where that is not to give them as a value.
        """
        if match["unknown"] is not None:
            raise OptionError(self._no_column(match, literally))
        if match["number"]:
            return Form(number=True)
        if match["slot"]:
            raise OptionError(
                "{%}: which slot runs a job is not known before it starts; "
                "use --shell, and $SCHED_SLOT in the line"
            )
        return Form(self._place(match, literally), match["part"] or "")

    def names_a_column(self, texts: Iterable[str]) -> bool:
        """Tell whether a form stands for a column by its name."""
        return any(match["name"] is not None for text in texts for match in self.find(text))

    def _place(self, match: re.Match[str], literally: str) -> int | None:
        if match["name"] is not None:
            return self.names.index(match["name"])
        if match["place"] is None:
            return None
        number = int(match["place"])
        if not 1 <= abs(number) <= self.sources:
            raise OptionError(self._no_source(match[0], abs(number), literally))
        return number - 1 if number > 0 else self.sources + number

    def _no_source(self, form: str, number: int, literally: str) -> str:
        if self.names:
            hint = "; --colsep says what stands between columns" if self.sources == 1 else ""
            return f"{form} stands for column {number}, and the table has only {self.sources}{hint}"
        have = count_of(self.sources, "source")
        literally = literally or f"give it as a value: ::: '{form}'"
        return (
            f"{form} stands for a value of source {number}, and there is only {have}"
            f" of values; to have {form} itself in the command, {literally}"
        )

    def _no_column(self, match: re.Match[str], literally: str) -> str:
        form, word = match[0], match["unknown"]
        folded = {name.casefold(): name for name in self.names}
        near = difflib.get_close_matches(word.casefold(), folded, 1)
        meant = f"{{{folded[near[0]]}{form[1 + len(word) :]}" if near else ""
        hint = f"did you mean {meant}?" if meant else f"there are {self.examples()}."
        literally = literally or "use --shell, and single quotes around it in the line"
        return (
            f"{form} is no column of the table; {hint}"
            f" To have {form} itself in the command, {literally}"
        )

    def examples(self, most: int = 6) -> str:
        """Return the columns as forms, the first few of many."""
        shown = [f"{{{name}}}" for name in self.names[:most]]
        return ", ".join(shown) + (", ..." if len(self.names) > most else "")


class Template:
    """A command with `{}`-forms, parsed once and filled in for many rows of values."""

    def __init__(self, words: Sequence[str], sources: int, names: Sequence[str] = ()) -> None:
        grammar = Grammar(sources, names)
        self._words = [_parse_word(word, grammar) for word in words]
        self._literal = list(words)
        self.has_forms = any(isinstance(piece, Form) for word in self._words for piece in word)

    def fill(self, values: Sequence[str], number: int) -> list[str]:
        """Return the words for one row of values; `number` is what `{#}` stands for."""
        if not self.has_forms:
            return [*self._literal, *values]
        return [text for word in self._words for text in _fill_word(word, values, number)]


def has_forms(text: str | None) -> bool:
    """Tell whether a text holds any form of values without names."""
    return bool(text and FORM.search(text))


def _parse_word(word: str, grammar: Grammar) -> list[str | Form]:
    pieces: list[str | Form] = []
    end = 0
    for match in grammar.find(word):
        if literal := word[end : match.start()]:
            pieces.append(literal)
        pieces.append(grammar.parse(match))
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
