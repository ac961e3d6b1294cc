"""What is said of a run: its counts, its failures by what they have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, repeat

from sched_core.model.failure import Failure
from sched_core.model.status import JobStatus

from ..wording import (
    count_jobs,
    counted,
    duration,
    pace,
    plain,
)
from .failuregroup import FailureGroup
from .jobfiles import last_line_of_each
from .jobstate import JobState
from .nextsteps import next_steps
from .runfolder import RunFolder
from .shortage import SHORT_OF, most_given, options_of, twice
from .states import is_interrupted

__all__ = [
    "failure_lines",
    "group_failures",
    "last_words",
    "summary",
]

# Beyond that many, last lines are no longer read: the groups are by class and rc alone.
_MOST_READ = 2000
_MOST_READ_IN_BUCKET = 200
_LONGEST_LINE = 200
_FEWEST_FOR_RATE = 10
_BAD = (JobStatus.FAILED, JobStatus.KILLED)


def group_failures(
    jobs: Iterable[JobState], folder: RunFolder, hosts: Iterable[str] = ()
) -> list[FailureGroup]:
    """Return the groups, the largest first; killed jobs are among them, interrupted ones not.

    `hosts` are those of jobs that are not among these.
    """
    groups: dict[tuple[str, int | None, str], FailureGroup] = {}
    jobs = list(jobs)
    several_hosts = len({job.host for job in jobs if job.host}.union(hosts)) > 1
    chosen = (job for job in jobs if job.status in _BAD and not is_interrupted(job))
    bad = sorted(chosen, key=lambda job: job.index)
    lines = last_words(bad[: _MOST_READ_IN_BUCKET if folder.in_bucket else _MOST_READ], folder)
    for job, line in zip(bad, chain(lines, repeat("")), strict=False):
        failure = job.failure.value if job.failure else job.status.name
        key = (failure, job.rc, line)
        group = groups.setdefault(key, FailureGroup(*key))
        group.add(job)
        if several_hosts and job.host:
            group.hosts[job.host] += 1
    _tell_what_they_want([g for g in groups.values() if g.failure in SHORT_OF], bad, folder)
    return sorted(groups.values(), key=lambda group: -len(group.indexes))


def _tell_what_they_want(
    groups: Sequence[FailureGroup], bad: Sequence[JobState], folder: RunFolder
) -> None:
    if not groups:
        return
    options, by_index = options_of(folder), {job.index: job for job in bad}
    for group in groups:
        name = SHORT_OF[Failure(group.failure)]
        amount = most_given((by_index[index] for index in group.indexes), name, options)
        group.wants = twice(name, amount) if amount else ""


def last_words(jobs: Sequence[JobState], folder: RunFolder) -> list[str]:
    """For each job the last line that it wrote, or why it never got to write one. Blocks."""
    said = {job.index: plain(job.reason)[:_LONGEST_LINE] for job in jobs}
    asked = [job.index for job in jobs if _own_words_tell_more(job)]
    paths = [f"{folder.of_job(index)}/job.stderr" for index in asked]
    lines = dict(zip(asked, last_line_of_each(folder, paths), strict=True))
    return [lines.get(index) or words for index, words in said.items()]


def _own_words_tell_more(job: JobState) -> bool:
    return job.failure in (None, Failure.EXIT, Failure.SETUP) or not job.reason


def summary(
    counts: Mapping[str, int],
    groups: Sequence[FailureGroup],
    folder: RunFolder,
    seconds: float,
    *,
    ended: int = 0,
    width: int = 0,
) -> list[str]:
    """The lines at the end of a run.

    `ended` of the jobs have ended in these seconds; where `width` is given, what jobs wrote is cut to
    it.
    """
    total = sum(counts.values())
    took = duration(seconds)
    if ended >= _FEWEST_FOR_RATE and seconds >= 1:
        took += f" ({pace(ended / seconds)})"
    lines = [f"{count_jobs(total)} in {took}: {counted(dict(counts))}"]
    lines += failure_lines(groups, width=width)
    lines.append(f"results: {folder}/INDEX/job.stdout, job.stderr")
    return lines + next_steps(counts, folder, groups)


def failure_lines(groups: Sequence[FailureGroup], most: int = 8, width: int = 0) -> list[str]:
    """A line or two for each of the largest groups."""
    room = max(0, width - 2)
    lines = [f"  {line}" for group in groups[:most] for line in group.text(room).splitlines()]
    if len(groups) > most:
        rest = sum(len(group.indexes) for group in groups[most:])
        lines.append(f"  and {count_jobs(rest)} that failed in {len(groups) - most:,} other ways")
    return lines
