"""Indexes of array tasks, as engines write them: `1-4,7,9-11:2`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["join_ranges", "split_ranges"]

_RANGE = re.compile(r"(\d+)(?:-(\d+)(?::(\d+))?)?", re.ASCII)


def join_ranges(indexes: Iterable[int]) -> str:
    """Write indexes as ranges."""
    spans: list[list[int]] = []
    for index in sorted(set(indexes)):
        if spans and index == spans[-1][1] + 1:
            spans[-1][1] = index
        else:
            spans.append([index, index])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)


def split_ranges(text: str) -> list[int]:
    """Read indexes that are written as ranges. Raises ValueError for anything else."""
    found: list[int] = []
    for word in text.split(","):
        match = _RANGE.fullmatch(word.strip())
        if match is None:
            raise ValueError(f"{text!r} is no list of ranges")
        first, last, step = match.groups()
        found += range(int(first), int(last or first) + 1, int(step or 1))
    return found
