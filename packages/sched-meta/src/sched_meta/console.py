"""What `sched` says on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

__all__ = ["say", "warnings_go_to"]


def say(message: str) -> None:
    """Write a line for the person at the terminal."""
    with suppress(OSError):  # the terminal may be gone: that changes nothing else
        sys.stderr.write(f"sched: {message}\n")
        sys.stderr.flush()


@contextmanager
def warnings_go_to(show: Callable[[str], None]) -> Iterator[None]:
    """Show what the libraries warn of, a line each; tracebacks only with SCHED_DEBUG=1."""
    import logging

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            show(f"{record.levelname.lower()}: {record.getMessage()}")
            if record.exc_info and os.environ.get("SCHED_DEBUG"):
                sys.excepthook(*record.exc_info)

    logger, handler = logging.getLogger("sched"), Handler(logging.WARNING)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
