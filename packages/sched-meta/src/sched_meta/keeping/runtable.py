"""Rows of runs as text: a table for people, TSV and JSON lines for programs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence

from ..reading.resultformats import iso_time
from ..tabletext import GAP, fitted, table_width, widest
from ..wording import duration, plain, size
from .overview import RunRow

__all__ = ["as_json_lines", "as_table", "as_tsv"]

_LEFT_OUT_FIRST = ("took", "scheduler", "failed", "begun")
"""Where there is no room for all."""
_NUMBERS = frozenset({"jobs", "failed", "took", "size", "files"})

_CELLS: dict[str, Callable[[RunRow], str]] = {
    "name": lambda row: plain(row.name),
    "scheduler": lambda row: plain(row.scheduler or "-"),
    "state": lambda row: row.state,
    "jobs": lambda row: "-" if row.jobs is None else _of(row.done or 0, row.jobs),
    "failed": lambda row: f"{row.failed:,}" if row.failed else "-",
    "begun": lambda row: "-" if row.begun is None else _minute(row.begun),
    "took": lambda row: "-" if row.took is None else duration(row.took),
    "size": lambda row: "-" if row.size is None else size(row.size),
    "files": lambda row: "-" if row.files is None else f"{row.files:,}",
}
_COLUMNS = "name folder scheduler state driver jobs done failed begun last took size files problem"


def as_table(rows: Sequence[RunRow], width: int) -> Iterator[str]:
    """Yield the lines of a table that is no wider than `width`, if what it needs fits at all."""
    columns = {name: [name, *map(cell, rows)] for name, cell in _CELLS.items()}
    if all(row.files is None for row in rows):
        columns = {n: cells for n, cells in columns.items() if n not in ("size", "files")}
    widths = {name: widest(cells) for name, cells in columns.items()}
    for name in _LEFT_OUT_FIRST:
        if table_width(widths.values()) > width:
            del widths[name]
    excess = max(0, table_width(widths.values()) - width)
    widths["name"] = max(min(8, widths["name"]), widths["name"] - excess)
    for number in range(len(rows) + 1):
        cells = (
            fitted(columns[name][number], width, right=name in _NUMBERS)
            for name, width in widths.items()
        )
        yield GAP.join(cells).rstrip()


def as_tsv(rows: Sequence[RunRow]) -> Iterator[str]:
    """Yield lines of values between tabs: bytes, seconds, times in ISO 8601."""
    names = _COLUMNS.split()
    yield "\t".join(names)
    for row in rows:
        values = _values(row)
        yield "\t".join("" if values[n] is None else plain(str(values[n])) for n in names)


def as_json_lines(rows: Sequence[RunRow]) -> Iterator[str]:
    """Yield a JSON object a run."""
    for row in rows:
        yield json.dumps(_values(row))


def _values(row: RunRow) -> dict[str, object]:
    values = row.to_json()
    for name in ("begun", "last"):
        values[name] = None if values[name] is None else iso_time(values[name])
    values["took"] = None if row.took is None else round(row.took, 3)
    return values


def _of(done: int, jobs: int) -> str:
    return f"{jobs:,}" if done == jobs else f"{done:,}/{jobs:,}"


def _minute(at: float) -> str:
    then = time.localtime(at)
    this_year = then.tm_year == time.localtime().tm_year
    return time.strftime("%m-%d %H:%M" if this_year else "%Y-%m-%d", then)
