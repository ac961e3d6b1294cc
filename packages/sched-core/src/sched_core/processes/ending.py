"""Ending process trees: TERM, a grace period, KILL, for many jobs at once."""

from __future__ import annotations

import signal
from collections.abc import Sequence

from ..ports import Ports
from .tree import ProcessId, Tree, find_all_members, signal_trees, wait_gone

__all__ = ["end_trees"]

_STEP = 0.1
"""Seconds that a worker thread waits at most before cancellation can come through."""


async def end_trees(
    ports: Ports, trees: Sequence[Tree], grace: float, *, patience: float = 5.0
) -> None:
    """End all processes of these trees, those that left their groups and sessions too.

    What is left `grace` seconds after TERM is killed; what hangs in the kernel for `patience` more
    seconds is left to it.
    """
    await ports.offload(_ask_to_end, trees)
    if await _gone_within(ports, trees, grace):
        return
    until = ports.monotonic() + patience
    # Again and again: a process may have forked between the look and the signal.
    while ports.monotonic() < until:
        await ports.offload(signal_trees, trees, signal.SIGKILL)
        if await _gone_within(ports, trees, _STEP):
            return


def _ask_to_end(trees: Sequence[Tree]) -> None:
    signal_trees(trees, signal.SIGTERM)
    signal_trees(trees, signal.SIGCONT)  # what is stopped would not hear it


async def _gone_within(ports: Ports, trees: Sequence[Tree], seconds: float) -> bool:
    until = ports.monotonic() + seconds
    while left := await ports.offload(find_all_members, trees):
        remaining = until - ports.monotonic()
        if remaining <= 0:
            return False
        await ports.offload(_wait, left, min(remaining, _STEP))
    return True


def _wait(processes: list[ProcessId], seconds: float) -> None:
    wait_gone(processes, seconds)
