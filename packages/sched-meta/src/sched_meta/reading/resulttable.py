"""Rows of results as a table for people, as wide as their terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..tabletext import GAP, fitted, table_width, widest
from ..wording import duration, plain, size

__all__ = ["as_table"]

Row = Mapping[str, Any]

_LEAST = 12
"""What a column of text is cut to, at least."""
_LONGEST = 400
_NUMBERS = frozenset({"index", "rc", "attempt", "wall", "cpu", "max_rss"})
_TELL_AT_BOTH_ENDS = frozenset({"cmd"})
"""Commands of a run begin alike; what they differ in comes last."""
_LEFT_OUT_WHERE_ALIKE: Mapping[str, Callable[[Any], bool]] = {
    "name": lambda value: value is None,
    "rc": lambda value: value in (None, 0),
    "failure": lambda value: value is None,
    "attempt": lambda value: value == 1,
    "submitted": lambda value: True,
    "ended": lambda value: True,
    "cpu": lambda value: value is None,
    "max_rss": lambda value: value is None,
}
"""The columns that tell nothing where that holds for all rows."""
_LEFT_OUT_FIRST = ("started", "attempt", "host", "cpu", "max_rss")
"""Where there is no room for all."""


def as_table(rows: Sequence[Row], width: int, *, usual: bool, color: bool) -> Iterator[str]:
    """Yield the lines of a table that is no wider than `width`.

    `usual` tells that nobody asked for these columns: those that say nothing here are left out, and
    some more where there is no room.
    """
    names = [name for name in rows[0] if not (usual and _says_nothing(name, rows))] if rows else []
    columns = {name: [name, *(_cell(name, row[name]) for row in rows)] for name in names}
    widths = {name: widest(column) for name, column in columns.items()}
    for name in _LEFT_OUT_FIRST if usual else ():
        if _narrowest(widths) > width:
            widths.pop(name, None)
    _cut(widths, width)
    for number in range(len(rows) + 1):
        line = _line({name: columns[name][number] for name in widths}, widths, width)
        red = color and number > 0 and rows[number - 1].get("failure")
        yield f"\x1b[31m{line}\x1b[0m" if red else line


def _says_nothing(name: str, rows: Sequence[Row]) -> bool:
    if name == "host":
        return len({row["host"] for row in rows if row["host"]}) < 2
    test = _LEFT_OUT_WHERE_ALIKE.get(name)
    return test is not None and all(test(row[name]) for row in rows)


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "-"
    match name:
        case "queued" | "submitted" | "started" | "ended":
            return _time(value)
        case "wall" | "cpu":
            return duration(value)
        case "max_rss":
            return size(value)
        case "stdout" | "stderr" | "reason":
            return plain(" ".join(value[:_LONGEST].split()))
    return plain(str(value)[:_LONGEST])


def _time(at: float) -> str:
    """The time of day; with the date where that is not today's."""
    then = time.localtime(at)
    today = then[:3] == time.localtime()[:3]
    return time.strftime("%H:%M:%S" if today else "%m-%d %H:%M:%S", then)


def _narrowest(widths: Mapping[str, int]) -> int:
    """How wide a table has to be for its texts to be cut to something of use."""
    return table_width(min(width, _LEAST) for width in widths.values())


def _cut(widths: dict[str, int], width: int) -> None:
    """Have the widest columns give way until all fit, as far as that is of use."""
    while table_width(widths.values()) > width:
        most, second = sorted((*widths.values(), _LEAST), reverse=True)[:2]
        name = max(widths, key=widths.__getitem__)
        excess = table_width(widths.values()) - width
        if widths[name] <= _LEAST:
            return  # so narrow a terminal: lines are cut at its edge
        widths[name] -= min(excess, max(1, most - second))


def _line(cells: Mapping[str, str], widths: Mapping[str, int], width: int) -> str:
    shown = [
        fitted(
            cells[name], widths[name], right=name in _NUMBERS, both_ends=name in _TELL_AT_BOTH_ENDS
        )
        for name in cells
    ]
    line = GAP.join(shown).rstrip()
    return line if table_width(widths.values()) <= width else fitted(line, width).rstrip()
