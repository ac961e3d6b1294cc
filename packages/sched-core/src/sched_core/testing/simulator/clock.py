"""Virtual time: the clock jumps to the next timer as soon as every task waits."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar, TypeVarTuple

import anyio

from ..extra import require

__all__ = ["Backend", "run_in_virtual_time", "virtual_clock"]

T = TypeVar("T")
Args = TypeVarTuple("Args")
Backend = Literal["asyncio", "trio"]


def run_in_virtual_time(
    function: Callable[[*Args], Awaitable[T]], *args: *Args, backend: Backend = "asyncio"
) -> T:
    """Run an async function in an event loop of its own, in which no time is spent on waiting.

    `anyio.current_time()` begins near 0 and is virtual, and so is every sleep and deadline.
    """
    if backend == "asyncio":
        return anyio.run(function, *args, backend_options={"loop_factory": _VirtualLoop})
    require("trio")
    import trio
    from trio.testing import MockClock

    # Not by anyio, which before 4.14 has dropped the options for trio: time would be real.
    return trio.run(function, *args, clock=MockClock(autojump_threshold=0))


def virtual_clock() -> Callable[[], float]:
    """Return the clock of the running event loop, to be read from any thread."""
    try:
        return asyncio.get_running_loop().time
    except RuntimeError:
        import trio

        return trio.lowlevel.current_clock().current_time


class _VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time stands still while anything can run."""

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(_Jump(self._advance))

    def time(self) -> float:
        return self._now

    def _advance(self, seconds: float) -> None:
        self._now += seconds


class _Jump(selectors.DefaultSelector):
    """Takes the wish to wait, which a loop has when nothing can run, as word to move the time."""

    def __init__(self, advance: Callable[[float], None]) -> None:
        super().__init__()
        self._advance = advance

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("every task waits, and nothing will ever happen")
        if timeout > 0:
            self._advance(timeout)
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(0)
        return ready
