"""Which jobs are meant by `3,7-9`, `sample1`, `failed`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from sched_core.errors import OptionError
from sched_core.model.failure import Failure
from sched_core.model.status import JobStatus
from sched_core.runfolder.state import JobRecord

from ..wording import index_ranges

__all__ = ["select_jobs"]

_RANGE = re.compile(r"(\d+)(?:-(\d+))?", re.ASCII)

_STATES: dict[str, Callable[[JobRecord], bool]] = {
    "all": lambda job: True,
    "failed": lambda job: job.status is JobStatus.FAILED,
    "killed": lambda job: job.status is JobStatus.KILLED,
    "finished": lambda job: job.status is JobStatus.FINISHED,
    "running": lambda job: job.status in (JobStatus.RUNNING, JobStatus.KILLING),
    "waiting": lambda job: job.status < JobStatus.RUNNING,
}


def select_jobs(words: Iterable[str], jobs: Mapping[int, JobRecord]) -> list[JobRecord]:
    """Return the jobs that the words mean, in the order of their indexes, each once.

    A word is a name, a state, a class of failure, or indexes with ranges and commas.
    Raises OptionError for a word that means no job, and says what there is.
    """
    chosen: dict[int, JobRecord] = {}
    for word in words:
        for job in _named(word, jobs) or _listed(word, jobs):
            chosen[job.index] = job
    return [chosen[index] for index in sorted(chosen)]


def _named(word: str, jobs: Mapping[int, JobRecord]) -> list[JobRecord]:
    if word.isdecimal():
        return []  # an index, whatever the names are
    return [job for job in jobs.values() if job.name is not None and job.name == word]


def _listed(word: str, jobs: Mapping[int, JobRecord]) -> list[JobRecord]:
    parts = [part.strip() for part in word.split(",") if part.strip()]
    if not parts:
        raise OptionError(f"{word!r} names no job; {_what_there_is(jobs)}")
    return [job for part in parts for job in _part(part, jobs)]


def _part(part: str, jobs: Mapping[int, JobRecord]) -> Sequence[JobRecord]:
    if match := _RANGE.fullmatch(part):
        return _range(part, int(match[1]), int(match[2] or match[1]), jobs)
    test = _STATES.get(part.lower()) or _failure_test(part)
    if test:
        return [job for job in jobs.values() if test(job)]
    if named := _named(part, jobs):
        return named
    raise OptionError(f"no job is called {part!r}; {_near(part, jobs) or _what_there_is(jobs)}")


def _failure_test(part: str) -> Callable[[JobRecord], bool] | None:
    name = part.upper().replace("-", "_")
    if name not in Failure.__members__:
        return None
    return lambda job: job.status.final and job.failure is Failure[name]


def _range(part: str, first: int, last: int, jobs: Mapping[int, JobRecord]) -> list[JobRecord]:
    if first > last:
        raise OptionError(f"the range {part} runs backwards; write {last}-{first}")
    if last not in jobs or first not in jobs:
        wrong = last if last not in jobs else first
        raise OptionError(f"there is no job {wrong}; {_what_there_is(jobs)}")
    return [jobs[index] for index in range(first, last + 1) if index in jobs]


def _near(part: str, jobs: Mapping[int, JobRecord]) -> str:
    names = {job.name for job in jobs.values() if job.name} | set(_STATES)
    near = difflib.get_close_matches(part, names, 2)
    return f"did you mean {' or '.join(map(repr, near))}?" if near else ""


def _what_there_is(jobs: Mapping[int, JobRecord]) -> str:
    if not jobs:
        return "the run has no jobs"
    return f"the run has the jobs {index_ranges(sorted(jobs))}"
