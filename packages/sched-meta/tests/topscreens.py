"""The screens of `sched top` in a terminal that is none."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from typing import Any

from blockbuster import blockbuster_ctx
from textual.pilot import Pilot

from sched_meta.reading.runfolder import RunFolder
from sched_meta.top.app import TopApp

PATIENCE = 100.0


def text_of(app: TopApp) -> list[str]:
    """What the screen shows, line by line."""
    strips = app.screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip).rstrip() for strip in strips]


class Terminal:
    """Types, and waits for what is to be seen."""

    def __init__(self, pilot: Pilot[Any], app: TopApp) -> None:
        self._pilot = pilot
        self.app = app

    @property
    def text(self) -> str:
        return "\n".join(text_of(self.app))

    def line(self, part: str) -> str:
        """The first line that has this in it."""
        return next(line for line in text_of(self.app) if part in line)

    async def press(self, *keys: str) -> None:
        await self._pilot.press(*keys)

    async def resize(self, width: int, height: int) -> None:
        await self._pilot.resize_terminal(width, height)

    async def shows(self, *parts: str) -> None:
        """Wait until all of that is seen, however it is spaced; it is an error that it never is."""
        wanted = [" ".join(part.split()) for part in parts]
        await self.until(lambda: all(part in " ".join(self.text.split()) for part in wanted))

    async def until(self, what: Callable[[], object]) -> None:
        until = time.monotonic() + PATIENCE
        while not what():
            assert time.monotonic() < until, f"this never came:\n{self.text}"
            await self._pilot.pause(0.02)


@asynccontextmanager
async def opened(
    folder: RunFolder | None, size: tuple[int, int] = (80, 24), *, other_loops: bool = False
) -> AsyncIterator[Terminal]:
    """Show a run, or all; what blocks the screen is an error.

    Not where `other_loops` run beside it, which nobody could tell from the screen's.
    """
    app = TopApp(folder)
    with nullcontext() if other_loops else blockbuster_ctx("sched_meta"):
        async with app.run_test(size=size) as pilot:
            yield Terminal(pilot, app)
