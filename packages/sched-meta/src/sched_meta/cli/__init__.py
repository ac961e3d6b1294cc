"""The command `sched`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(args: Sequence[str] | None = None) -> int:
    """Run `sched` with these arguments, those of the process by default; return its exit code."""
    try:
        from .group import sched
        from .invoke import invoke
    except KeyboardInterrupt:
        return 130
    return invoke(sched, sys.argv[1:] if args is None else args)
