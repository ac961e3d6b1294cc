"""Where a driver writes what it has to say while nobody reads it: in the background, or hung up."""

from __future__ import annotations

import hashlib
import os
import re
import time
from contextlib import suppress
from pathlib import Path

from ..wording import clock
from .runfolder import RunFolder

__all__ = ["driver_log", "existing_driver_log", "note", "open_driver_log"]

_NAME = "driver.log"
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC


def driver_log(folder: RunFolder) -> Path:
    """Return the file: in the run's folder, or for one in a bucket, which nothing can be appended
    to, in the cache of the user on the driver's machine.
    """
    if not folder.in_bucket:
        return Path(folder.path, ".sched", _NAME)
    from sched_core.ports.cache import cache_folder

    words = re.sub(r"[^A-Za-z0-9]+", "-", folder.path)[-60:].strip("-")
    digest = hashlib.sha256(os.fsencode(folder.path)).hexdigest()[:8]
    return Path(cache_folder(), "drivers", f"{words}-{digest}.log")


def existing_driver_log(folder: RunFolder) -> Path | None:
    """Return the file, if there is one on this machine."""
    path = driver_log(folder)
    return path if path.exists() else None


def open_driver_log(folder: RunFolder) -> int:
    """Return a descriptor that appends to the file, which nobody else may read. Raises OSError."""
    path = driver_log(folder)
    if folder.in_bucket:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Without waiting: a pipe in its place has nobody who reads it.
    return os.open(path, _APPEND | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)


def note(folder: RunFolder, message: str) -> None:
    """Write a line, with the time, where that can be done."""
    with suppress(OSError):
        descriptor = open_driver_log(folder)
        try:
            os.write(
                descriptor, f"{clock(time.time())} {message}\n".encode(errors="backslashreplace")
            )
        finally:
            os.close(descriptor)
