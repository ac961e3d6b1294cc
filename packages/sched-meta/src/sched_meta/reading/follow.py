"""What jobs write, as far as it goes or as it comes."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence

from sched_core.model.status import JobStatus
from sched_core.runfolder.state import JobRecord

from ..console import say
from ..wording import plain
from .onlooker import nobody_drives
from .runfolder import RunFolder
from .tails import fetch, tail_of

__all__ = ["LogReader", "follow_logs", "show_logs"]

_INTERVAL = 0.2
_FETCHED_AT_ONCE = 32
"""Jobs whose output is held in memory, where it comes from a bucket."""


class LogReader:
    """One file of one job; a retry begins a new file of the same name."""

    def __init__(self, folder: RunFolder, job: JobRecord, name: str) -> None:
        self.tail = tail_of(folder, job, name)
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
        return self.tail.found or self._shown > 0

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
        while self._pieces and not self.tail.exists and not self.tail.found:
            piece = self._pieces.popleft()
            self._shown += len(piece)
            yield piece
        self.tail.skip(self._shown)
        yield from filter(None, self.tail.pieces())

    def note(self, words: str) -> None:
        """Say something about the job on stderr."""
        sys.stdout.buffer.flush()
        sys.stderr.write(f"==> {self._title} {words}\n")


def show_logs(folder: RunFolder, readers: Sequence[LogReader]) -> Iterator[LogReader]:
    """Copy what the jobs have written; yield each reader when that is done."""
    for first in range(0, len(readers), _FETCHED_AT_ONCE):
        some = readers[first : first + _FETCHED_AT_ONCE]
        fetch(folder, [reader.tail for reader in some])
        for reader in some:
            reader.copy(titled=len(readers) > 1)
            reader.tail.close()
            yield reader


def follow_logs(folder: RunFolder, readers: Sequence[LogReader]) -> None:
    """Copy what the jobs write until all of them have ended, or nobody drives the run any more."""
    last = readers[0] if len(readers) == 1 else None
    running = deque(reader.job.index for reader in readers)
    ended = not readers
    while True:
        _fetch(folder, readers)
        for reader in readers:
            if reader.copy(titled=reader is not last) and len(readers) > 1:
                last = reader
        if ended:
            return
        time.sleep(folder.interval(_INTERVAL))
        ended = _have_ended(folder, running)


def _fetch(folder: RunFolder, readers: Sequence[LogReader]) -> None:
    try:
        fetch(folder, [reader.tail for reader in readers])
    except OSError as error:
        say(f"warning: {folder} cannot be read now, trying again: {error.strerror or error}")


def _have_ended(folder: RunFolder, running: deque[int]) -> bool:
    """Take from `running` the jobs that have ended; tell whether nothing more is to come."""
    # job.status is a copy for people; the journal is asked once all of them say so.
    said = []
    while running and _status(folder, running[0]).final:
        said.append(running.popleft())
    if running:
        running.extend(said)
        return nobody_drives(folder)
    jobs = folder.read().jobs
    running.extend(index for index in said if not jobs[index].status.final)
    return not running or nobody_drives(folder)


def _status(folder: RunFolder, index: int) -> JobStatus:
    try:
        return JobStatus(int(folder.files.read(f"{folder.of_job(index)}/job.status")))
    except (OSError, ValueError):
        return JobStatus.INIT
