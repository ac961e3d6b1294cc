"""Which line of a host's a job is drawn on: as few lines as there ever were jobs at a time."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

__all__ = ["pack"]


def pack(spans: Sequence[tuple[float, float]]) -> list[int]:
    """Return a lane for each span of (start, end), so that no two of a lane overlap.

    Lanes are numbered from 0, and the lowest free one is taken.
    """
    lanes = [0] * len(spans)
    free: list[int] = []
    busy: list[tuple[float, int]] = []
    for number in sorted(range(len(spans)), key=lambda number: spans[number]):
        start, end = spans[number]
        while busy and busy[0][0] <= start:
            heapq.heappush(free, heapq.heappop(busy)[1])
        lane = heapq.heappop(free) if free else len(busy)
        lanes[number] = lane
        heapq.heappush(busy, (end, lane))
    return lanes
