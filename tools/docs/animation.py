"""A recorded terminal as an SVG that plays by itself, on light and on dark pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from .recording import Frame, Line, Span

__all__ = ["animated", "fewer"]

WIDTH, HEIGHT = 8.43, 19  # of a character of 14 pixels, and of a line
MARGIN, BAR = 16, 34

COLOURS = {
    "default": "#d5d8de",
    "black": "#6b7280",
    "red": "#ff7b72",
    "green": "#7ee787",
    "brown": "#e3b341",  # pyte's name for yellow
    "blue": "#79c0ff",
    "magenta": "#d2a8ff",
    "cyan": "#76e3ea",
    "white": "#ffffff",
}

_STYLE = """\
text {{ font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre }}
.b {{ font-weight: bold }}
#roll {{ transform: translateY(-{last}px); animation: roll {seconds:.1f}s step-end infinite }}
@media (prefers-reduced-motion: reduce) {{ #roll {{ animation: none }} }}
@keyframes roll {{ {steps} }}
"""

_PICTURE = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="{title}">
<style>
{style}</style>
<rect x="0.5" y="0.5" width="{inner}" height="{tall}" rx="8" fill="#161b22" stroke="#3d444d"/>
<g fill="#4b535d"><circle cx="20" cy="18" r="5.5"/><circle cx="38" cy="18" r="5.5"/><circle cx="56" cy="18" r="5.5"/></g>
<svg x="{margin}" y="{bar}" width="{shown}" height="{screen}" overflow="hidden">
<defs>
{lines}
</defs>
<g id="roll">
{frames}
</g>
</svg>
</svg>
"""


def fewer(frames: Sequence[Frame], least: float = 0.15) -> list[Frame]:
    """Leave out frames that are seen for less than `least` seconds, or are as the one before."""
    kept: list[Frame] = []
    waiting = 0.0
    for frame in frames:
        waiting += frame.seconds
        if kept and kept[-1].lines == frame.lines:
            kept[-1] = Frame(frame.lines, kept[-1].seconds + waiting)
        elif waiting < least:
            continue
        else:
            kept.append(Frame(frame.lines, waiting))
        waiting = 0.0
    return kept


def animated(frames: Sequence[Frame], columns: int, title: str) -> str:
    """Return the frames as one picture. The last one is what viewers show that do not play."""
    rows = len(frames[0].lines)
    names = {line: f"l{n}" for n, line in enumerate(dict.fromkeys(_all_lines(frames)))}
    shown, screen = round(columns * WIDTH), rows * HEIGHT + 6
    return _PICTURE.format(
        title=escape(title),
        width=shown + 2 * MARGIN,
        height=screen + BAR + MARGIN,
        inner=shown + 2 * MARGIN - 1,
        tall=screen + BAR + MARGIN - 1,
        shown=shown,
        screen=screen,
        margin=MARGIN,
        bar=BAR,
        style=_style(frames, screen),
        lines="\n".join(f'<text id="{name}">{_spans(line)}</text>' for line, name in names.items()),
        frames="\n".join(_frame(frame, n * screen, names) for n, frame in enumerate(frames)),
    )


def _all_lines(frames: Sequence[Frame]) -> Iterator[Line]:
    for frame in frames:
        yield from filter(None, frame.lines)


def _style(frames: Sequence[Frame], screen: int) -> str:
    whole, passed, steps = sum(frame.seconds for frame in frames), 0.0, []
    for number, frame in enumerate(frames):
        steps.append(
            f"{100 * passed / whole:.2f}% {{ transform: translateY(-{number * screen}px) }}"
        )
        passed += frame.seconds
    last = (len(frames) - 1) * screen
    steps.append(f"100% {{ transform: translateY(-{last}px) }}")
    return _STYLE.format(last=last, seconds=whole, steps=" ".join(steps))


def _frame(frame: Frame, top: int, names: dict[Line, str]) -> str:
    uses = (
        f'<use href="#{names[line]}" y="{top + (row + 1) * HEIGHT - 4}"/>'
        for row, line in enumerate(frame.lines)
        if line
    )
    return "".join(uses)


def _spans(line: Line) -> str:
    return "".join(map(_span, line))


def _span(span: Span) -> str:
    bold = ' class="b"' if span.bold else ""
    colour = COLOURS.get(span.colour, f"#{span.colour}")
    return f'<tspan fill="{colour}"{bold}>{escape(span.text)}</tspan>'
