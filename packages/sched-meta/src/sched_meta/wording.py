"""Small pieces of text that several commands print."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Mapping, Sequence

from sched_core.model.units import format_size, format_time

__all__ = [
    "clock",
    "count_jobs",
    "count_of",
    "counted",
    "cut",
    "duration",
    "folded",
    "index_ranges",
    "one_line",
    "pace",
    "plain",
    "quoted",
    "size",
]


def count_of(number: int, thing: str) -> str:
    """'1 file', '2 files', '5,000 files'."""
    return f"{number:,} {thing}" + ("" if number == 1 else "s")


def count_jobs(number: int) -> str:
    """'1 job', '2 jobs', '5,000 jobs'."""
    return count_of(number, "job")


def counted(counts: Mapping[str, int]) -> str:
    """'3 finished, 1 failed': what there is of each."""
    return ", ".join(f"{number:,} {word}" for word, number in counts.items() if number) or "none"


def plain(text: str) -> str:
    """The text without what would move a terminal's cursor or change its colours."""
    return "".join(c if c.isprintable() else "?" for c in text)


def one_line(cmd: Sequence[str], width: int = 0) -> str:
    """The command as one would type it, cut at `width` where that is given."""
    text = " ".join(map(quoted, cmd))
    return cut(text, width)


def quoted(word: str) -> str:
    """The word as bash takes it, whatever it holds, in characters that a terminal can be shown."""
    if word.isprintable():
        return shlex.quote(word)
    return "$'" + "".join(map(_escaped, os.fsencode(word))) + "'"


def _escaped(byte: int) -> str:
    character = chr(byte)
    return character if 32 <= byte < 127 and character not in "'\\" else f"\\x{byte:02x}"


def duration(seconds: float) -> str:
    """'1m32s'; below ten seconds with a decimal."""
    return format_time(round(seconds, 1) if seconds < 10 else round(seconds))


def pace(rate: float) -> str:
    """'1,087/s', '12.5/s', '3.1/min', '0.5/h': so many jobs a second."""
    units = ((rate, "s"), (rate * 60, "min"), (rate * 3600, "h"))
    number, unit = next((pair for pair in units if pair[0] >= 1), units[-1])
    return f"{number:,.0f}/{unit}" if number >= 100 else f"{number:.1f}/{unit}"


def cut(text: str, width: int) -> str:
    """The text, cut at `width` where that is given."""
    return text if not width or len(text) <= width else text[: max(0, width - 3)] + "..."


def folded(title: str, texts: Sequence[str], width: int) -> list[str]:
    """'title: a, b, c', in as many lines as it takes where there is a width; no text is broken."""
    lines = [title + texts[0]]
    for text in texts[1:]:
        if width and len(lines[-1]) + len(", ,") + len(text) > width:
            lines[-1] += ","
            lines.append(" " * len(title) + text)
        else:
            lines[-1] += f", {text}"
    return lines


def size(number: int) -> str:
    """'0 B', '1.5 KiB'."""
    return format_size(number)


def clock(at: float | None) -> str:
    """The local time, '-' where it is not known."""
    return "-" if at is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def index_ranges(indexes: Sequence[int], most: int = 5) -> str:
    """'0-3, 7, 9-12, ...' of sorted indexes; at most `most` pieces."""
    spans: list[tuple[int, int]] = []
    for index in indexes:
        if spans and spans[-1][1] == index - 1:
            spans[-1] = (spans[-1][0], index)
        else:
            spans.append((index, index))
    texts = [str(first) if first == last else f"{first}-{last}" for first, last in spans]
    return ", ".join(texts[:most]) + (", ..." if len(texts) > most else "")
