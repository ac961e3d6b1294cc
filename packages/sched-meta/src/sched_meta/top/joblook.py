"""What one look at a job brings to the screen: its story, and the end of what it writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from sched_core.runfolder import JobRecord

from ..reading.elsewhere import where_it_is_written
from ..reading.history import story
from ..reading.runfolder import RunFolder
from ..reading.tails import Tail, fetch, tail_of
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
        file = self._files.get(name)
        if file is None or file.is_past(job):
            file = self._files[name] = _File(self._folder, job, name)
        file.read()
        self._show(JobPicture(job, self._story, name, file.lines.lines(), file.tail.found))


class _File:
    def __init__(self, folder: RunFolder, job: JobRecord, name: str) -> None:
        self._job = job
        self._live = where_it_is_written(folder, [job])
        self.tail: Tail = tail_of(self._live, job, name)
        self.lines = LastLines()
        self.tail.skip(max(0, self._size(name) - _END))

    def is_past(self, job: JobRecord) -> bool:
        """Whether the job has ended since, so that its file may be elsewhere, or packed, now."""
        return job.status.final != self._job.status.final

    def _size(self, name: str) -> int:
        path = f"{self._live.of_job(self._job.index)}/{name}"
        entry = self._live.files.checksums([path]).get(path)
        return entry.size if entry else 0

    def read(self) -> None:
        fetch(self._live, [self.tail])
        for piece in self._pieces():
            self.lines.feed(piece)

    def _pieces(self) -> Iterator[bytes]:
        return islice(self.tail.pieces(), _MOST_PIECES)
