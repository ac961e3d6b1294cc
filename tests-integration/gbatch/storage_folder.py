"""The folder in which the buckets lie: ROOT/<bucket>/<object>, for all who write there."""

from __future__ import annotations

import fcntl
import os
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

__all__ = ["PLACEHOLDER", "BadName", "Folder", "Range", "Signature", "is_placeholder", "signature"]

PLACEHOLDER = ".~folder"
"""The file that is the object `a/` in the folder `a`: a folder by itself is no object."""
_STAGING = ".staging"
_LOCK = ".lock"

Signature: TypeAlias = tuple[int, int, int, int]
"""Tells one content of a path from another."""


class BadName(ValueError):
    """A folder of this machine cannot have an object of that name."""


@dataclass(frozen=True, slots=True)
class Range:
    """Names that begin so and lie between two, the first of them included."""

    prefix: str = ""
    start: str = ""
    end: str = ""

    def __contains__(self, name: str) -> bool:
        return (
            name.startswith(self.prefix)
            and name >= self.start
            and not (self.end and name >= self.end)
        )

    def meets(self, folder: str) -> bool:
        """Whether names below `folder/` may be among them."""
        return (
            (folder.startswith(self.prefix) or self.prefix.startswith(folder))
            and (folder >= self.start or self.start.startswith(folder))
            and not (self.end and folder >= self.end)
        )


def signature(found: os.stat_result) -> Signature:
    return (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def is_placeholder(path: str) -> bool:
    return path.endswith("/" + PLACEHOLDER)


class Folder:
    """Has buckets and objects; knows nothing of generations and metadata."""

    def __init__(self, root: Path) -> None:
        self.root = os.fspath(root.absolute())
        self._staging = os.path.join(self.root, _STAGING)
        os.makedirs(self._staging, exist_ok=True)

    def buckets(self) -> list[str]:
        entries = os.scandir(self.root)
        return sorted(e.name for e in entries if e.is_dir() and not e.name.startswith("."))

    def bucket(self, name: str) -> str:
        return os.path.join(self.root, name)

    def remove_bucket(self, name: str) -> None:
        """Remove a bucket in which there are folders at most."""
        for folder, _, _ in os.walk(self.bucket(name), topdown=False):
            os.rmdir(folder)

    def path(self, bucket: str, name: str) -> str:
        """Return where the object is. Raises BadName for what cannot be a file here."""
        parts = name.split("/")
        if parts[-1] == "" and len(parts) > 1:
            parts[-1] = PLACEHOLDER
        if any(p in ("", ".", "..") or "\0" in p or len(p.encode()) > 255 for p in parts):
            raise BadName(f"the emulator cannot store an object of the name {name!r}")
        return os.path.join(self.root, bucket, *parts)

    def stat(self, bucket: str, name: str) -> os.stat_result | None:
        return stat_file(self.path(bucket, name))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep all others from publishing and removing, those of other processes, too."""
        with open(os.path.join(self.root, _LOCK), "wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def staged(self) -> str:
        """Return the path of a file yet to be made, which is on the same disk and no object."""
        return os.path.join(self._staging, uuid.uuid4().hex)

    def publish(self, staged: str, bucket: str, name: str) -> None:
        """Have the file be the object, whole and at once. Raises BadName where another is in its way."""
        path = self.path(bucket, name)
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.replace(staged, path)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            with suppress(FileNotFoundError):
                os.unlink(staged)
            raise BadName(
                f"the emulator cannot store {name!r}: it would be a file and a folder at once"
            ) from None

    def remove(self, bucket: str, name: str) -> None:
        os.unlink(self.path(bucket, name))

    def walk(self, bucket: str, names: Range, *, flat: bool) -> Iterator[tuple[str, str]]:
        """Yield names and paths of objects, in order; with `flat` a folder below the prefix is told
        instead of what is in it, by a name that ends with a slash and no path.
        """
        base = names.prefix.rpartition("/")[0]
        folder = self.bucket(bucket)
        if not base:
            yield from _walk(folder, "", names, flat)
        elif os.path.normpath(base) == base and not base.startswith(("/", "..")):
            yield from _walk(os.path.join(folder, base), base + "/", names, flat)


def stat_file(path: str) -> os.stat_result | None:
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def _walk(folder: str, start: str, names: Range, flat: bool) -> Iterator[tuple[str, str]]:
    for key, path in _sorted(folder):
        name = start + key
        if not key.endswith("/"):
            if name in names:
                yield name, path
        elif names.meets(name):
            below = _walk(path, name, names, flat=False)
            if not (flat and name.startswith(names.prefix) and name != names.prefix):
                yield from _walk(path, name, names, flat)
            elif next(below, None):
                yield name, ""


def _sorted(folder: str) -> list[tuple[str, str]]:
    """Return what is in the folder in the order of the objects' names: `a.b` is before `a/c`."""
    try:
        with os.scandir(folder) as entries:
            return sorted((_key(e), e.path) for e in entries)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _key(entry: os.DirEntry[str]) -> str:
    if entry.name == PLACEHOLDER:
        return ""
    return entry.name + "/" if entry.is_dir(follow_symlinks=False) else entry.name
