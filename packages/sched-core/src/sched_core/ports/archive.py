"""Archives of files of jobs: zips, written once and whole, in which each file can be read alone."""

from __future__ import annotations

import errno
import io
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .files import Entry, Files
from .jobrecord import is_job_record, is_path

if TYPE_CHECKING:
    from zipfile import ZipFile, ZipInfo

__all__ = ["Archive", "ArchiveWriter", "Member", "same_file"]

_PIECE = 1 << 18
_BUFFER = 1 << 16
_SMALLEST = 64
"""Bytes below which nothing is won by compressing them."""
_EARLIEST, _LATEST = 315_619_200.0, 4_354_732_800.0  # what a zip's own time can say, 1980 to 2107


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive."""

    archive: Archive
    info: ZipInfo
    entry: Entry

    def pieces(self, offset: int = 0) -> Iterator[bytes]:
        """Yield the content beyond that many bytes, piece by piece. Raises OSError."""
        with self.archive.trouble(), self.archive.zip.open(self.info) as file:
            file.seek(min(offset, self.entry.size))
            while piece := file.read(_PIECE):
                yield piece

    def read(self, offset: int = 0) -> bytes:
        """Return the content beyond that many bytes. Raises OSError."""
        return b"".join(self.pieces(offset))


class Archive:
    """An archive that is read: `jobs` has its files by the index of their job and their name there.

    Names that no job's file can have are passed over: nobody vouches for what an archive holds.
    """

    def __init__(self, files: Files, path: str, size: int) -> None:
        """Read what the archive holds. Raises OSError, also for one that is damaged."""
        from zipfile import ZipFile

        self.path = path
        with self.trouble():
            self.zip: ZipFile = ZipFile(_open(files, path, size))
        self.jobs: dict[int, dict[str, Member]] = {}
        for info in self.zip.infolist():
            self._add(info)

    def _add(self, info: ZipInfo) -> None:
        name = info.filename
        if is_job_record(name) and is_path(name):
            index, _, rest = name.partition("/")
            entry = Entry(info.file_size, *_facts(info.comment))
            self.jobs.setdefault(int(index), {})[rest] = Member(self, info, entry)

    @contextmanager
    def trouble(self) -> Iterator[None]:
        """Raise what a damaged archive leads to as OSError."""
        import zlib
        from zipfile import BadZipFile

        try:
            yield
        except (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            raise OSError(errno.EIO, f"the archive is damaged: {error}", self.path) from error


class ArchiveWriter:
    """Writes an archive to a file of this machine. It is complete after `close`."""

    def __init__(self, path: str) -> None:
        """Begin the file, in the place of an empty one if it is there. Raises OSError."""
        from zipfile import ZipFile

        self._file = open(path, "wb")  # noqa: SIM115  # it is closed by `close`
        self._zip = ZipFile(self._file, "w")

    def add(self, name: str, entry: Entry, content: Iterable[bytes]) -> None:
        """Add a file, which may have become longer meanwhile."""
        from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipInfo

        seconds = min(max(entry.modified, _EARLIEST), _LATEST)
        info = ZipInfo(name, time.gmtime(seconds)[:6])
        info.compress_type = ZIP_DEFLATED if entry.size >= _SMALLEST else ZIP_STORED
        info.external_attr = 0o100600 << 16
        info.comment = f"{entry.modified!r} {entry.md5 or ''}".encode()
        with self._zip.open(info, "w", force_zip64=entry.size > 1 << 31) as file:
            for piece in content:
                file.write(piece)

    def close(self) -> int:
        """Have the disk hold all of it; return its size. Raises OSError."""
        import os

        self._zip.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        size = self._file.tell()
        self._file.close()
        return size

    def abandon(self) -> None:
        """Close the file, be it complete or not."""
        with suppress(OSError, ValueError):
            self._zip.close()
        with suppress(OSError):
            self._file.close()


def same_file(one: Entry | None, other: Entry) -> bool:
    """Tell whether, by what stores tell of them, a file is the other one, moved or packed."""
    if one is None or one.size != other.size:
        return False
    if one.md5 and other.md5:
        return one.md5 == other.md5
    return one.modified == other.modified


def _facts(comment: bytes) -> tuple[float, bool, str | None]:
    """Return the time, whether it is a folder, and the MD5 of a member: what `add` wrote down."""
    modified, _, md5 = comment.decode("ascii", "replace").partition(" ")
    try:
        return float(modified), False, md5 or None
    except ValueError:
        return 0.0, False, None


class _Reader(io.RawIOBase):
    """A file of a store, read by parts."""

    def __init__(self, files: Files, path: str, size: int) -> None:
        self._files, self._path, self._size = files, path, size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # that is what comes
        wanted = min(len(buffer), max(0, self._size - self._at))
        data = self._files.read_part(self._path, self._at, wanted) if wanted else b""
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def _open(files: Files, path: str, size: int) -> io.BufferedReader:
    return io.BufferedReader(_Reader(files, path, size), _BUFFER)
