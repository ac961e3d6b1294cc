"""A driver that is killed at one point of a submission."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from sched_core import Scheduler
from sched_core.ports import Ports

__all__ = ["POINTS", "die_at"]

POINTS = ("unrecorded", "recorded", "called", "answered", "noting", "noted")
"""Before its record is written and after, before the engine is called and after, and before and
after the driver notes what the engine has said.
"""


def die_at(point: str, scheduler: Scheduler, ports: Ports) -> None:
    """Have this process killed when its first submission has come that far."""
    _Doomed(point).watch(scheduler, ports)


class _Doomed:
    def __init__(self, point: str) -> None:
        self._point = point
        self._answered = False

    def watch(self, scheduler: Any, ports: Any) -> None:
        for name in ("submit_job", "submit_jobs"):
            setattr(scheduler, name, self._calling(getattr(scheduler, name)))
        ports.files.create = self._creating(ports.files.create)

    def _calling(self, submit: Callable[..., Any]) -> Callable[..., Any]:
        async def calling(*args: Any) -> Any:
            self._reach("called")
            answer = await submit(*args)
            self._reach("answered")
            self._answered = True
            return answer

        return calling

    def _creating(self, create: Callable[[str, bytes], bool]) -> Callable[[str, bytes], bool]:
        def creating(path: str, data: bytes) -> bool:
            before, after = self._around(path)
            self._reach(before)
            made = create(path, data)
            self._reach(after)
            return made

        return creating

    def _around(self, path: str) -> tuple[str, str]:
        if "/.sched/submissions/" in path:
            return "unrecorded", "recorded"
        if self._answered and "/.sched/journal/" in path:
            return "noting", "noted"
        return "", ""

    def _reach(self, point: str) -> None:
        if point and point == self._point:
            os.kill(os.getpid(), signal.SIGKILL)
