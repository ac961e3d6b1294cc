"""What became of each job, a row each: for tables, files and programs."""

from __future__ import annotations

import difflib
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sched_core.errors import OptionError
from sched_core.runfolder.state import JobRecord

from ..wording import one_line
from .jobfiles import contents
from .runfolder import RunFolder

__all__ = [
    "COLUMNS",
    "OUTPUTS",
    "USUAL_COLUMNS",
    "JobLogLine",
    "chosen_columns",
    "job_log",
    "results",
    "wall",
]

Row = dict[str, Any]


def wall(job: JobRecord) -> float | None:
    """How long the last attempt took, in seconds; None while that is not known."""
    if job.started is None or job.ended is None:
        return None
    return round(max(0.0, job.ended - job.started), 3)


COLUMNS: dict[str, Callable[[JobRecord], Any]] = {
    "index": lambda job: job.index,
    "name": lambda job: job.name,
    "status": lambda job: job.status.name,
    "rc": lambda job: job.rc,
    "failure": lambda job: job.failure and job.failure.value,
    "attempt": lambda job: job.attempt,
    "host": lambda job: job.host,
    "submitted": lambda job: job.submitted,
    "started": lambda job: job.started,
    "ended": lambda job: job.ended,
    "wall": wall,
    "cpu": lambda job: None if job.cpu is None else round(job.cpu, 3),
    "max_rss": lambda job: job.max_rss,
    "cmd": lambda job: one_line(job.cmd),
    "queued": lambda job: job.queued,
    "jid": lambda job: job.jid,
    "reason": lambda job: job.reason or None,
}
"""The columns that a journal fills. Times are seconds since 1970, `wall` and `cpu` seconds, `max_rss` bytes."""

OUTPUTS = {"stdout": "job.stdout", "stderr": "job.stderr"}
"""The columns that are read from the jobs' own files."""

USUAL_COLUMNS = tuple(COLUMNS)[: tuple(COLUMNS).index("cmd") + 1]

_AT_ONCE = 64
"""Jobs whose files are asked for together: in a bucket each question is a request."""


def chosen_columns(typed: str | None, *, stdout: bool) -> tuple[str, ...]:
    """Return the columns of a list such as "index,wall". Raises OptionError for what is none."""
    names = USUAL_COLUMNS if typed is None else tuple(part.strip() for part in typed.split(","))
    for name in names:
        _check_column(name)
    return (*names, "stdout") if stdout and "stdout" not in names else names


def _check_column(name: str) -> None:
    known = [*COLUMNS, *OUTPUTS]
    if name in known:
        return
    near = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
    raise OptionError(f"--columns: there is no column {name!r}; {hint}")


def results(
    folder: RunFolder,
    jobs: Iterable[JobRecord] | None = None,
    columns: Sequence[str] = USUAL_COLUMNS,
) -> Iterator[Row]:
    """Yield a row for each job, its values by column; None for what is not known. Blocks.

    By default these are all jobs of the run. Of `stdout` and `stderr` line ends at the end are left
    out, as bash does in $(...); bytes that are no UTF-8 are kept as surrogates. Raises RunNotFound,
    RunCorrupt.
    """
    read = [name for name in columns if name in OUTPUTS]
    chosen = folder.read().jobs.values() if jobs is None else jobs
    for some in _in_batches(chosen, _AT_ONCE if read else 1):
        texts = {name: _texts(folder, some, OUTPUTS[name]) for name in read}
        for number, job in enumerate(some):
            yield {
                name: texts[name][number] if name in texts else COLUMNS[name](job)
                for name in columns
            }


def _texts(folder: RunFolder, jobs: Sequence[JobRecord], name: str) -> list[str | None]:
    paths = [f"{folder.of_job(job.index)}/{name}" for job in jobs]
    return [
        None if data is None else data.decode(errors="surrogateescape").rstrip("\n")
        for data in contents(folder, paths)
    ]


def _in_batches(jobs: Iterable[JobRecord], size: int) -> Iterator[list[JobRecord]]:
    rest = iter(jobs)
    while some := list(islice(rest, size)):
        yield some


# --- the joblog of GNU parallel ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class JobLogLine:
    """A line of GNU parallel's joblog."""

    seq: int
    host: str
    started: float
    runtime: float
    received: int
    exit_value: int
    signal: int
    command: str

    def __str__(self) -> str:
        return (
            f"{self.seq}\t{self.host}\t{self.started:.3f}\t{self.runtime:10.3f}\t0\t{self.received}"
            f"\t{self.exit_value}\t{self.signal}\t{self.command}"
        )


_AT_ONCE_BY_SIZE = 1000
_NO_EXIT_VALUE = -1  # GNU parallel's, too, for what it ended itself
_AFTER_SIGNAL = range(129, 129 + signal.NSIG - 1)


def job_log(
    folder: RunFolder, jobs: Iterable[JobRecord], driver_host: str | None
) -> Iterator[JobLogLine]:
    """Yield a line for each job that has ended, in the order of their ends. Blocks.

    The host on which the driver was is `:`, as GNU parallel calls its own.
    """
    ended = sorted((job for job in jobs if job.status.final), key=lambda job: job.ended or 0.0)
    for some in _in_batches(ended, _AT_ONCE_BY_SIZE):
        paths = [f"{folder.of_job(job.index)}/{OUTPUTS['stdout']}" for job in some]
        known = folder.files.checksums(paths)
        for job, path in zip(some, paths, strict=True):
            entry = known.get(path)
            yield _log_line(job, entry.size if entry else 0, driver_host)


def _log_line(job: JobRecord, received: int, driver_host: str | None) -> JobLogLine:
    exit_value, signum = _how_it_ended(job)
    started = job.started or job.ended or 0.0
    host = ":" if job.host in (None, "", driver_host) else str(job.host)
    seconds = wall(job) or 0.0
    return JobLogLine(
        job.index + 1, host, started, seconds, received, exit_value, signum, one_line(job.cmd)
    )


def _how_it_ended(job: JobRecord) -> tuple[int, int]:
    """Exit value and signal; both are 0 only for a job that finished."""
    if job.failure is None and job.rc is not None:
        return job.rc, 0
    if job.rc is not None and job.rc in _AFTER_SIGNAL:
        return 0, job.rc - 128
    return job.rc or _NO_EXIT_VALUE, 0
