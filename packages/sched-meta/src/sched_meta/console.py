"""What `sched` says on stderr, and how it writes to stdout."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar

__all__ = [
    "for_stdout",
    "legible",
    "line_width",
    "say",
    "stdout_has_colors",
    "stdout_is_terminal",
    "terminal_width",
    "warnings_go_to",
    "words_go_to",
    "write_output",
    "write_text",
]

_WRITTEN_AT_ONCE = 1 << 16
_TURNS = {*range(0x202A, 0x202F), *range(0x2066, 0x206A)}
"""Characters that turn the direction of what follows: a line would be read as another one."""
_CONTROLS = dict.fromkeys(({*range(32), *range(127, 160)} | _TURNS) - {*map(ord, "\n\t")}, "?")

_listener: ContextVar[Callable[[str], None] | None] = ContextVar("listener", default=None)


def say(message: str) -> None:
    """Write a line for the person at the terminal, whom no name of a file or host may deceive."""
    message = legible(message)
    if listener := _listener.get():
        listener(message)
        return
    with suppress(OSError):  # the terminal may be gone: that changes nothing else
        sys.stderr.write(f"sched: {message}\n")
        sys.stderr.flush()


def legible(text: str) -> str:
    """The text, of several lines if it has some, without what steers a terminal."""
    return text.translate(_CONTROLS)


def line_width() -> int:
    """The room that a message of `say` has in the terminal; 0 where stderr is none."""
    import shutil

    return shutil.get_terminal_size().columns - len("sched: ") if sys.stderr.isatty() else 0


@contextmanager
def words_go_to(show: Callable[[str], None]) -> Iterator[None]:
    """Show what `say` is told in this thread, or task, where a screen has the terminal for itself."""
    token = _listener.set(show)
    try:
        yield
    finally:
        _listener.reset(token)


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


def stdout_is_terminal() -> bool:
    """Tell whether a person reads what is written to stdout."""
    return sys.stdout.isatty()


def stdout_has_colors() -> bool:
    """Tell whether stdout is a terminal that shows colours to somebody who wants them."""
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return wanted and stdout_is_terminal()


def terminal_width() -> int:
    """The columns of the terminal; COLUMNS in the environment, or 80, where there is none."""
    import shutil

    return shutil.get_terminal_size().columns


def write_text(pieces: Iterable[str]) -> None:
    """Write text to stdout as it comes, bytes that are no UTF-8 as they were; plain on a terminal."""
    if stdout_is_terminal():
        sys.stdout.writelines(map(_for_terminal, pieces))
        return
    buffer = bytearray()
    for piece in pieces:
        buffer += piece.encode(errors="surrogateescape")
        if len(buffer) >= _WRITTEN_AT_ONCE:
            sys.stdout.buffer.write(buffer)
            buffer.clear()
    sys.stdout.buffer.write(buffer)
    sys.stdout.buffer.flush()


def _for_terminal(text: str) -> str:
    return "".join(c if c.isprintable() or c in "\n\t" else "?" for c in text)


def for_stdout(pieces: Iterable[bytes], *, tagged: bool = False) -> Iterable[bytes]:
    """What a job has written: as it is, or as a terminal may be shown it."""
    if not stdout_is_terminal():
        return pieces
    from .terminaltext import shown

    return shown(pieces, tagged=tagged)


def write_output(pieces: Iterable[bytes], *, tagged: bool = False) -> None:
    """Write what a job has written to stdout; `tagged` says that each line begins with a tag."""
    for piece in for_stdout(pieces, tagged=tagged):
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()
