"""Tables of values (`--table`): TSV or CSV, whose header names the values, or whose columns are numbers."""

from __future__ import annotations

import csv
import io
import itertools
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sched_core.errors import OptionError

from ..wording import count_of
from .replacement import FORM

__all__ = ["Table", "parse_colsep", "parse_table"]

_TABS = (".tsv", ".tab")
_COMMAS = (".csv",)
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")

_Line: TypeAlias = tuple[int, list[str]]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of values that have names."""

    names: tuple[str, ...]
    values: Sequence[Sequence[str]]

    @property
    def width(self) -> int:
        """How many columns there are."""
        return len(self.names)

    def rows(self) -> Sequence[Sequence[str]]:
        """Return the rows, a job each."""
        return self.values


def parse_table(
    content: bytes, name: str = "the table", *, header: bool = True, colsep: str | None = None
) -> Table:
    """Read a table. Blank lines are skipped; a value is quoted as in CSV.

    `colsep` is the character between columns. Without it the name's ending tells, `.csv` or `.tsv`,
    and else the first row: a tab, a comma or a semicolon. Columns are called as the `header` says,
    or 1, 2, ... without one. Bytes that are no UTF-8 are kept. Raises OptionError, which names the
    line, for what is no such table.
    """
    text = _decode(content, name)
    lines = _lines(text, colsep or _probable_colsep(text, name), name)
    first = next(lines, None)
    if first is None:
        raise OptionError(
            f"{name} is empty: it needs a header that names the columns, and rows"
            if header
            else f"{name} is empty: it needs a row for each job"
        )
    return (_with_header if header else _without_header)(first, lines, name)


def parse_colsep(text: str) -> str:
    """Return the character between columns, as `--colsep` was given. Raises OptionError."""
    character = {r"\t": "\t"}.get(text, text)
    if len(character) != 1 or character in '"\r\n\0':
        raise OptionError(
            f"--colsep {text!r}: it must be one character such as '|', or '\\t' for a tab"
        )
    return character


def _decode(content: bytes, name: str) -> str:
    if content.startswith(_UTF_16):
        raise OptionError(f"{name} is UTF-16; save it as UTF-8")
    if b"\0" in content:
        line = content.count(b"\n", 0, content.index(b"\0")) + 1
        raise OptionError(f"{name} is no text: line {line} holds a NUL byte")
    return os.fsdecode(content.removeprefix(b"\xef\xbb\xbf"))


def _probable_colsep(text: str, name: str) -> str:
    first = next(filter(str.strip, text.splitlines()), "")
    ending = os.path.splitext(name)[1].lower()
    if ending in _TABS or (ending not in _COMMAS and "\t" in first):
        return "\t"
    # Where a comma is for decimals, spreadsheets write semicolons.
    return ";" if ";" in first and "," not in first else ","


def _lines(text: str, colsep: str, name: str) -> Iterator[_Line]:
    """Yield the rows that are not blank, each with the line that it starts in."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=colsep, strict=True)
    while True:
        number = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise OptionError(f"{name}, line {number}: {_trouble(error)}") from None
        if any(field.strip() for field in fields):
            yield number, fields


def _trouble(error: csv.Error) -> str:
    if "end of data" in str(error):
        return 'a quoted value that starts here never ends; write a " inside of quotes twice'
    if "expected after" in str(error):
        return 'a quoted value goes on behind its last "; write a " inside of quotes twice'
    return str(error)


def _without_header(first: _Line, lines: Iterator[_Line], name: str) -> Table:
    numbers = tuple(str(number) for number, _ in enumerate(first[1], 1))
    rows = itertools.chain([first], lines)
    return Table(numbers, _check_rows(rows, len(numbers), "the first row has", name))


def _with_header(header: _Line, lines: Iterator[_Line], name: str) -> Table:
    number, fields = header
    names = _names(fields, f"{name}, line {number}")
    rows = _check_rows(lines, len(names), "the header names", name)
    if not rows:
        raise OptionError(
            f"{name} has a header, and no row behind it: there is nothing to run; "
            "give --no-header if it holds values"
        )
    return Table(names, rows)


def _names(fields: Sequence[str], where: str) -> tuple[str, ...]:
    names = tuple(field.strip() for field in fields)
    if "" in names:
        raise OptionError(f"{where}: column {names.index('') + 1} has no name in the header")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        places = [place for place, name in enumerate(names, 1) if name == twice[0]]
        raise OptionError(
            f"{where}: the columns {places[0]} and {places[1]} are both called {twice[0]!r};"
            " rename one, or give --no-header if they are values"
        )
    for name in names:
        _check_name(name, where)
    return names


def _check_name(name: str, where: str) -> None:
    if FORM.fullmatch(f"{{{name}}}"):
        raise OptionError(
            f"{where}: {name!r} cannot be the name of a column, since {{{name}}} has a meaning of"
            " its own; give the first line names, or --no-header if they are values"
        )
    if any(character in name for character in "{}\r\n"):
        raise OptionError(
            f"{where}: {name!r} cannot be the name of a column: no braces and no line ends"
        )


def _check_rows(lines: Iterable[_Line], width: int, who: str, name: str) -> list[list[str]]:
    rows = []
    for number, fields in lines:
        if len(fields) != width:
            have = count_of(len(fields), "value")
            raise OptionError(f"{name}, line {number} has {have}, and {who} {width}")
        rows.append(fields)
    return rows
