"""The runs below a folder, a row each: how far they are, and what they take up."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sched_core.errors import OptionError, SchedError
from sched_core.model.units import parse_time

from ..reading.runfolder import RUNS, RunFolder
from ..reading.states import run_state, state_counts

if TYPE_CHECKING:
    from sched_core.runfolder import RunView, Tally

__all__ = [
    "SORTS",
    "RunRow",
    "last_event",
    "older_than",
    "parse_age",
    "row_of",
    "rows_of",
    "runs_below",
]

_AT_ONCE = 8


@dataclass(slots=True)
class RunRow:
    """What is told of a run. What is not known, or was not asked for, is None."""

    name: str
    folder: str
    scheduler: str | None = None
    state: str = "unreadable"
    """running, interrupted, failed, killed, finished, empty; unreadable where its records are not."""
    driver: str | None = None
    """Who drives it."""
    jobs: int | None = None
    done: int | None = None
    """Jobs that have ended, and are not to be run again."""
    failed: int | None = None
    """Jobs that failed or were killed."""
    begun: float | None = None
    """Seconds since 1970."""
    last: float | None = None
    """When something happened in it last, in seconds since 1970."""
    size: int | None = None
    """Bytes of all files in its folder."""
    files: int | None = None
    problem: str | None = None
    """Why it cannot be read."""

    @property
    def took(self) -> float | None:
        """Seconds from its beginning to what happened last."""
        if self.begun is None or self.last is None:
            return None
        return max(0.0, self.last - self.begun)

    def to_json(self) -> dict[str, Any]:
        """The row for programs."""
        row = asdict(self)
        row["took"] = self.took
        return row


SORTS = {
    "time": lambda row: -(row.begun or 0.0),
    "size": lambda row: -(row.size or 0),
    "files": lambda row: -(row.files or 0),
    "name": lambda row: row.name,
}
"""What rows can be sorted by: the newest, the largest first."""


def runs_below(where: str | None = None) -> list[RunFolder]:
    """Return the runs in folders of this folder, by default ./sched-runs; one that is a run itself is
    the only one. Raises OptionError where there is no such folder.
    """
    top = RunFolder(where or RUNS)
    if top.holds_run():
        return [top]
    try:
        names = top.ports.files.names(top.path)
    except FileNotFoundError:
        if where is None:
            return []
        raise OptionError(f"{where} is no folder; name one that has runs in it") from None
    except NotADirectoryError:
        raise OptionError(f"{where} is a file; name a folder that has runs in it") from None
    return [folder for folder in _folders(top, sorted(names)) if folder.holds_run()]


def _folders(top: RunFolder, names: Sequence[str]) -> Iterator[RunFolder]:
    for name in names:
        folder = RunFolder(f"{top.path}/{name}")
        folder.ports = top.ports if not top.in_bucket else folder.ports
        yield folder


def row_of(folder: RunFolder, *, size: bool = True) -> RunRow:
    """Return what there is to tell of a run, whatever state its records are in. Blocks."""
    row = RunRow(os.path.basename(folder.absolute), folder.path)
    try:
        _fill(row, *folder.glance())
    except (SchedError, OSError) as error:
        row.problem = str(error)
    if size:
        try:
            row.files, row.size = _usage(folder)
        except OSError as error:
            row.problem = row.problem or str(error)
    return row


def rows_of(folders: Sequence[RunFolder], *, size: bool = True) -> Iterator[RunRow]:
    """Yield what there is to tell of each run, one by one; of some in a bucket at the same time. Blocks."""
    look = partial(row_of, size=size)
    if len(folders) < 2 or not folders[0].in_bucket:
        yield from map(look, folders)
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield from pool.map(look, folders)


def _fill(row: RunRow, view: RunView, others: Tally) -> None:
    counts = state_counts(view.jobs.values(), others)
    row.scheduler, row.driver = view.run.scheduler, view.driver
    row.jobs, row.begun = others.total, view.run.created
    row.last = max(last_event(view), others.last)
    row.failed = counts["failed"] + counts["killed"]
    row.done = counts["finished"] + row.failed
    row.state = run_state(counts, driven=bool(view.driver))


def last_event(view: RunView) -> float:
    """Return when something happened in the run last, in seconds since 1970."""
    times = (
        at
        for job in view.jobs.values()
        for at in (job.ended, job.started, job.submitted, job.queued)
        if at is not None
    )
    return max(times, default=view.run.created)


def parse_age(text: str) -> float:
    """Return the seconds of an age such as 30d or 12h. Raises OptionError."""
    if text.strip().replace(".", "", 1).isdecimal():
        raise OptionError(f"--older-than {text!r} has no unit; write for example 30d, 12h or 90m")
    return parse_time(text, "--older-than")


def older_than(folders: Sequence[RunFolder], seconds: float) -> list[RunFolder]:
    """Return those of the runs in which nothing has happened for so long; none that somebody drives, or
    whose records cannot be read.
    """
    before = time.time() - seconds
    chosen = []
    for folder in folders:
        try:
            view = folder.read()
        except (SchedError, OSError):
            continue
        if not view.driver and last_event(view) < before:
            chosen.append(folder)
    return chosen


def _usage(folder: RunFolder) -> tuple[int, int]:
    """Return the number of files of a run, and their bytes."""
    if folder.in_bucket:
        from .tree import bucket_of

        entries = bucket_of(folder).tree(folder.path).values()
        return len(entries), sum(entry.size for entry in entries)
    return _walk(folder.path)


def _walk(top: str | Path) -> tuple[int, int]:
    number = size = 0
    with os.scandir(top) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                inner = _walk(entry.path)
                number += inner[0]
                size += inner[1]
            else:
                number += 1
                size += entry.stat(follow_symlinks=False).st_size
    return number, size
