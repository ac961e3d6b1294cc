"""The few things that a run does with files: none needs append, lock or an atomic rename."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import Protocol

__all__ = ["Files", "LocalFiles", "folder_mode"]


class Files(Protocol):
    """A store of whole files under paths that are strings; a folder of this machine or a bucket.

    The calls block. They raise OSError as the functions of `os` do.
    """

    def create(self, path: str, data: bytes) -> bool:
        """Create the file with this content; False, and no effect, where there is one already."""
        ...

    def write(self, path: str, data: bytes) -> None:
        """Put the content in place of whatever there was."""
        ...

    def read(self, path: str) -> bytes:
        """Return the whole content."""
        ...

    def names(self, folder: str) -> list[str]:
        """List what the folder holds, in no order."""
        ...

    def make_folder(self, path: str) -> bool:
        """Make the folder and its missing parents; False where it was there already."""
        ...

    def remove(self, path: str) -> None:
        """Remove the file, if there is one."""
        ...

    def move(self, source: str, target: str) -> None:
        """Give a file another name in the same store."""
        ...

    def exists(self, path: str) -> bool:
        """Tell whether there is such a file or folder."""
        ...


def folder_mode(mode: int) -> int:
    """Return the permissions of the folders of files with these: x wherever there is r."""
    return mode | (mode & 0o444) >> 2


class LocalFiles:
    """Files of this machine, or of a disk that it shares with others."""

    def __init__(self, mode: int = 0o600) -> None:
        """Give files the permissions `mode`; folders also get x where it has r."""
        self._mode = mode
        self._folder_mode = folder_mode(mode)

    def create(self, path: str, data: bytes) -> bool:
        """Create the file with this content; False, and no effect, where there is one already."""
        try:
            descriptor = os.open(path, _NEW, self._mode)
        except FileExistsError:
            return False
        try:
            self._fill(descriptor, data)
        except OSError:
            # An empty record would say more than is true: better none at all.
            with contextlib.suppress(OSError):
                os.unlink(path)
            raise
        return True

    def write(self, path: str, data: bytes) -> None:
        """Put the content in place of whatever there was, never leaving half of it behind."""
        fresh = f"{path}.new"
        self.remove(fresh)
        self.create(fresh, data)
        os.replace(fresh, path)

    def read(self, path: str) -> bytes:
        """Return the whole content."""
        with open(path, "rb", buffering=0) as file:
            return file.read()

    def names(self, folder: str) -> list[str]:
        """List what the folder holds, in no order."""
        return os.listdir(folder)

    def make_folder(self, path: str) -> bool:
        """Make the folder and its missing parents; False where it was there already."""
        try:
            os.mkdir(path, self._folder_mode)
        except FileExistsError:
            if not stat.S_ISDIR(os.stat(path).st_mode):
                raise
            return False
        except FileNotFoundError:
            os.makedirs(path, self._folder_mode, exist_ok=True)
        return True

    def remove(self, path: str) -> None:
        """Remove the file, if there is one."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)

    def move(self, source: str, target: str) -> None:
        """Give a file another name."""
        os.rename(source, target)

    def exists(self, path: str) -> bool:
        """Tell whether there is such a file or folder."""
        return os.path.lexists(path)

    def _fill(self, descriptor: int, data: bytes) -> None:
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(descriptor, left) :]
        finally:
            os.close(descriptor)


_NEW = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC
