"""A line on the terminal that says how far something is."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["ticking"]

_INTERVAL = 0.2
_FIRST = 0.5
"""Seconds: what is done by then needs no such line."""
_CLEAR = "\r\x1b[2K"


@contextmanager
def ticking() -> Iterator[Callable[[str], None]]:
    """Let one line of a terminal be written again and again, now and then; it is gone at the end.

    What is called may come from any thread. Where stderr is no terminal nothing is shown.
    """
    due = time.monotonic() + _FIRST
    shown = False

    def show(text: str) -> None:
        nonlocal due, shown
        if (now := time.monotonic()) >= due:
            due, shown = now + _INTERVAL, True
            sys.stderr.write(f"{_CLEAR}sched: {text}")
            sys.stderr.flush()

    if not sys.stderr.isatty():
        yield lambda _: None
        return
    try:
        yield show
    finally:
        if shown:
            sys.stderr.write(_CLEAR)
            sys.stderr.flush()
