"""The lists of jobs as rows of text: the same words on every screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sched_core.runfolder import JobRecord

from ..reading.states import state_word
from ..wording import count_jobs, duration, one_line, plain, size
from .columns import Column, columns_of
from .model import MOST, Query, RunModel, Tab

__all__ = ["LastWords", "Row", "Table", "make_table"]

_LONGEST_COMMAND = 400
_FEWEST_SHOWN = 3

LastWords = Callable[[Sequence[JobRecord]], Sequence[str]]
"""Returns the last line that each job wrote, or why it never got to write one; of the first jobs
only, where they are many.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table: a job, or what the jobs below it have in common."""

    indexes: tuple[int, ...]
    """The job, or all that the line stands for."""
    cells: tuple[str, ...]
    """A text for each column, or one for them all."""
    state: str = ""
    """The job's state in a word, '' for what jobs have in common."""

    @property
    def is_job(self) -> bool:
        """Whether it is the line of one job."""
        return bool(self.state)


@dataclass(frozen=True, slots=True)
class Table:
    """A list of jobs."""

    query: Query
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    hidden: int
    """How many jobs the list has beyond these."""


@dataclass(frozen=True, slots=True)
class _Field:
    title: str
    text: Callable[[JobRecord, float], str]
    right: bool = False
    stretches: bool = False


def make_table(model: RunModel, query: Query, now: float, last_words: LastWords) -> Table:
    """Return the list that was asked for. `last_words` is called for failed jobs, and may block."""
    fields = _FIELDS[query.tab]
    if query.tab is Tab.FAILED:
        jobs = model.all_of(query)
        rows = list(_grouped(jobs, last_words(jobs), fields, now))
        hidden = len(jobs) - sum(row.is_job for row in rows)
    else:
        chosen = model.choose(query)
        rows = [_row(job, fields, now) for job in chosen.jobs]
        hidden = chosen.matching - len(rows)
    return Table(query, _columns(fields, rows), tuple(rows), hidden)


def _row(job: JobRecord, fields: Sequence[_Field], now: float) -> Row:
    return Row((job.index,), tuple(field.text(job, now) for field in fields), state_word(job))


def _columns(fields: Sequence[_Field], rows: Sequence[Row]) -> tuple[Column, ...]:
    stretched = next(number for number, field in enumerate(fields) if field.stretches)
    cells = [row.cells for row in rows if row.is_job]
    return columns_of([(field.title, field.right) for field in fields], cells, stretched)


def _grouped(
    jobs: Sequence[JobRecord], words: Sequence[str], fields: Sequence[_Field], now: float
) -> Iterator[Row]:
    """The largest groups first, each with a line of its own and its first jobs."""
    groups: dict[tuple[str, str], list[JobRecord]] = {}
    lines = [*words, *[""] * (len(jobs) - len(words))]
    for job, line in zip(jobs, lines, strict=True):
        groups.setdefault((_how(job), line), []).append(job)
    shown = max(_FEWEST_SHOWN, MOST // max(1, len(groups)))
    ordered = sorted(groups.items(), key=lambda group: -len(group[1]))
    for (how, line), members in ordered[: MOST // _FEWEST_SHOWN]:
        heading = f"{how}, {count_jobs(len(members))}{': ' if line else ''}{line}"
        yield Row(tuple(job.index for job in members), (heading,))
        yield from (_row(job, fields, now) for job in members[:shown])


def _how(job: JobRecord) -> str:
    failure = job.failure.value if job.failure else job.status.name
    return f"{failure} rc {job.rc}" if job.rc else failure


# --- what the columns hold -------------------------------------------------------------------------


def _what(job: JobRecord, _: float) -> str:
    command = one_line(job.cmd[:100], _LONGEST_COMMAND)
    return f"{plain(job.name)}: {command}" if job.name else command


def _host(job: JobRecord, _: float) -> str:
    return plain(job.host or "-")


def _time(job: JobRecord, now: float) -> str:
    if job.started is None:
        return "-"
    until = job.ended if job.status.final and job.ended is not None else now
    return duration(max(0.0, until - job.started))


def _waits(job: JobRecord, now: float) -> str:
    since = job.submitted or job.queued
    return "-" if since is None else duration(max(0.0, now - since))


def _state(job: JobRecord, _: float) -> str:
    state = state_word(job)
    return job.status.name.lower() if state in ("waiting", "running") else state


def _waits_for(job: JobRecord, now: float) -> str:
    return plain(job.reason) or _state(job, now)


def _cpu(job: JobRecord, _: float) -> str:
    return "-" if job.cpu is None else duration(job.cpu)


def _memory(job: JobRecord, _: float) -> str:
    return "-" if job.max_rss is None else size(job.max_rss)


_JOB = _Field("JOB", lambda job, _: str(job.index), right=True)
_COMMAND = _Field("COMMAND", _what, stretches=True)
_TRY = _Field("TRY", lambda job, _: str(job.attempt), right=True)
_HOST = _Field("HOST", _host)
_TIME = _Field("TIME", _time, right=True)
_STATE = _Field("STATE", _state)

_FIELDS: Mapping[Tab, tuple[_Field, ...]] = {
    Tab.RUNNING: (_JOB, _COMMAND, _TRY, _HOST, _TIME),
    Tab.FAILED: (_JOB, _COMMAND, _TRY, _HOST, _TIME),
    Tab.WAITING: (
        _JOB,
        _COMMAND,
        _TRY,
        _Field("STATE", _waits_for),
        _Field("SINCE", _waits, right=True),
    ),
    Tab.SLOWEST: (
        _JOB,
        _COMMAND,
        _HOST,
        _TIME,
        _Field("CPU", _cpu, right=True),
        _Field("MEMORY", _memory, right=True),
    ),
    Tab.ALL: (_JOB, _STATE, _COMMAND, _TRY, _HOST, _TIME),
}
