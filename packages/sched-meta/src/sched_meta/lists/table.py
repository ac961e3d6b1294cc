"""Tables of values (`--table`): TSV or CSV, whose header names the values."""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sched_core.errors import OptionError

from ..wording import count_of
from .replacement import FORM

__all__ = ["Table", "parse_table"]

_TABS = (".tsv", ".tab")
_COMMAS = (".csv",)
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


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
        """Return the rows behind the header."""
        return self.values


def parse_table(content: bytes, name: str = "the table") -> Table:
    """Read a table with a header. Blank lines are skipped; a value is quoted as in CSV.

    What parts the values is told by the name's ending, `.csv` or `.tsv`, and else by the header: a
    tab, a comma or a semicolon. Bytes that are no UTF-8 are kept. Raises OptionError, which names
    the line, for what is no such table.
    """
    text = _decode(content, name)
    lines = _lines(text, _separator(text, name), name)
    header = next(lines, None)
    if header is None:
        raise OptionError(f"{name} is empty: it needs a header that names the columns, and rows")
    number, fields = header
    names = _names(fields, f"{name}, line {number}")
    rows = [_check_row(fields, names, f"{name}, line {number}") for number, fields in lines]
    if not rows:
        raise OptionError(f"{name} has a header, and no row behind it: there is nothing to run")
    return Table(names, rows)


def _decode(content: bytes, name: str) -> str:
    if content.startswith(_UTF_16):
        raise OptionError(f"{name} is UTF-16; save it as UTF-8")
    if b"\0" in content:
        line = content.count(b"\n", 0, content.index(b"\0")) + 1
        raise OptionError(f"{name} is no text: line {line} holds a NUL byte")
    return os.fsdecode(content.removeprefix(b"\xef\xbb\xbf"))


def _separator(text: str, name: str) -> str:
    header = next(filter(str.strip, text.splitlines()), "")
    ending = os.path.splitext(name)[1].lower()
    if ending in _TABS or (ending not in _COMMAS and "\t" in header):
        return "\t"
    # Where a comma is for decimals, spreadsheets write semicolons.
    return ";" if ";" in header and "," not in header else ","


def _lines(text: str, separator: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not blank, each with the line that it starts in."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
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


def _names(fields: Sequence[str], where: str) -> tuple[str, ...]:
    names = tuple(field.strip() for field in fields)
    if "" in names:
        raise OptionError(f"{where}: column {names.index('') + 1} has no name in the header")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        places = [place for place, name in enumerate(names, 1) if name == twice[0]]
        raise OptionError(
            f"{where}: the columns {places[0]} and {places[1]} are both called {twice[0]!r};"
            " rename one"
        )
    for name in names:
        _check_name(name, where)
    return names


def _check_name(name: str, where: str) -> None:
    if FORM.fullmatch(f"{{{name}}}"):
        raise OptionError(
            f"{where}: {name!r} cannot be the name of a column, since {{{name}}} has a meaning of"
            " its own; the first line must be a header with names"
        )
    if any(character in name for character in "{}\r\n"):
        raise OptionError(
            f"{where}: {name!r} cannot be the name of a column: no braces and no line ends"
        )


def _check_row(fields: list[str], names: Sequence[str], where: str) -> list[str]:
    if len(fields) != len(names):
        have = count_of(len(fields), "value")
        raise OptionError(f"{where} has {have}, and the header names {len(names)}")
    return fields
