"""What several jobs write, as it comes: a line at a time, each behind the job's name."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from itertools import islice

from sched_core.runfolder import JobRecord

from ..console import say, stdout_is_terminal
from ..terminaltext import shown
from ..wording import plain
from .elsewhere import Elsewhere, where_it_is_written
from .follow import INTERVAL, LogReader, try_to_fetch
from .outputs import label
from .runfolder import RunFolder
from .states import is_running
from .watch import RunWatch

__all__ = ["follow_logs"]

_ENDED_AT_ONCE = 32
"""Jobs that have ended whose output is read together."""
_LONGEST_LINE = 1 << 16
_BETWEEN_CONNECTIONS = 2.0
"""Seconds: jobs elsewhere that start within them are read together."""


def follow_logs(folder: RunFolder, jobs: Iterable[JobRecord], name: str) -> None:
    """Write what the jobs write until all of them have ended, or nobody drives the run any more.

    Those that have not started yet are followed once they have. Blocks.
    """
    _Follower(folder, {job.index for job in jobs}, name).run()


class _Follower:
    def __init__(self, folder: RunFolder, wanted: set[int], name: str) -> None:
        self._folder = folder
        self._name = name
        self._wanted = wanted
        self._watch = RunWatch(folder)
        self._open: dict[int, _Lines] = {}
        self._elsewhere = Elsewhere(folder, name)
        self._unread: list[LogReader] = []
        self._connected = -_BETWEEN_CONNECTIONS

    def run(self) -> None:
        while self._wanted:
            ended = list(self._look())
            self._read_elsewhere()
            self._copy(self._open.values())
            while some := list(islice(ended, _ENDED_AT_ONCE)):
                del ended[:_ENDED_AT_ONCE]
                self._end(some)
            if not self._wanted or self._watch.view.driver is None:
                break
            time.sleep(self._folder.interval(INTERVAL))
        self._end([lines.job for lines in self._open.values()])

    def _look(self) -> Iterator[JobRecord]:
        """Open what has started; yield what has ended for good."""
        try:
            changed = self._watch.refresh()
        except OSError as error:
            say(f"warning: {self._folder} cannot be read now, trying again: {error}")
            return
        changed = [job for job in changed if job.index in self._wanted]
        started = [job for job in changed if is_running(job) and job.index not in self._open]
        live = where_it_is_written(self._folder, started)
        for job in started:
            self._open[job.index] = lines = _Lines(live, job, self._name)
            self._unread.append(lines.reader)
        yield from (job for job in changed if job.is_done)

    def _read_elsewhere(self) -> None:
        now = time.monotonic()
        if self._unread and now - self._connected >= _BETWEEN_CONNECTIONS:
            if self._elsewhere.follow([r for r in self._unread if not r.ended]):
                self._connected = now
            self._unread.clear()

    def _copy(self, some: Iterable[_Lines]) -> None:
        some = list(some)
        try_to_fetch(self._folder, [lines.reader for lines in some])
        for lines in some:
            lines.copy()
        sys.stdout.buffer.flush()

    def _end(self, jobs: list[JobRecord]) -> None:
        some = [self._ended(job) for job in jobs]
        self._copy(some)
        for lines in some:
            lines.end()
        sys.stdout.buffer.flush()
        self._wanted.difference_update(job.index for job in jobs)

    def _ended(self, job: JobRecord) -> _Lines:
        # What ended in the meantime was brought here, whole.
        return self._open.pop(job.index, None) or _Lines(self._folder, job, self._name)


class _Lines:
    """The whole lines of one job."""

    def __init__(self, folder: RunFolder, job: JobRecord, name: str) -> None:
        self.job = job
        self.reader = LogReader(folder, job, name)
        self._mark = plain(label(job)).encode(errors="surrogateescape") + b"\t"
        self._begun = b""

    def copy(self) -> None:
        """Write the lines that are whole by now."""
        for piece in self.reader.pieces():
            text = self._begun + piece
            whole, end, self._begun = text.rpartition(b"\n")
            self._write(whole + end)
            if len(self._begun) > _LONGEST_LINE:
                self._finish_line()

    def end(self) -> None:
        """Write what is left of a last line, and look no more."""
        self._finish_line()
        self.reader.tail.close()
        self.reader.ended = True

    def _finish_line(self) -> None:
        if self._begun:
            self._write(self._begun + b"\n")
            self._begun = b""

    def _write(self, lines: bytes) -> None:
        if lines:
            text = _shown(lines)
            whole = text.removesuffix(b"\n").replace(b"\n", b"\n" + self._mark)
            sys.stdout.buffer.write(self._mark + whole + b"\n")


def _shown(lines: bytes) -> bytes:
    """What a terminal may be shown of lines; a colour ends with its line, as others' lines follow."""
    if not stdout_is_terminal():
        return lines
    each = lines.removesuffix(b"\n").split(b"\n")
    return b"".join(b"".join(shown([line], tagged=True)) + b"\n" for line in each)
