"""Amounts as the report writes them: as close as people look."""

from __future__ import annotations

import time

from sched_core.model.units import format_memory, format_time

__all__ = ["cores", "memory_text", "moment", "span"]

_UNITS = (1 << 40, 1 << 30, 1 << 20, 1 << 10)


def span(seconds: float) -> str:
    """'12ms', '4.6s', '3h25m': the two largest units."""
    if seconds < 1:
        return f"{round(seconds * 1000)}ms" if seconds else "0s"
    if seconds < 60:
        return format_time(round(seconds, 1) if seconds < 10 else round(seconds))
    for smaller, larger in ((1, 3600), (60, 86400)):
        if seconds < larger:
            return format_time(round(seconds / smaller) * smaller)
    return format_time(round(seconds / 3600) * 3600)


def memory_text(size: float) -> str:
    """'1.5 GiB': to a tenth, since nobody measures closer."""
    for unit in _UNITS:
        if size >= unit:
            return format_memory(round(size / unit * 10) * unit // 10)
    return format_memory(int(size))


def cores(number: float) -> str:
    """'1 core', '2.5 cores'."""
    text = f"{number:.2g}" if number < 10 else f"{number:.0f}"
    return f"{text} core" if text == "1" else f"{text} cores"


def moment(at: float) -> str:
    """The local time, with its distance from that of the rest of the world."""
    return time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(at))
