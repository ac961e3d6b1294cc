"""What an attempt has used, as recorders write it: bash's `times`, and the peak of its memory."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["UNKNOWN", "Usage", "parse_usage", "usage_of_claim"]

# bash's `times`: minutes, seconds; the point is the locale's
_TIMES = re.compile(r"(\d+)m(\d+)[.,](\d+)s (\d+)m(\d+)[.,](\d+)s", re.ASCII)
_PEAK = re.compile(r"M ([1-9][0-9]*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Usage:
    """Seconds that processors have spent on an attempt, and bytes of memory that it had at most.

    None is what nobody told. Processes that nobody has waited for count for nothing.
    """

    user_cpu: float | None = None
    system_cpu: float | None = None
    max_rss: int | None = None

    @property
    def cpu(self) -> float | None:
        """What was spent for the user and the system together."""
        if self.user_cpu is None or self.system_cpu is None:
            return None
        return round(self.user_cpu + self.system_cpu, 3)


UNKNOWN = Usage()
"""What is known of an attempt of which nobody told."""


def usage_of_claim(lines: Sequence[str]) -> Usage:
    """Return what the lines of a claim tell behind its first one.

    `times` writes two lines, the shell's and its children's: once at the claim, once at the end. Of a
    command in a container only the shell inside knows, which writes its own before it tells the end.
    """
    peak = next((int(found[1]) for line in lines if (found := _PEAK.fullmatch(line))), None)
    if "I" in lines:
        return _told_inside(lines, peak)
    spent = [line for line in lines if _TIMES.fullmatch(line)]
    return _difference(spent[1], spent[3], peak) if len(spent) == 4 else Usage(max_rss=peak)


def _told_inside(lines: Sequence[str], peak: int | None) -> Usage:
    ends = [number for number, line in enumerate(lines) if line.startswith("C ")]
    before = lines[ends[-1] - 1] if ends and ends[-1] else ""
    return _difference("0m0.000s 0m0.000s", before, peak)


def parse_usage(word: str) -> Usage:
    """Read the word with which a slot tells the end of a job: what its children had used before it,
    and after it, as `times` writes that, and the peak, by slashes. It may be empty.
    """
    before, _, rest = word.partition("/")
    after, _, peak = rest.partition("/")
    known = int(peak) if peak.isdecimal() and peak.isascii() else None
    return _difference(before.replace(":", " "), after.replace(":", " "), known)


def _difference(before: str, after: str, peak: int | None) -> Usage:
    first, last = _TIMES.fullmatch(before), _TIMES.fullmatch(after)
    if first is None or last is None:
        return Usage(max_rss=peak)
    (user, system), (user_then, system_then) = _clocks(last), _clocks(first)
    return Usage(round(user - user_then, 3), round(system - system_then, 3), peak)


def _clocks(times: re.Match[str]) -> tuple[float, float]:
    words = times.groups()
    return _seconds(*words[:3]), _seconds(*words[3:])


def _seconds(minutes: str, seconds: str, fraction: str) -> float:
    return int(minutes) * 60 + float(f"{seconds}.{fraction}")
