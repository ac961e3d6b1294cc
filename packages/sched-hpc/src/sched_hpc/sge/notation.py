"""Times, amounts and settings as Grid Engine writes them. Pure."""

from __future__ import annotations

import re

__all__ = ["RULE", "leading_number", "parse_memory", "parse_time", "settings_of"]

RULE = re.compile(r"={20,}")
"""What stands between two answers in one."""

_MEMORY = re.compile(r"([\d.]+)\s*([kKmMgGtT]?)(?:i?B)?", re.ASCII)
_UNITS = {
    "": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "t": 1000**4,
    "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40,
}  # fmt: skip


def parse_memory(text: str) -> float | None:
    """Read an amount of memory as Grid Engine writes it (`2.5G`, `4.5MB`), None for none."""
    match = _MEMORY.fullmatch(text.strip())
    try:
        return float(match[1]) * _UNITS[match[2]] if match else None
    except ValueError:
        return None


def parse_time(text: str) -> float | None:
    """Read a time as Grid Engine takes it: seconds, or hours, minutes and seconds."""
    try:
        parts = [float(part or 0) for part in text.strip().split(":")]
    except ValueError:
        return None
    return sum((part * 60.0**power for power, part in enumerate(reversed(parts[-3:]))), 0.0)


_SETTING = re.compile(r"(\w+)\s+(\S.*)")


def settings_of(text: str) -> dict[str, str]:
    """Read lines of a name and its value."""
    return {m[1]: m[2].strip() for line in text.splitlines() if (m := _SETTING.match(line))}


def leading_number(text: str) -> int:
    """Return the number that a text begins with, 0 for none."""
    match = re.match(r"\s*(\d+)", text, re.ASCII)
    return int(match[1]) if match else 0
