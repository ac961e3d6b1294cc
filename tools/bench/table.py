"""The table that people read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .figures import Figure

__all__ = ["number", "table"]

_HEAD = ("case", "what", "value", "target", "verdict", "note")
_RIGHT = {2, 3}


def number(value: float | None, unit: str = "") -> str:
    """Return a number with three digits that count, and its unit."""
    if value is None:
        return "-"
    if abs(value) >= 100 or value == int(value):
        text = f"{value:.0f}"
    else:
        text = f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
    return f"{text} {unit}" if unit else text


def table(figures: Iterable[Figure]) -> str:
    """Return all figures as a Markdown table, which is read as it stands too."""
    rows = [_HEAD, *map(_row, figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    rule = [("-" * (w - 1) + ":") if c in _RIGHT else "-" * w for c, w in enumerate(widths)]
    lines = [_line(row, widths) for row in rows]
    lines.insert(1, _line(rule, widths))
    return "\n".join(lines)


def _row(figure: Figure) -> tuple[str, ...]:
    bound = ">=" if figure.least else "<="
    target = "" if figure.target is None else f"{bound} {number(figure.target, figure.unit)}"
    value = number(figure.value, figure.unit)
    return (figure.case, figure.what, value, target, figure.verdict, figure.note)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell.rjust(width) if column in _RIGHT else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return f"| {' | '.join(padded)} |"
