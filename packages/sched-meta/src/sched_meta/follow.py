"""What jobs write, as far as it goes or as it comes."""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from sched_core.model.status import JobStatus
from sched_core.runfolder import read_run
from sched_core.runfolder.state import JobRecord

from .onlooker import nobody_drives
from .wording import plain

__all__ = ["LogReader", "follow_logs"]

_INTERVAL = 0.2
_CHUNK = 1 << 16


class LogReader:
    """One file of one job; a retry begins a new file of the same name."""

    def __init__(self, folder: Path, job: JobRecord, name: str) -> None:
        self._path = folder / str(job.index) / name
        self._file: BinaryIO | None = None
        self._title = f"job {job.index}" + (f" ({plain(job.name)})" if job.name else "")
        self._pieces: deque[bytes] = deque()
        self._shown = 0
        """How much of the file was shown before there was one here."""
        self.job = job
        self.elsewhere = False
        """Whether the file is on a host whose disk cannot be seen from here."""
        self.asked = False
        """Whether that host was asked for it."""

    @property
    def found(self) -> bool:
        """Whether there was something to show."""
        return self._file is not None or self._shown > 0

    @property
    def exists(self) -> bool:
        """Whether there is a file here."""
        return self._path.exists()

    def take(self, piece: bytes) -> None:
        """Take the next piece of a file that is elsewhere; from any thread."""
        self.asked = True
        if piece:
            self._pieces.append(piece)

    def copy(self, *, titled: bool) -> bool:
        """Write what is new to standard output; tell whether there was anything."""
        wrote = False
        for chunk in self._chunks():
            if titled and not wrote:
                self.note("wrote:")
            sys.stdout.buffer.write(chunk)
            wrote = True
        sys.stdout.buffer.flush()
        return wrote

    def _chunks(self) -> Iterator[bytes]:
        files = self._files()
        while self._pieces and not files:
            piece = self._pieces.popleft()
            self._shown += len(piece)
            yield piece
        for file in files:
            while chunk := file.read(_CHUNK):
                yield chunk

    def note(self, words: str) -> None:
        """Say something about the job on stderr."""
        sys.stdout.buffer.flush()
        sys.stderr.write(f"==> {self._title} {words}\n")

    def _files(self) -> Sequence[BinaryIO]:
        """The file that is open, and the one that has taken its place."""
        old = self._file
        try:
            if old is not None and os.path.samestat(os.fstat(old.fileno()), self._path.stat()):
                return [old]
            self._file = self._path.open("rb")
            self._file.seek(self._shown)
            self._shown = 0
        except OSError:
            return [old] if old else []
        return [old, self._file] if old else [self._file]


def follow_logs(folder: Path, readers: Sequence[LogReader]) -> None:
    """Copy what the jobs write until all of them have ended, or nobody drives the run any more."""
    last = readers[0] if len(readers) == 1 else None
    ended = not readers
    while True:
        for reader in readers:
            if reader.copy(titled=reader is not last) and len(readers) > 1:
                last = reader
        if ended:
            return
        time.sleep(_INTERVAL)
        ended = _have_ended(folder, readers)


def _have_ended(folder: Path, readers: Sequence[LogReader]) -> bool:
    # job.status is a copy for people; the journal is asked once all of them say so.
    if not all(_status(folder, reader.job.index).final for reader in readers):
        return nobody_drives(folder)
    jobs = read_run(folder).jobs
    return all(jobs[reader.job.index].status.final for reader in readers) or nobody_drives(folder)


def _status(folder: Path, index: int) -> JobStatus:
    try:
        return JobStatus(int((folder / str(index) / "job.status").read_text()))
    except (OSError, ValueError):
        return JobStatus.INIT
