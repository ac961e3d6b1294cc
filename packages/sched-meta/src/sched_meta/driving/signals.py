"""Signals to a driver, and what is said about them."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from sched_core import Job

from ..reading.runfolder import RunFolder
from ..wording import count_jobs, index_ranges

__all__ = ["announcement", "interruption", "parting", "signals_go_to"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def signals_go_to(handler: Callable[[int], None]) -> Iterator[None]:
    """Have the running loop call the handler for signals that end a driver.

    After a hang-up further ones change nothing: a terminal's shell repeats it, sooner or later.
    """
    loop, heard = asyncio.get_running_loop(), set[int]()

    def hear(signum: int) -> None:
        heard.add(signum)
        handler(signum)

    for signum in _SIGNALS:
        # nohup means it: a signal that is ignored stays so
        if signal.getsignal(signum) is not signal.SIG_IGN:
            loop.add_signal_handler(signum, hear, signum)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        for signum in _SIGNALS:
            loop.remove_signal_handler(signum)
        if signal.SIGHUP in heard:
            signal.signal(signal.SIGHUP, _nothing)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


def _nothing(*_: object) -> None:
    """Not SIG_IGN, which programs that are started would inherit."""


def announcement(signum: int, *, kill: bool) -> str:
    """What is done about the first signal."""
    if kill:
        return (
            f"{_name(signum)}: nothing more is started, what runs is killed;"
            " once more leaves at once"
        )
    return f"{_name(signum)}: nothing more is started, what runs goes on"


def interruption(signum: int, left: Sequence[Job]) -> str:
    """How a run was left that was to be stopped."""
    if not left:
        return f"{_name(signum)}: the run was stopped, nothing of it runs any more"
    indexes = index_ranges([job.index for job in left], 20)
    pids = " ".join(str(job.jid) for job in left[:20] if job.jid)
    return (
        f"{_name(signum)}: left at once, {count_jobs(len(left))} may still run:"
        f" {indexes} (ids {pids or 'unknown'})"
    )


def parting(signum: int, left: Sequence[Job], folder: RunFolder) -> str:
    """How a run was left that goes on."""
    words = f"{_name(signum)}: the driver has left the run"
    if left:
        words += f", {count_jobs(len(left))} of it wait or run without it"
    return f"{words}; to go on: sched attach {folder}"


def _name(signum: int) -> str:
    return "Ctrl-C" if signum == signal.SIGINT else signal.Signals(signum).name
