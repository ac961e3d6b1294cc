"""What `pack` and `unpack` say."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from ..console import say
from ..reading.runfolder import RunFolder
from ..reading.selection import select_jobs
from ..wording import count_jobs, count_of, index_ranges, size
from .packing import Packed, pack_jobs, unpack_jobs
from .ticking import ticking

__all__ = ["pack_run", "unpack_run"]


def pack_run(folder: RunFolder, words: Sequence[str]) -> int:
    """Pack the jobs that the words mean, by default all that have ended; return the exit code."""
    with ticking() as show:
        choose = partial(select_jobs, words) if words else None
        packed = pack_jobs(folder, choose, lambda p: show(f"packing {_progress(p)}"))
    if packed.changed:
        jobs = index_ranges(sorted(packed.changed))
        say(f"left as they are: files of {count_jobs(len(packed.changed))} ({jobs}) still change")
    if packed.open:
        say(f"not packed: {count_jobs(packed.open)} that did not end yet")
    if not packed.jobs:
        say(f"there is nothing to pack in {folder}: no job that has ended has files in its folder")
        return 0
    if not packed.archives:
        say(
            f"removed {count_of(packed.files, 'file')} of {count_jobs(packed.jobs)}, which were packed before"
        )
        return 0
    say(
        f"packed {count_of(packed.files, 'file')} of {count_jobs(packed.jobs)} ({size(packed.size)})"
        f" into {count_of(packed.archives, 'archive')} ({size(packed.archived)})"
    )
    return 0


def unpack_run(folder: RunFolder) -> int:
    """Put back the packed files of a run; return the exit code."""
    with ticking() as show:
        unpacked = unpack_jobs(folder, lambda u: show(f"putting back {_progress(u)}"))
    if unpacked.archives or unpacked.jobs:
        say(
            f"put back {count_of(unpacked.files, 'file')} of {count_jobs(unpacked.jobs)} ({size(unpacked.size)})"
        )
    elif not unpacked.blocked:
        say(f"nothing of {folder} is packed")
    if unpacked.blocked:
        _tell_what_is_blocked(folder, unpacked.blocked)
    return 1 if unpacked.blocked else 0


def _tell_what_is_blocked(folder: RunFolder, indexes: Sequence[int]) -> None:
    say(
        f"left packed: files of {count_jobs(len(indexes))} ({index_ranges(indexes)}): a link, or a file, lies "
        "where their folder has to be"
    )
    say(f"next:    look at {folder.of_job(indexes[0])}, remove it, and unpack once more")


def _progress(packed: Packed) -> str:
    return f"{packed.seen:,} of {count_jobs(packed.total)}"
