"""Archives of files of jobs: zips, written once and whole, in which each file can be read alone."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from .files import Entry, Files
from .jobrecord import is_job_record, is_path
from .zipreading import (
    BadArchive,
    Record,
    content,
    directory,
    name_of,
    parse_record,
    records,
)

__all__ = ["Archive", "ArchiveWriter", "Member", "same_file"]

_DIGITS = 20
_SMALLEST = 64
"""Bytes below which nothing is won by compressing them."""
_EARLIEST, _LATEST = 315_619_200.0, 4_354_732_800.0  # what a zip's own time can say, 1980 to 2107


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive."""

    archive: Archive
    record: Record
    entry: Entry

    def pieces(self, offset: int = 0) -> Iterator[bytes]:
        """Yield the content beyond that many bytes, piece by piece. Raises OSError."""
        left_out = offset
        with self.archive.trouble():
            for piece in content(self.archive.part, self.record):
                if left_out < len(piece):
                    yield piece[left_out:]
                left_out = max(0, left_out - len(piece))

    def read(self, offset: int = 0) -> bytes:
        """Return the content beyond that many bytes. Raises OSError."""
        return b"".join(self.pieces(offset))


class Archive:
    """An archive that is read: `jobs` has its files by the index of their job and their name there.

    Names that no job's file can have are passed over: nobody vouches for what an archive holds.
    """

    def __init__(self, files: Files, path: str, size: int) -> None:
        """Read what the archive holds. Raises OSError, also for one that is damaged."""
        self.path = path
        self._files, self._size = files, size
        with self.trouble():
            self.jobs = _Jobs(self, directory(self.part, size))

    def part(self, offset: int, size: int) -> bytes:
        """Return up to that many bytes from there on; none where the archive has none. Raises OSError."""
        within = 0 <= offset < self._size and size > 0
        return self._files.read_part(self.path, offset, size) if within else b""

    @contextmanager
    def trouble(self) -> Iterator[None]:
        """Raise what a damaged archive leads to as OSError."""
        try:
            yield
        except BadArchive as error:
            raise OSError(errno.EIO, f"the archive is damaged: {error}", self.path) from error


class _Jobs(Mapping[int, dict[str, Member]]):
    """The files of jobs in an archive, read from its directory when they are asked for."""

    def __init__(self, archive: Archive, data: bytes) -> None:
        self._archive, self._data = archive, data
        self._places: dict[int, list[int]] = {}
        for name, position in records(data):
            index = name.partition(b"/")[0]
            if index.isdigit() and len(index) < _DIGITS:
                self._places.setdefault(int(index), []).append(position)

    def __getitem__(self, index: int) -> dict[str, Member]:
        found = {}
        with self._archive.trouble():
            for position in self._places[index]:
                name, record = name_of(self._data, position), parse_record(self._data, position)
                if name.startswith(f"{index}/") and is_job_record(name) and is_path(name):
                    entry = Entry(record.size, *_facts(record.comment))
                    found[name.partition("/")[2]] = Member(self._archive, record, entry)
        return found

    def __iter__(self) -> Iterator[int]:
        return (index for index in self._places if self[index])

    def __len__(self) -> int:
        return sum(1 for _ in self)


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
