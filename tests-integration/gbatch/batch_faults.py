"""Faults that a test orders, and what was called."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .batch_errors import of_code

__all__ = ["Fault", "Faults", "Traffic"]


@dataclass(slots=True, kw_only=True)
class Fault:
    """What happens to the next calls of some methods."""

    method: str
    """A regular expression."""
    code: str = ""
    message: str = ""
    details: Sequence[Mapping[str, Any]] = ()
    count: int = 1
    """How many calls; -1: all."""
    skip: int = 0
    """Calls before those."""
    applied: bool = False
    """What was asked for is done, and only the answer is lost."""
    hang: bool = False
    """There is no answer at all."""
    delay: float = 0.0
    """Seconds before anything happens."""

    def meets(self, method: str) -> bool:
        """Say whether it is this call's turn, and count the call."""
        if not self.count or not re.fullmatch(self.method, method):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.count -= self.count > 0
        return True

    async def before(self) -> None:
        await asyncio.sleep(self.delay)
        if not self.applied:
            await self._strike()

    async def after(self) -> None:
        if self.applied:
            await self._strike()

    async def _strike(self) -> None:
        if self.hang:
            await asyncio.Event().wait()
        if self.code:
            raise of_code(self.code, self.message, self.details)


class Faults:
    """Those that are still to come, each call meeting the first that fits."""

    def __init__(self) -> None:
        self._ordered: list[Fault] = []

    def order(self, fault: Fault) -> None:
        self._ordered.append(fault)

    def clear(self) -> None:
        self._ordered.clear()

    def take(self, method: str) -> Fault:
        for fault in self._ordered:
            if fault.meets(method):
                return fault
        return Fault(method=method)


class Traffic:
    """The calls, by method; a page that follows another counts as METHOD.next, too."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.counts: Counter[str] = Counter()
        self.requests: list[dict[str, str]] = []

    def note(self, method: str, request: Any) -> None:
        self.counts[method] += 1
        if getattr(request, "page_token", ""):
            self.counts[f"{method}.next"] += 1
        told = {name: str(getattr(request, name, "")) for name in _TOLD}
        self.requests.append(
            {"method": method} | {name: value for name, value in told.items() if value}
        )


_TOLD = "name parent job_id request_id filter page_size page_token".split()
