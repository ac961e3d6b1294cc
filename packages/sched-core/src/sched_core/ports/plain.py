"""Reading files that lie where others could have put something else."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["enough_memory", "open_plain"]


def open_plain(path: str, flags: int) -> int:
    """Open a file to be read; it is made for `open(..., opener=)`.

    Raises OSError for anything else: a pipe would keep its reader waiting, a device never end, and a link
    may lead to what whoever made it cannot read.
    """
    try:
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, "this is a link, which sched has not made", path) from None
        raise
    if stat.S_ISREG(kind := os.fstat(descriptor).st_mode) or stat.S_ISDIR(kind):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "this is no plain file", path)


@contextmanager
def enough_memory(path: str) -> Iterator[None]:
    """Raise OSError where what is read has no room."""
    try:
        yield
    except MemoryError:
        raise OSError(errno.ENOMEM, "this is too large to be read", path) from None
