"""Files of jobs that grow, and that a retry puts others in the place of."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, BinaryIO, Protocol

from sched_core.ports.plain import open_plain

if TYPE_CHECKING:
    from sched_core.ports import Entry
    from sched_core.runfolder import JobRecord

    from .runfolder import RunFolder

__all__ = ["Tail", "fetch", "tail_of"]

_CHUNK = 1 << 16
_Packed = Callable[[str], Iterator[bytes] | None]
_AT_ONCE = 8


class Tail(Protocol):
    """What is new in one file of one job."""

    @property
    def found(self) -> bool:
        """Whether there ever was such a file."""
        ...

    @property
    def exists(self) -> bool:
        """Whether there is one now."""
        ...

    def skip(self, size: int) -> None:
        """Leave out the beginning of a file that was not found yet."""
        ...

    def pieces(self) -> Iterator[bytes]:
        """Yield what has come since the last call."""
        ...

    def close(self) -> None:
        """Look no more."""
        ...


def tail_of(folder: RunFolder, job: JobRecord, name: str) -> Tail:
    """Return the tail of a job's file of that name, from its beginning on."""
    if folder.in_bucket:
        return _ObjectTail(folder, job, name)
    packed = folder.files.packed_pieces if job.status.final else None
    return _FileTail(f"{folder.of_job(job.index)}/{name}", packed)


def fetch(folder: RunFolder, tails: Sequence[Tail]) -> None:
    """Have tails of files in a bucket get what is new, by few questions; others read at once.

    Blocks. Raises OSError.
    """
    objects = [tail for tail in tails if isinstance(tail, _ObjectTail)]
    if not objects:
        return
    known = folder.files.checksums([path for tail in objects for path in tail.paths()])
    grown = [tail for tail in objects if tail.look(known)]
    if not grown:
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(min(_AT_ONCE, len(grown))) as pool:
        for _ in pool.map(_ObjectTail.read, grown):
            pass  # an error is raised here


class _FileTail:
    """A file of this machine: it stays open, so that its end is read although it was moved."""

    def __init__(self, path: str, packed: _Packed | None = None) -> None:
        self._path = path
        self._packed = packed
        self._file: BinaryIO | None = None
        self._skipped = 0
        self.found = False

    @property
    def exists(self) -> bool:
        return os.path.exists(self._path)

    def skip(self, size: int) -> None:
        self._skipped = size

    def pieces(self) -> Iterator[bytes]:
        if self._packed is not None and self._file is None and not self.exists:
            yield from self._packed_pieces(self._packed)
        for file in self._files():
            while chunk := file.read(_CHUNK):
                yield chunk
            if file is not self._file:
                file.close()

    def _packed_pieces(self, packed: _Packed) -> Iterator[bytes]:
        pieces = packed(self._path)
        if pieces is None:
            return
        self.found, self._packed = True, None
        for piece in pieces:
            yield piece[self._skipped :]
            self._skipped = max(0, self._skipped - len(piece))

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _files(self) -> Sequence[BinaryIO]:
        """The file that is open, and the one that has taken its place."""
        old = self._file
        try:
            if old is not None and os.path.samestat(os.fstat(old.fileno()), os.stat(self._path)):
                return [old]
            self._file = open(self._path, "rb", opener=open_plain)  # noqa: SIM115  # it stays open
            self._file.seek(self._skipped)
            self._skipped = 0
            self.found = True
        except OSError:
            return [old] if old else []
        return [old, self._file] if old else [self._file]


class _ObjectTail:
    """An object in a bucket: it is written anew, and longer, when there is more."""

    def __init__(self, folder: RunFolder, job: JobRecord, name: str) -> None:
        self._folder = folder
        self._metadir = folder.of_job(job.index)
        self._name = name
        self._attempt = job.attempt
        self._offset = 0
        self._due: list[str] = []
        self._pieces: list[bytes] = []
        self.found = False
        self.exists = False

    def skip(self, size: int) -> None:
        if not self.found:
            self._offset = size

    def pieces(self) -> Iterator[bytes]:
        pieces, self._pieces = self._pieces, []
        yield from pieces

    def close(self) -> None:
        self._pieces = []

    def paths(self) -> tuple[str, str]:
        """Where the file is, and where a retry keeps it."""
        kept = f"{self._metadir}/job.retry/{self._attempt}/{self._name}"
        return f"{self._metadir}/{self._name}", kept

    def look(self, known: Mapping[str, Entry]) -> bool:
        """Take what the store tells of the file; return whether there is something to be read."""
        now, kept = map(known.get, self.paths())
        self.exists = now is not None
        self.found = self.found or self.exists or kept is not None
        self._due = []
        # Moving is copying, then removing: meanwhile both are the same one.
        if kept and (now is None or now.md5 != kept.md5):
            self._due.append(self.paths()[1])
            if now:
                self._due.append(self.paths()[0])
        elif now and now.size != self._offset:
            self._offset = 0 if now.size < self._offset else self._offset
            self._due.append(self.paths()[0])
        return bool(self._due)

    def read(self) -> None:
        """Read what is due. Raises OSError."""
        _, kept = self.paths()
        for path in self._due:
            piece = b""
            with contextlib.suppress(FileNotFoundError):  # it is being moved
                piece = self._folder.files.read_from(path, self._offset)
            self._pieces.append(piece)
            self._offset += len(piece)
            if path == kept:
                self._attempt += 1
                self._offset = 0
