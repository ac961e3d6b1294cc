"""The objects of a bucket as gcsfuse sees them: files and folders, some of them from memory."""

from __future__ import annotations

import errno
import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass

from .gcsfuse_settings import Settings
from .storage_folder import PLACEHOLDER, BadName, Folder, Signature, signature

__all__ = ["Status", "Tree", "failure"]


@dataclass(frozen=True, slots=True)
class Status:
    """A file or a folder."""

    folder: bool
    size: int = 0
    modified: int = 0
    """In nanoseconds."""


class Tree:
    """Names are those of objects; the root's is empty. A folder has no slash at its end."""

    def __init__(self, folder: Folder, bucket: str, settings: Settings) -> None:
        self.folder = folder
        self.bucket = bucket
        self.settings = settings
        self.ending = threading.Event()
        self._known: dict[str, tuple[float, Status | None]] = {}
        self._listed: dict[str, tuple[float, frozenset[str]]] = {}

    def pass_time(self, seconds: float) -> None:
        """Wait for so long, or until the mount ends."""
        self.ending.wait(seconds)

    def path(self, name: str) -> str:
        try:
            return self.folder.path(self.bucket, name)
        except BadName:
            raise failure(errno.EINVAL, name) from None

    def status(self, name: str) -> Status | None:
        """Return what there is, as far as it is not remembered to be otherwise."""
        now = time.monotonic()
        until, known = self._known.get(name, (0.0, None))
        if now < until:
            return known
        found = self._look(name)
        ttl = self.settings.stat_ttl if found else self.settings.negative_ttl
        self._known[name] = (now + ttl, found)
        return found

    def names(self, name: str) -> frozenset[str]:
        """Return what is in a folder."""
        now = time.monotonic()
        until, known = self._listed.get(name, (0.0, frozenset()))
        if now < until:
            return known
        found = self._list(name)
        self._listed[name] = (now + self.settings.list_ttl, found)
        return found

    def forget(self, name: str) -> None:
        """Look again: this mount itself has changed it."""
        self._known.pop(name, None)
        self._listed.pop(name.rpartition("/")[0], None)

    def signature(self, name: str) -> Signature | None:
        found = self.folder.stat(self.bucket, name)
        return signature(found) if found else None

    def publish(self, staged: str, name: str, replaced: Signature | None) -> Signature:
        """Have a staged file be the object. Raises ESTALE if another is there than is replaced."""
        with self.folder.locked():
            if self.signature(name) != replaced:
                os.unlink(staged)
                raise failure(errno.ESTALE, name)
            return self.put(staged, name)

    def put(self, staged: str, name: str) -> Signature:
        """Do so, whatever there is."""
        try:
            self.folder.publish(staged, self.bucket, name)
        except BadName:
            raise failure(errno.EIO, name) from None
        self.forget(name)
        return signature(os.lstat(self.path(name)))

    def remove(self, name: str) -> None:
        with self.folder.locked():
            self.folder.remove(self.bucket, name)
        self.forget(name)

    def make_folder(self, name: str) -> None:
        """Make the object that stands for a folder."""
        staged = self.folder.staged()
        os.close(os.open(staged, os.O_CREAT | os.O_WRONLY))
        self.put(staged, name + "/")
        self.forget(name)

    def remove_folder(self, name: str) -> None:
        if self._list(name):
            raise failure(errno.ENOTEMPTY, name)
        with suppress(FileNotFoundError):
            self.remove(name + "/")
        self.forget(name)

    def _look(self, name: str) -> Status | None:
        if not name:
            return Status(folder=True)
        found = self.folder.stat(self.bucket, name)
        if found:
            return Status(folder=False, size=found.st_size, modified=found.st_mtime_ns)
        return Status(folder=True) if self._is_folder(name) else None

    def _is_folder(self, name: str) -> bool:
        if self.folder.stat(self.bucket, name + "/"):
            return True
        return self.settings.implicit_dirs and _has_files(self.path(name))

    def _list(self, name: str) -> frozenset[str]:
        folder = self.path(name) if name else self.folder.bucket(self.bucket)
        start = f"{name}/" if name else ""
        try:
            with os.scandir(folder) as entries:
                return frozenset(
                    e.name
                    for e in entries
                    if (e.is_file(follow_symlinks=False) and e.name != PLACEHOLDER)
                    or (e.is_dir(follow_symlinks=False) and self._is_folder(start + e.name))
                )
        except (FileNotFoundError, NotADirectoryError):
            return frozenset()


def failure(number: int, name: str) -> OSError:
    return OSError(number, os.strerror(number), name)


def _has_files(folder: str) -> bool:
    folders = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_file(follow_symlinks=False):
                    return True
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return any(_has_files(one) for one in folders)
