"""What one look at a job brings to the screen: its story, and the end of what it writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from sched_core.model.status import JobStatus
from sched_core.runfolder import JobRecord

from ..reading.elsewhere import Elsewhere, where_it_is_written
from ..reading.follow import LogReader
from ..reading.history import story
from ..reading.runfolder import RunFolder
from ..reading.tails import fetch
from .lines import LastLines

__all__ = ["STDERR", "STDOUT", "JobLook", "JobPicture"]

STDOUT, STDERR = "job.stdout", "job.stderr"
_END = 1 << 17
"""Bytes of a file, up to its end, that are looked at."""
_MOST_PIECES = 64
"""Pieces that one look reads: a job may write faster than anybody reads."""


@dataclass(frozen=True, slots=True)
class JobPicture:
    """A job at one moment, as far as the screen shows it."""

    job: JobRecord
    story: Sequence[str]
    name: str
    """Which of its files `lines` are from."""
    lines: Sequence[str]
    """The end of that file."""
    found: bool
    """Whether there is such a file."""


class JobLook:
    """Reads what is new of a job. All but `name` belongs to one thread."""

    def __init__(
        self,
        folder: RunFolder,
        job: Callable[[], JobRecord],
        show: Callable[[JobPicture], None],
        name: str = STDOUT,
    ) -> None:
        """Look at a job, whose record `job` returns; each look is handed to `show`."""
        self.name = name
        """The file that is wanted; any thread may set it."""
        self._folder = folder
        self._job = job
        self._show = show
        self._told: JobRecord | None = None
        self._story: Sequence[str] = ()
        self._files: dict[str, _File] = {}

    def __call__(self) -> None:
        """Look. Blocks; raises SchedError, OSError."""
        job, name = replace(self._job()), self.name
        if job != self._told:
            self._story, self._told = story(self._folder, job), job
        file = self._file(job, name)
        file.read()
        self._show(JobPicture(job, self._story, name, file.lines.lines(), file.reader.found))

    def _file(self, job: JobRecord, name: str) -> _File:
        file = self._files.get(name)
        if file is not None and not file.is_past(job):
            return file
        if file is not None:
            file.close()
        self._files[name] = _File(self._folder, job, name)
        return self._files[name]

    def close(self) -> None:
        """Look no more: connections to where the job runs may end."""
        for file in self._files.values():
            file.close()


class _File:
    def __init__(self, folder: RunFolder, job: JobRecord, name: str) -> None:
        self._stage = _stage(job)
        self._live = where_it_is_written(folder, [job])
        self.lines = LastLines()
        self.reader = LogReader(self._live, job, name)
        self.reader.tail.skip(max(0, self._size(job, name) - _END))
        Elsewhere(folder, name).follow([self.reader])

    def is_past(self, job: JobRecord) -> bool:
        """Whether the job has gone on since, so that its file may be elsewhere, or packed, now."""
        return _stage(job) != self._stage

    def _size(self, job: JobRecord, name: str) -> int:
        path = f"{self._live.of_job(job.index)}/{name}"
        entry = self._live.files.checksums([path]).get(path)
        return entry.size if entry else 0

    def read(self) -> None:
        fetch(self._live, [self.reader.tail])
        for piece in islice(self.reader.pieces(), _MOST_PIECES):
            self.lines.feed(piece)

    def close(self) -> None:
        self.reader.ended = True
        self.reader.tail.close()


def _stage(job: JobRecord) -> tuple[int, bool, bool]:
    return job.attempt, job.status >= JobStatus.RUNNING, job.status.final
