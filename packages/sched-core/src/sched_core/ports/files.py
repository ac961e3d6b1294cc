"""The few things that a run does with files: none needs append, lock or an atomic rename."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Entry", "Files", "OneByOne", "StoreUnavailable"]


class StoreUnavailable(OSError):
    """The store is busy or out of reach: what was asked of it is to be tried again, and may have been
    done all the same.
    """


@dataclass(frozen=True, slots=True)
class Entry:
    """What a store tells of a file without its content being read."""

    size: int
    modified: float
    """Seconds since 1970."""
    is_folder: bool = False
    md5: str | None = None
    """The content's MD5 in hexadecimal digits, where the store knows it."""


class Files(Protocol):
    """A store of whole files under paths that are strings; a folder of this machine or a bucket.

    The calls block. They raise OSError as the functions of `os` do, and StoreUnavailable. What concerns many files is
    asked at once: in a bucket, each question is a request.
    """

    @property
    def interval(self) -> float:
        """The shortest time between two looks at the same place, in seconds: looks may cost."""
        ...

    def create(self, path: str, data: bytes) -> bool:
        """Create the file with this content; False, and no effect, where there is one already."""
        ...

    def write(self, path: str, data: bytes) -> None:
        """Put the content in place of whatever there was."""
        ...

    def write_private(self, path: str, data: bytes) -> None:
        """Do so with a file that only its owner may read, in a folder that only he may enter, whatever
        permissions others have.
        """
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

    def create_many(self, items: Sequence[tuple[str, bytes]]) -> list[bool | OSError]:
        """Create files; for each, tell what `create` would return, or the OSError it would raise."""
        ...

    def read_many(self, paths: Sequence[str]) -> list[bytes | None]:
        """Return the contents of files, None for one that is not there."""
        ...

    def remove_many(self, paths: Sequence[str]) -> None:
        """Remove those of the files that are there."""
        ...

    def move_many(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Give files, each with its new name, other names in the same store."""
        ...

    def read_from(self, path: str, offset: int) -> bytes:
        """Return what lies beyond that many bytes, which may be nothing."""
        ...

    def read_part(self, path: str, offset: int, size: int) -> bytes:
        """Return up to that many bytes from there on; fewer only where the file ends."""
        ...

    def entries(self, folder: str) -> dict[str, Entry]:
        """Return what the folder holds, by name."""
        ...

    def checksums(self, paths: Iterable[str]) -> dict[str, Entry]:
        """Return what is known of those of the files that are there, by as few questions as it takes."""
        ...


class OneByOne(ABC):
    """What a store does with many files where nothing is won by doing it at once."""

    interval = 0.0

    @abstractmethod
    def create(self, path: str, data: bytes) -> bool: ...

    @abstractmethod
    def write(self, path: str, data: bytes) -> None: ...

    @abstractmethod
    def read(self, path: str) -> bytes: ...

    @abstractmethod
    def remove(self, path: str) -> None: ...

    @abstractmethod
    def move(self, source: str, target: str) -> None: ...

    def write_private(self, path: str, data: bytes) -> None:
        """Put the content in place of whatever there was: who may read it is the store's affair."""
        self.write(path, data)

    def create_many(self, items: Sequence[tuple[str, bytes]]) -> list[bool | OSError]:
        """Create files; for each, tell what `create` would return, or the OSError it would raise."""
        return [self._try_to_create(path, data) for path, data in items]

    def read_many(self, paths: Sequence[str]) -> list[bytes | None]:
        """Return the contents of files, None for one that is not there."""
        return [self._read_if_there(path) for path in paths]

    def read_part(self, path: str, offset: int, size: int) -> bytes:
        """Return up to that many bytes from there on; fewer only where the file ends."""
        return self.read(path)[offset : offset + size]

    def remove_many(self, paths: Sequence[str]) -> None:
        """Remove those of the files that are there."""
        for path in paths:
            self.remove(path)

    def move_many(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Give files, each with its new name, other names."""
        for source, target in pairs:
            self.move(source, target)

    def _try_to_create(self, path: str, data: bytes) -> bool | OSError:
        try:
            return self.create(path, data)
        except OSError as error:
            return error

    def _read_if_there(self, path: str) -> bytes | None:
        try:
            return self.read(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
