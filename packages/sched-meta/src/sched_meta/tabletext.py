"""Cells of a table on a terminal, where a character may be two cells wide."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["GAP", "fitted", "table_width", "widest"]

GAP = "  "
"""What stands between two columns."""


def widest(texts: Iterable[str]) -> int:
    """Return the cells that the longest of the texts takes, 0 where there is none."""
    from rich.cells import cell_len

    return max(map(cell_len, texts), default=0)


def table_width(widths: Iterable[int]) -> int:
    """Return the cells that columns of these widths take beside each other."""
    columns = list(widths)
    return sum(columns) + len(GAP) * (len(columns) - 1)


def fitted(text: str, width: int, *, right: bool = False, both_ends: bool = False) -> str:
    """Return the text in so many cells, cut at its end, or in its middle for `both_ends`."""
    from rich.cells import cell_len, set_cell_size

    length = cell_len(text)
    if length > width:
        end = (width - 1) // 2 if both_ends else 0
        start = set_cell_size(text, width - 1 - end)
        return f"{start}…{set_cell_size(text[::-1], end)[::-1]}"
    return " " * (width - length) + text if right else text + " " * (width - length)
