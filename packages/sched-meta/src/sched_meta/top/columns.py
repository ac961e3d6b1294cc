"""Rows of a table as lines of a terminal's width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from ..tabletext import GAP, fitted, table_width, widest

__all__ = ["Column", "columns_of", "line", "titles"]

_LONGEST = 24
"""Characters of a column, but for the one that takes what is left."""
_LEAST = 8
"""Characters of that one, however narrow the terminal is."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    title: str
    width: int
    """In cells of the terminal; 0 for the one that takes what is left."""
    right: bool = False
    """Whether it holds numbers."""


def columns_of(
    fields: Sequence[tuple[str, bool]], rows: Sequence[Sequence[str]], stretched: int
) -> tuple[Column, ...]:
    """Return columns as wide as what they hold; `fields` are titles, and whether they hold numbers."""
    columns = []
    for number, (title, right) in enumerate(fields):
        longest = widest(row[number] for row in rows)
        width = 0 if number == stretched else min(max(longest, len(title)), _LONGEST)
        columns.append(Column(title, width, right))
    return tuple(columns)


def titles(columns: Sequence[Column], width: int) -> Text:
    """The line with the columns' titles."""
    return Text(line(columns, [column.title for column in columns], width), "bold")


def line(columns: Sequence[Column], cells: Sequence[str], width: int) -> str:
    """The cells under their titles, cut where they are too long."""
    taken = table_width(column.width for column in columns)
    left = max(_LEAST, width - 1 - taken)
    pairs = zip(columns, cells, strict=True)
    return " " + GAP.join(fitted(cell, c.width or left, right=c.right) for c, cell in pairs)
