"""Rows of a table as lines of a terminal's width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.text import Text

__all__ = ["Column", "columns_of", "line", "titles"]

_GAP = "  "
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
        longest = max((cell_len(row[number]) for row in rows), default=0)
        width = 0 if number == stretched else min(max(longest, len(title)), _LONGEST)
        columns.append(Column(title, width, right))
    return tuple(columns)


def titles(columns: Sequence[Column], width: int) -> Text:
    """The line with the columns' titles."""
    return Text(line(columns, [column.title for column in columns], width), "bold")


def line(columns: Sequence[Column], cells: Sequence[str], width: int) -> str:
    """The cells under their titles, cut where they are too long."""
    taken = sum(column.width + len(_GAP) for column in columns) - len(_GAP)
    left = max(_LEAST, width - 1 - taken)
    pairs = zip(columns, cells, strict=True)
    return " " + _GAP.join(_cell(cell, c.width or left, right=c.right) for c, cell in pairs)


def _cell(text: str, width: int, *, right: bool) -> str:
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + "…"
    padding = " " * (width - length)
    return padding + text if right else text + padding
