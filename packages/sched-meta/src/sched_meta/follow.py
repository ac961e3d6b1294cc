"""What jobs write, as far as it goes or as it comes."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from sched_core import SchedError, scheduler_of
from sched_core.model.status import JobStatus
from sched_core.runfolder import read_run
from sched_core.runfolder.state import JobRecord

from .onlooker import nobody_drives
from .wording import plain

__all__ = ["LogReader", "follow_logs", "why_absent"]

_INTERVAL = 0.2
_CHUNK = 1 << 16


class LogReader:
    """One file of one job; a retry begins a new file of the same name."""

    def __init__(self, folder: Path, job: JobRecord, name: str) -> None:
        self._path = folder / str(job.index) / name
        self._file: BinaryIO | None = None
        self._title = f"job {job.index}" + (f" ({plain(job.name)})" if job.name else "")
        self.job = job

    @property
    def found(self) -> bool:
        """Whether there was a file."""
        return self._file is not None

    @property
    def exists(self) -> bool:
        """Whether there is a file now."""
        return self._path.exists()

    def copy(self, *, titled: bool) -> bool:
        """Write what is new to standard output; tell whether there was anything."""
        wrote = False
        for file in self._files():
            while chunk := file.read(_CHUNK):
                if titled and not wrote:
                    self.note("wrote:")
                sys.stdout.buffer.write(chunk)
                wrote = True
        sys.stdout.buffer.flush()
        return wrote

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
        except OSError:
            return [old] if old else []
        return [old, self._file] if old else [self._file]


def why_absent(folder: Path, job: JobRecord) -> str:
    """Return why nothing can be read of what a running job writes; empty where nobody knows."""
    if job.status not in (JobStatus.RUNNING, JobStatus.KILLING):
        return ""
    try:
        apart = not scheduler_of(folder.absolute()).shared_disk
    except SchedError:
        return ""
    where = f"runs on {job.host}, which does not share this disk"
    return f"{where}: what it writes comes back when it has ended" if apart else ""


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
