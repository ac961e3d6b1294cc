"""Whether a folder lies where somebody else has put it, in wait for whoever names it next."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import suppress

__all__ = ["check_place"]


def check_place(folder: str) -> None:
    """See that nobody else has made the folder, or one above it, where everybody may write (/tmp).

    Whoever made it could put scripts of his own in the place of those that jobs run. Where only some may
    write, such as in a project's folder, its owner has chosen them. Raises PermissionError.
    """
    for path in {os.path.abspath(folder), os.path.realpath(folder)}:
        for place in _with_parents(path):
            if _is_anybodys(os.path.dirname(place)) and not _is_ours(place):
                raise PermissionError(
                    errno.EPERM,
                    "somebody else has made this, in a folder where everybody may write; name a folder of your own",
                    place,
                )


def _with_parents(path: str) -> Iterator[str]:
    while path != (above := os.path.dirname(path)):
        yield path
        path = above


def _is_anybodys(folder: str) -> bool:
    with suppress(OSError):
        return bool(os.stat(folder).st_mode & stat.S_IWOTH)
    return False


def _is_ours(place: str) -> bool:
    try:
        owner = os.lstat(place).st_uid
    except FileNotFoundError:
        return True
    return owner in (0, os.geteuid()) or owner == _owner_of_new_files(place)


def _owner_of_new_files(folder: str) -> int | None:
    """Return who we are there: a disk of the network may give all files to one owner."""
    import tempfile

    with suppress(OSError), tempfile.TemporaryFile(dir=folder) as probe:
        return os.fstat(probe.fileno()).st_uid
    return None
