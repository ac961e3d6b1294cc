"""Which jobs are meant by `3,7-9`, `sample1`, `failed`."""

from __future__ import annotations

import difflib
import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import islice

from sched_core.errors import OptionError
from sched_core.model.failure import Failure
from sched_core.model.status import JobStatus
from sched_core.runfolder.state import JobRecord

from ..wording import index_ranges
from .states import is_running

__all__ = ["STATE_WORDS", "failure_class", "is_state_or_class", "select_jobs"]

_RANGE = re.compile(r"(\d+)(?:-(\d+))?", re.ASCII)
_MOST_NAMES = 3
_PATTERN = re.compile(r"[*?\[]")

_STATES: dict[str, Callable[[JobRecord], bool]] = {
    "all": lambda job: True,
    "failed": lambda job: job.status is JobStatus.FAILED,
    "killed": lambda job: job.status is JobStatus.KILLED,
    "finished": lambda job: job.status is JobStatus.FINISHED,
    "running": is_running,
    "waiting": lambda job: job.status < JobStatus.RUNNING,
}


STATE_WORDS = tuple(_STATES)
"""The words that mean jobs by their state."""
_ALIASES = {"oom": Failure.OUT_OF_MEMORY}


def select_jobs(words: Iterable[str], jobs: Mapping[int, JobRecord]) -> list[JobRecord]:
    """Return the jobs that the words mean, in the order of their indexes, each once.

    A word is a name, a pattern of names (`sample_*`), a state, a class of failure, or indexes with
    ranges and commas. Raises OptionError for a word that means no job, and says what there is.
    """
    chosen: dict[int, JobRecord] = {}
    names = _Names(jobs)
    for word in words:
        for job in names.of(word) or _listed(word, jobs, names):
            chosen[job.index] = job
    return [chosen[index] for index in sorted(chosen)]


def failure_class(word: str) -> Failure:
    """Return the class that a word means: TIMEOUT, out-of-memory, oom. Raises OptionError."""
    found = _failure(word)
    if found is None:
        known = [*_ALIASES, *(failure.value.lower() for failure in Failure)]
        near = difflib.get_close_matches(word.lower(), known, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
        raise OptionError(f"{word!r} is no class of failure; {hint}")
    return found


def is_state_or_class(word: str) -> bool:
    """Tell whether a word means jobs by their state or class of failure."""
    return word.lower() in _STATES or _failure(word) is not None


class _Names:
    """The names of a run's jobs, sorted once and only if they are asked for."""

    def __init__(self, jobs: Mapping[int, JobRecord]) -> None:
        self._jobs = jobs

    @cached_property
    def _by_name(self) -> dict[str, list[JobRecord]]:
        found: dict[str, list[JobRecord]] = {}
        for job in self._jobs.values():
            if job.name is not None:
                found.setdefault(job.name, []).append(job)
        return found

    def of(self, word: str) -> list[JobRecord]:
        """The jobs of that name; digits are an index, whatever the names are."""
        return [] if word.isdecimal() else self._by_name.get(word, [])

    def like(self, pattern: str) -> list[JobRecord]:
        """The jobs whose names fit the pattern of a shell."""
        matches = re.compile(fnmatch.translate(pattern)).match
        return [job for name, jobs in self._by_name.items() if matches(name) for job in jobs]

    def near(self, word: str) -> list[str]:
        return difflib.get_close_matches(word, {*self._by_name, *_STATES}, 2)


def _listed(word: str, jobs: Mapping[int, JobRecord], names: _Names) -> list[JobRecord]:
    parts = [part.strip() for part in word.split(",") if part.strip()]
    if not parts:
        raise OptionError(f"{word!r} names no job; {_what_there_is(jobs)}")
    return [job for part in parts for job in _part(part, jobs, names)]


def _part(part: str, jobs: Mapping[int, JobRecord], names: _Names) -> Sequence[JobRecord]:
    if match := _RANGE.fullmatch(part):
        return _range(part, int(match[1]), int(match[2] or match[1]), jobs)
    test = _STATES.get(part.lower()) or _failure_test(part)
    if test:
        return [job for job in jobs.values() if test(job)]
    if named := names.of(part) or (names.like(part) if _PATTERN.search(part) else []):
        return named
    raise OptionError(f"no job is called {part!r}; {_near(part, names) or _what_there_is(jobs)}")


def _failure(word: str) -> Failure | None:
    name = word.upper().replace("-", "_")
    return _ALIASES.get(word.lower()) or Failure.__members__.get(name)


def _failure_test(part: str) -> Callable[[JobRecord], bool] | None:
    failure = _failure(part)
    if failure is None:
        return None
    return lambda job: job.status.final and job.failure is failure


def _range(part: str, first: int, last: int, jobs: Mapping[int, JobRecord]) -> list[JobRecord]:
    if first > last:
        raise OptionError(f"the range {part} runs backwards; write {last}-{first}")
    if last not in jobs or first not in jobs:
        wrong = last if last not in jobs else first
        raise OptionError(f"there is no job {wrong}; {_what_there_is(jobs)}")
    return [jobs[index] for index in range(first, last + 1) if index in jobs]


def _near(part: str, names: _Names) -> str:
    near = names.near(part)
    return f"did you mean {' or '.join(map(repr, near))}?" if near else ""


def _what_there_is(jobs: Mapping[int, JobRecord]) -> str:
    if not jobs:
        return "the run has no jobs"
    named = (job.name for job in jobs.values() if job.name)
    names = ", ".join(islice(named, _MOST_NAMES))
    return f"the run has the jobs {index_ranges(sorted(jobs))}" + (
        f" ({names}, ...)" if names else ""
    )
