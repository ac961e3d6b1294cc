"""What jobs have written, whole and in their order, for `sched cat`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sched_core.runfolder import JobRecord

from .jobfiles import chunks, contents
from .runfolder import RunFolder

__all__ = ["label", "outputs", "tagged"]

_AT_ONCE_IN_BUCKET = 32


def label(job: JobRecord) -> str:
    """What a line of the job's is marked with: its name, or its index where it was given none."""
    return str(job.index) if job.name is None else job.name


def outputs(
    folder: RunFolder, jobs: Sequence[JobRecord], name: str
) -> Iterator[tuple[JobRecord, Iterator[bytes]]]:
    """Yield each job with the pieces of its file of that name, none where there is no file.

    Blocks. Raises OSError. The pieces are to be taken before the next job is.
    """
    if not folder.in_bucket:
        for job in jobs:
            yield job, _pieces(folder, f"{folder.of_job(job.index)}/{name}")
        return
    for first in range(0, len(jobs), _AT_ONCE_IN_BUCKET):
        some = jobs[first : first + _AT_ONCE_IN_BUCKET]
        paths = [f"{folder.of_job(job.index)}/{name}" for job in some]
        for job, data in zip(some, contents(folder, paths), strict=True):
            yield job, iter([data] if data else [])


def _pieces(folder: RunFolder, path: str) -> Iterator[bytes]:
    try:
        yield from chunks(folder, path)
    except FileNotFoundError:
        return  # the job never started


def tagged(tag: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Put the tag and a tab before each line; a last line that has no end is given one."""
    mark = tag.encode(errors="surrogateescape") + b"\t"
    begins = True
    for piece in filter(None, pieces):
        ends = piece.endswith(b"\n")
        text = piece.removesuffix(b"\n").replace(b"\n", b"\n" + mark)
        yield (mark if begins else b"") + text + (b"\n" if ends else b"")
        begins = ends
    if not begins:
        yield b"\n"
