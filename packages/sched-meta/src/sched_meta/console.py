"""What `sched` says on stderr."""

from __future__ import annotations

import sys

__all__ = ["say"]


def say(message: str) -> None:
    """Write a line for the person at the terminal."""
    sys.stderr.write(f"sched: {message}\n")
    sys.stderr.flush()
