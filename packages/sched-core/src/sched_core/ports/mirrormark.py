"""Which folder of which machine mirrors a run in a bucket: one at a time. Everything here blocks."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
from dataclasses import asdict, dataclass

from ..errors import OptionError
from .files import Files
from .localfiles import LocalFiles

__all__ = ["Mark", "is_at", "make_room", "read_mark", "remove_mark", "write_mark"]

NAME = ".sched/mirror.json"


@dataclass(frozen=True, slots=True)
class Mark:
    """What says, in the bucket and in the mirror itself, that these two belong together."""

    id: str
    host: str
    folder: str
    taken: bool = True
    """Whether jobs may have been started that write here."""
    run: str = ""
    """Whose mirror it is, as far as that was known."""

    @classmethod
    def of(cls, folder: str, run: str) -> Mark:
        """Return a new one, for a folder of this machine."""
        return cls(secrets.token_hex(8), socket.gethostname(), folder, taken=False, run=run)


def read_mark(files: Files, root: str) -> Mark | None:
    """Return the mark of a bucket's folder or of a mirror, None where there is none."""
    try:
        found = json.loads(files.read(f"{root}/{NAME}"))
        name, host, folder = (str(found[key]) for key in ("id", "host", "folder"))
        if not (name.isascii() and name.isalnum()):  # it becomes part of a folder's name
            return None
        return Mark(name, host, folder, bool(found["taken"]), str(found.get("run", "")))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None  # cut short by a full disk, before anything was started


def remove_mark(files: Files, root: str) -> None:
    """Record that the run has no mirror any more."""
    files.remove(f"{root}/{NAME}")


def write_mark(files: Files, root: str, mark: Mark) -> None:
    """Record the mark in a bucket's folder or in a mirror."""
    files.write(f"{root}/{NAME}", json.dumps(asdict(mark)).encode() + b"\n")


def is_at(mark: Mark, disk: LocalFiles) -> bool:
    """Tell whether the mirror of this mark can be seen from here."""
    found = read_mark(disk, mark.folder)
    return found is not None and found.id == mark.id


def make_room(disk: LocalFiles, folder: str) -> str | None:
    """Make the folder empty, for a new mirror; return where what another run may need is now.

    Raises OptionError for a folder that holds something else.
    """
    found = read_mark(disk, folder)
    aside = None
    if found is not None and found.taken:
        aside = f"{folder}.{found.id}"
        os.rename(folder, aside)
    elif found is not None:
        shutil.rmtree(folder)
    elif _is_used(folder):
        raise OptionError(f"the mirror {folder} holds something else: name an empty folder")
    disk.make_folder(folder)
    disk.make_folder(f"{folder}/.sched")
    return aside


def _is_used(folder: str) -> bool:
    try:
        return bool(set(os.listdir(folder)) - {".sched"})
    except FileNotFoundError:
        return False
