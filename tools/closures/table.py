"""The table of README.md: made of what was measured, and read again to be compared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .closure import Closure
from .timing import Times

__all__ = ["MEND", "Row", "differences", "rendered", "rows_in"]

MEND = (
    "if that is meant to be, `python3 tools/dev.py build --all` and then "
    "`python3 tools/dev.py run closures --write` write the table of README.md anew"
)
_NAMED = 3
_SMALLEST = 0.01
_SHARE, _LEAST = 0.1, 0.5
_ROW = re.compile(
    r"^\| `(?P<install>[^`]+)` \| (?P<packages>\d+) \| (?P<megabytes>[\d.]+) \|", re.MULTILINE
)
_LIST = re.compile(r"^- `(?P<install>[^`]+)`: (?P<sizes>.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Row:
    """What the table says about one install."""

    packages: int
    megabytes: float
    names: frozenset[str]


def rendered(closures: Mapping[str, Closure], times: Mapping[str, Times]) -> str:
    """Return the table, and below it what each install brings, as Markdown."""
    head = ("install", "packages", "MB", "import, ms", "on first use, ms", "most of it, MB")
    rows = [_cells(name, closure, times[name]) for name, closure in closures.items()]
    rule = "|---|---:|---:|---:|---|---|"
    lists = [f"- `{name}`: {_sizes(closure)}" for name, closure in closures.items()]
    summary = "<summary>All packages of each, with their MB</summary>"
    table = [_line(head), rule, *map(_line, rows)]
    details = ["<details>", summary, "", *lists, "", "</details>"]
    return "\n".join([*table, "", *details, ""])


def _cells(name: str, closure: Closure, times: Times) -> Sequence[str]:
    later = ", ".join(f"{what} {ms}" for what, ms in times.on_first_use.items())
    size = f"{closure.megabytes:.1f}"
    most = _sizes(closure, _NAMED)
    return (f"`{name}`", str(len(closure.sizes)), size, str(times.imports), later, most)


def _sizes(closure: Closure, most: int | None = None) -> str:
    by_size = sorted(closure.sizes.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name} {max(size / 1e6, _SMALLEST):.2g}" for name, size in by_size[:most])


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def rows_in(text: str) -> dict[str, Row]:
    """Return what a table says that `rendered` has made."""
    names = {found["install"]: _names(found["sizes"]) for found in _LIST.finditer(text)}
    return {
        found["install"]: Row(
            int(found["packages"]),
            float(found["megabytes"]),
            names.get(found["install"], frozenset()),
        )
        for found in _ROW.finditer(text)
    }


def _names(sizes: str) -> frozenset[str]:
    return frozenset(word.split()[0] for word in sizes.split(", "))


def differences(rows: Mapping[str, Row], closures: Mapping[str, Closure]) -> list[str]:
    """Return a line for each install of which the table says something else."""
    gone = [f"{name} is in README.md and no longer installed" for name in rows.keys() - closures]
    told = (_difference(name, rows.get(name), closure) for name, closure in closures.items())
    return [*sorted(gone), *filter(None, told)]


def _difference(name: str, row: Row | None, closure: Closure) -> str | None:
    if row is None:
        return f"{name} is not in README.md"
    if row.packages != len(closure.sizes):
        changes = _changes(row.names, closure.sizes.keys())
        return f"{name} is {len(closure.sizes)} packages, README.md has {row.packages}: {changes}"
    if abs(closure.megabytes - row.megabytes) > tolerance(row.megabytes):
        return f"{name} takes {closure.megabytes:.1f} MB, README.md has {row.megabytes}"
    return None


def tolerance(megabytes: float) -> float:
    """Return by how much a size may differ, in megabytes: releases of others come and go."""
    return max(_LEAST, _SHARE * megabytes)


def _changes(before: Iterable[str], now: Iterable[str]) -> str:
    more, less = sorted({*now} - {*before}), sorted({*before} - {*now})
    return ", ".join([*(f"+{name}" for name in more), *(f"-{name}" for name in less)])
