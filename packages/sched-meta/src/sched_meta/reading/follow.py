"""What jobs write, as far as it goes or as it comes."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence

from sched_core.model.status import JobStatus
from sched_core.runfolder.state import JobRecord

from ..console import say, stdout_is_terminal
from ..terminaltext import TerminalText
from ..wording import plain
from .onlooker import nobody_drives
from .runfolder import RunFolder
from .tails import fetch, tail_of

__all__ = ["INTERVAL", "LogReader", "follow_log", "show_logs", "try_to_fetch"]

INTERVAL = 0.2
"""Seconds between two looks at files of this machine."""
_FETCHED_AT_ONCE = 32
"""Jobs whose output is held in memory, where it comes from a bucket."""


class LogReader:
    """One file of one job; a retry begins a new file of the same name."""

    def __init__(self, folder: RunFolder, job: JobRecord, name: str) -> None:
        self.tail = tail_of(folder, job, name)
        self._title = f"job {job.index}" + (f" ({plain(job.name)})" if job.name else "")
        self._pieces: deque[bytes] = deque()
        self._text = TerminalText() if stdout_is_terminal() else None
        self._shown = 0
        """How much of the file was shown before there was one here."""
        self.job = job
        self.elsewhere = False
        """Whether the file is on a host whose disk cannot be seen from here."""
        self.asked = False
        """Whether that host was asked for it."""
        self.ended = False
        """Whether nothing of it is wanted any more."""

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
        for chunk in self.pieces():
            if titled and not wrote:
                self.note("wrote:")
            sys.stdout.buffer.write(self._text.take(chunk) if self._text else chunk)
            wrote = True
        sys.stdout.buffer.flush()
        return wrote

    def end(self) -> None:
        """Let no colour of the job's last beyond its text."""
        if self._text:
            sys.stdout.buffer.write(self._text.end())
            sys.stdout.buffer.flush()

    def pieces(self) -> Iterator[bytes]:
        """Yield what is new."""
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
            reader.end()
            reader.tail.close()
            yield reader


def follow_log(folder: RunFolder, reader: LogReader) -> None:
    """Copy what a job writes until it has ended, or nobody drives the run any more."""
    ended = False
    while True:
        try_to_fetch(folder, [reader])
        reader.copy(titled=False)
        if ended:
            reader.end()
            return
        time.sleep(folder.interval(INTERVAL))
        ended = _has_ended(folder, reader.job.index) or nobody_drives(folder)


def try_to_fetch(folder: RunFolder, readers: Sequence[LogReader]) -> None:
    """Have readers get what is new; where the store cannot be read now, say so."""
    try:
        fetch(folder, [reader.tail for reader in readers])
    except OSError as error:
        say(f"warning: {folder} cannot be read now, trying again: {error.strerror or error}")


def _has_ended(folder: RunFolder, index: int) -> bool:
    # job.status is a copy for people; the journal is asked once it says so.
    return _status(folder, index).final and folder.read().jobs[index].status.final


def _status(folder: RunFolder, index: int) -> JobStatus:
    try:
        return JobStatus(int(folder.files.read(f"{folder.of_job(index)}/job.status")))
    except (OSError, ValueError):
        return JobStatus.INIT
