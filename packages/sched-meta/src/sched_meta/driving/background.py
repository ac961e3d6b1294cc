"""`-d`: a driver that goes on when its terminal does not.

The command is started once more, in a session of its own. That process keeps the terminal until the
run has begun, so that whatever keeps it from beginning is seen there; then it says so on a pipe,
and turns to the driver's log.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

from ..console import say
from ..reading.driverlog import open_driver_log
from ..reading.runfolder import RunFolder
from ..wording import clock

__all__ = ["Background", "is_background", "start_in_background", "this_background"]

_VARIABLE = "SCHED_BACKGROUND"
"""Holds the descriptor on which the driver says that the run has begun."""


class Background:
    """What a driver does that was started to go on in the background."""

    def __init__(self, pipe: int) -> None:
        """Say on that descriptor when the run has begun."""
        self._pipe = pipe
        self._detached = False
        os.set_inheritable(pipe, False)

    def begun(self, folder: RunFolder, message: str) -> None:
        """Leave the terminal: the whole list is recorded. Raises OSError."""
        log, nothing = open_driver_log(folder), os.open(os.devnull, os.O_RDONLY)
        sys.stdout.flush()
        sys.stderr.flush()
        for source, target in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(source, target)
        self._detached = True
        with suppress(BrokenPipeError):  # whoever began it waits no longer
            os.write(self._pipe, json.dumps({"run": str(folder), "begun": message}).encode())
        for descriptor in (self._pipe, log, nothing):
            os.close(descriptor)

    def say(self, message: str) -> None:
        """Write a line to the terminal, and later to the log, with the time."""
        head = clock(time.time()) if self._detached else "sched:"
        with suppress(OSError):
            sys.stderr.write(f"{head} {message}\n")
            sys.stderr.flush()


def is_background() -> bool:
    """Tell whether this process was started for the background, before `this_background` is asked."""
    return _VARIABLE in os.environ


def this_background() -> Background | None:
    """Return what this process is to do in the background, None where it was not started for that."""
    pipe = os.environ.pop(_VARIABLE, None)
    return Background(int(pipe)) if pipe and pipe.isdecimal() else None


def start_in_background(args: Sequence[str]) -> int:
    """Run `sched` with these arguments in the background; return the exit code when it has begun.

    Where it ends before that, its exit code is returned.
    """
    read, write = os.pipe()
    os.set_inheritable(write, True)
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, "-P", "-m", "sched_meta", *args],
        os.environ | {_VARIABLE: str(write)},
        setsid=True,
    )
    os.close(write)
    try:
        told = _read_all(read)
    except KeyboardInterrupt:
        os.kill(pid, signal.SIGINT)  # it is in no terminal's foreground
        told = b""
    if not told:
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return code if code >= 0 else 128 - code
    begun = json.loads(told)
    say(f"{begun['begun']}; driven in the background by process {pid}")
    say(f"next:    sched attach {begun['run']}")
    return 0


def _read_all(descriptor: int) -> bytes:
    with open(descriptor, "rb") as pipe:
        return pipe.read()
