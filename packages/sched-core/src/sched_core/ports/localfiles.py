"""The store that is a folder of this machine, or of a disk that it shares with others."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable

from .files import Entry, OneByOne
from .place import check_place
from .plain import enough_memory, open_plain

__all__ = ["LocalFiles", "folder_mode"]


def folder_mode(mode: int) -> int:
    """Return the permissions of the folders of files with these: x wherever there is r."""
    return mode | (mode & 0o444) >> 2


class LocalFiles(OneByOne):
    """Files of this machine, or of a disk that it shares with others."""

    def __init__(self, mode: int = 0o600) -> None:
        """Give files the permissions `mode`; folders also get x where it has r."""
        self._mode = mode
        self._folder_mode = folder_mode(mode)
        self._checked: set[str] = set()

    def create(self, path: str, data: bytes) -> bool:
        """Create the file with this content; False, and no effect, where there is one already."""
        return self._create(path, data, self._mode)

    def _create(self, path: str, data: bytes, mode: int) -> bool:
        try:
            descriptor = os.open(path, _NEW, mode)
        except FileExistsError:
            return False
        try:
            self._fill(descriptor, data)
        except OSError as error:
            error.filename = error.filename or path
            # An empty record would say more than is true: better none at all.
            with contextlib.suppress(OSError):
                os.unlink(path)
            raise
        return True

    def write(self, path: str, data: bytes) -> None:
        """Put the content in place of whatever there was, never leaving half of it behind."""
        self._write(path, data, self._mode)

    def write_private(self, path: str, data: bytes) -> None:
        """Put the content into a file that only its owner may read, in a folder that only he may enter.

        Raises OSError where that folder is somebody else's, or a link.
        """
        folder = os.path.dirname(path)
        self.make_folder(os.path.dirname(folder))
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder, _PRIVATE_FOLDER)
        facts = os.lstat(folder)
        if not stat.S_ISDIR(facts.st_mode):
            raise NotADirectoryError(
                errno.ENOTDIR, "this is there already, and is no folder", folder
            )
        if stat.S_IMODE(facts.st_mode) != _PRIVATE_FOLDER:
            os.chmod(folder, _PRIVATE_FOLDER)
        self._write(path, data, _PRIVATE)

    def _write(self, path: str, data: bytes, mode: int) -> None:
        fresh = f"{path}.new"
        self.remove(fresh)
        self._create(fresh, data, mode)
        os.replace(fresh, path)

    def read(self, path: str) -> bytes:
        """Return the whole content."""
        with open(path, "rb", buffering=0, opener=open_plain) as file, enough_memory(path):
            return file.read()

    def names(self, folder: str) -> list[str]:
        """List what the folder holds, in no order."""
        return os.listdir(folder)

    def make_folder(self, path: str) -> bool:
        """Make the folder and its missing parents; False where it was there already."""
        made = True
        try:
            self._make_folder(path)
        except FileExistsError:
            if not stat.S_ISDIR(os.stat(path).st_mode):
                raise
            made = False
        self._check_once(os.path.dirname(path))
        if not made and os.lstat(path).st_uid != os.geteuid():
            check_place(path)
        return made

    def _make_folder(self, path: str) -> None:
        try:
            os.mkdir(path, self._folder_mode)
        except FileNotFoundError:
            self._make_above(os.path.dirname(path))
            os.mkdir(path, self._folder_mode)

    def _make_above(self, path: str) -> None:
        """Make the missing parents of a folder: by the umask, but for everybody's right to write there."""
        if path and not os.path.isdir(path):
            self._make_above(os.path.dirname(path))  # as it is written: a folder before ".." is one
            with contextlib.suppress(FileExistsError):  # it has just been made
                os.mkdir(path, self._folder_mode | _PASSABLE)

    def _check_once(self, folder: str) -> None:
        if folder not in self._checked:
            check_place(folder)
            self._checked.add(folder)

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

    def read_from(self, path: str, offset: int) -> bytes:
        """Return what lies beyond that many bytes, which may be nothing."""
        with open(path, "rb", buffering=0, opener=open_plain) as file, enough_memory(path):
            file.seek(offset)
            return file.read()

    def read_part(self, path: str, offset: int, size: int) -> bytes:
        """Return up to that many bytes from there on; fewer only where the file ends."""
        with open(path, "rb", opener=open_plain) as file, enough_memory(path):
            file.seek(offset)
            return file.read(size)

    def entries(self, folder: str) -> dict[str, Entry]:
        """Return what the folder holds, by name."""
        found = {}
        with os.scandir(folder) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):  # it has just been removed
                    found[entry.name] = _entry(entry.stat())
        return found

    def checksums(self, paths: Iterable[str]) -> dict[str, Entry]:
        """Return what is known of those of the files that are there; a disk knows no checksums."""
        found = {}
        for path in paths:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                found[path] = _entry(os.stat(path))
        return found

    def _fill(self, descriptor: int, data: bytes) -> None:
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(descriptor, left) :]
        finally:
            os.close(descriptor)


def _entry(facts: os.stat_result) -> Entry:
    return Entry(facts.st_size, facts.st_mtime, stat.S_ISDIR(facts.st_mode))


_PRIVATE, _PRIVATE_FOLDER, _PASSABLE = 0o600, 0o700, 0o075
_NEW = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC
