"""`--on-finish`: a command of the user's own, when the driver of a run ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from ..console import say
from ..reading.runfolder import RunFolder

__all__ = ["SessionEnd", "run_on_finish"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LEFT = ("interrupted", "running", "waiting")


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """How the driving of a run has ended."""

    folder: RunFolder
    counts: Mapping[str, int]
    """How many jobs there are of each state."""
    exit_code: int
    seconds: float
    """How long it was driven."""

    def variables(self) -> dict[str, str]:
        """Return what the command finds in its environment."""
        path = self.folder.absolute
        return {
            "SCHED_RUN": path,
            "SCHED_RUN_NAME": path.rstrip("/").rpartition("/")[2],
            "SCHED_FINISHED": str(self.counts["finished"]),
            "SCHED_FAILED": str(self.counts["failed"]),
            "SCHED_KILLED": str(self.counts["killed"]),
            "SCHED_LEFT": str(sum(self.counts[word] for word in _LEFT)),
            "SCHED_EXIT_CODE": str(self.exit_code),
            "SCHED_SECONDS": f"{self.seconds:.1f}",
        }


def run_on_finish(command: str, end: SessionEnd) -> None:
    """Have bash run the command and wait for it; what it prints goes to stderr.

    A failure is told and changes nothing. SIGINT, SIGTERM and SIGHUP end it.
    """
    try:
        process = subprocess.Popen(
            ["bash", "-c", command],
            stdin=subprocess.DEVNULL,
            stdout=_stderr(),
            env=os.environ | end.variables(),
            process_group=0,
        )
    except OSError as error:
        say(f"warning: --on-finish cannot be run: {error.strerror}")
        return
    with _signals_end(process):
        code = process.wait()
    if code:
        say(f"warning: --on-finish {_how(code)}")


def _stderr() -> int:
    sys.stderr.flush()
    return 2


def _how(code: int) -> str:
    return f"failed: rc {code}" if code > 0 else f"was ended by {signal.Signals(-code).name}"


@contextmanager
def _signals_end(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Hand signals on to all that the command has started."""

    def end(signum: int, _: object) -> None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM if signum == signal.SIGINT else signum)

    earlier = {signum: _handle(signum, end) for signum in _SIGNALS}
    try:
        yield
    finally:
        for signum, handler in earlier.items():
            signal.signal(signum, handler)


def _handle(signum: signal.Signals, handler: Callable[[int, object], None]) -> signal._HANDLER:
    """Have a signal handled, but for one that is ignored; return what was done with it before."""
    earlier = signal.getsignal(signum)
    if earlier is not signal.SIG_IGN:
        signal.signal(signum, handler)
    return earlier
