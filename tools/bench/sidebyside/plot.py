"""The plots of docs/benchmarks: `python -m bench.sidebyside.plot FILE FOLDER`, with matplotlib."""

# What is imported is in an environment of its own, which mypy does not see.
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..table import number
from .document import read
from .summary import Line, lines_of

__all__ = ["draw"]

_THEMES = {
    "light": {"ink": "#1f2328", "faint": "#d1d9e0", "ours": "#0969da", "theirs": "#8c959f"},
    "dark": {"ink": "#e6edf3", "faint": "#3d444d", "ours": "#58a6ff", "theirs": "#848d97"},
}
_WIDTH = 8.2
_ROW = 0.34
_MARGIN = 1.05
"""Inches for the title and the axis."""


def draw(fields: Sequence[Mapping[str, Any]], folder: Path) -> list[Path]:
    """Draw each field in light and in dark; return the files."""
    import matplotlib as mpl

    # Text stays text: small, searchable, and in the viewer's own font; the same input, the same file.
    mpl.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "sched", "font.family": "sans-serif"}
    files = []
    for field in fields:
        for theme, colours in _THEMES.items():
            if field["rows"]:
                files.append(folder / f"{field['name']}-{theme}.svg")
                _draw(field, colours, files[-1])
    return files


def _draw(field: Mapping[str, Any], colours: Mapping[str, str], file: Path) -> None:
    from matplotlib.figure import Figure

    lines = lines_of(field)
    size = (_WIDTH, _ROW * len(lines) + _MARGIN)
    figure = Figure(figsize=size)
    axes = figure.add_subplot()
    _bars(axes, lines, colours)
    _dress(axes, field, lines, colours)
    figure.subplots_adjust(left=0.28, right=0.97, top=1 - 0.5 / size[1], bottom=0.5 / size[1])
    figure.savefig(file, transparent=True, metadata={"Date": None, "Creator": None})


def _bars(axes: Any, lines: Sequence[Line], colours: Mapping[str, str]) -> None:
    least, _ = _ends(lines)
    for place, line in enumerate(lines):
        colour = colours["ours" if line.ours else "theirs"]
        if line.typical is None:
            _say(axes, _short(line.failure), (least, place), colours)
            continue
        axes.barh(place, line.typical - least, left=least, height=0.62, color=colour)
        axes.plot(
            [min(line.each), max(line.each)], [place] * 2, color=colours["ink"], linewidth=1.4
        )
        _say(axes, number(line.typical), (max(line.each), place), colours)


def _say(axes: Any, text: str, at: tuple[float, float], colours: Mapping[str, str]) -> None:
    beside = {"xytext": (5, 0), "textcoords": "offset points", "va": "center"}
    axes.annotate(text, at, color=colours["ink"], **beside)


def _short(failure: str) -> str:
    return failure if len(failure) < 60 else f"{failure[:57]}..."


def _ends(lines: Sequence[Line]) -> tuple[float, float]:
    """Return where a logarithmic axis begins and ends."""
    all_of_them = [each for line in lines for each in line.each] or [1.0]
    return min(all_of_them) / 2.5, max(all_of_them) * 2.2


def _dress(
    axes: Any, field: Mapping[str, Any], lines: Sequence[Line], colours: Mapping[str, str]
) -> None:
    from matplotlib.ticker import FuncFormatter, NullFormatter

    axes.set_xscale("log")
    axes.set_xlim(*_ends(lines))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_yticks(range(len(lines)), [line.name for line in lines])
    axes.set_ylim(len(lines) - 0.5, -0.5)
    axes.set_xlabel("ms a job, logarithmic: less is better; lines from least to most")
    axes.set_title(f"{field['title']}, {field['at_once']}", loc="left", color=colours["ink"])
    axes.xaxis.label.set_color(colours["ink"])
    axes.tick_params(colors=colours["ink"], which="both", length=0)
    axes.grid(axis="x", color=colours["faint"], linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    for drawn in draw(read(source), target):
        print(drawn)
