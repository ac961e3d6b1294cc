"""What is said of a run: its counts, its failures by what they have in common, what to do next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat

from sched_core.model.failure import Failure
from sched_core.model.status import JobStatus

from ..wording import count_jobs, counted, duration, index_ranges, is_interrupted, plain
from .jobfiles import last_line_of_each
from .jobstate import JobState
from .runfolder import RunFolder

__all__ = [
    "FailureGroup",
    "group_failures",
    "last_words",
    "next_steps",
    "summary",
]

# Beyond that many, last lines are no longer read: the groups are by class and rc alone.
_MOST_READ = 2000
_MOST_READ_IN_BUCKET = 200
_LONGEST_LINE = 200
_BAD = (JobStatus.FAILED, JobStatus.KILLED)


@dataclass(slots=True)
class FailureGroup:
    """Jobs that failed alike."""

    failure: str
    rc: int | None
    line: str
    indexes: list[int] = field(default_factory=list)

    def text(self) -> str:
        """One line for people."""
        rc = f" rc {self.rc}" if self.rc not in (None, 0) else ""
        jobs = f"{count_jobs(len(self.indexes))} ({index_ranges(self.indexes)})"
        return f"{self.failure}{rc}, {jobs}{': ' if self.line else ''}{self.line}"

    def to_json(self) -> dict[str, object]:
        """The group for programs."""
        return {
            "failure": self.failure,
            "rc": self.rc,
            "line": self.line,
            "jobs": self.indexes,
        }


def group_failures(jobs: Iterable[JobState], folder: RunFolder) -> list[FailureGroup]:
    """Return the groups, the largest first; killed jobs are among them, interrupted ones not."""
    groups: dict[tuple[str, int | None, str], FailureGroup] = {}
    chosen = (job for job in jobs if job.status in _BAD and not is_interrupted(job))
    bad = sorted(chosen, key=lambda job: job.index)
    lines = last_words(bad[: _MOST_READ_IN_BUCKET if folder.in_bucket else _MOST_READ], folder)
    for job, line in zip(bad, chain(lines, repeat("")), strict=False):
        failure = job.failure.value if job.failure else job.status.name
        key = (failure, job.rc, line)
        groups.setdefault(key, FailureGroup(*key)).indexes.append(job.index)
    return sorted(groups.values(), key=lambda group: -len(group.indexes))


def last_words(jobs: Sequence[JobState], folder: RunFolder) -> list[str]:
    """For each job the last line that it wrote, or why it never got to write one. Blocks."""
    said = {job.index: plain(job.reason)[:_LONGEST_LINE] for job in jobs}
    asked = [job.index for job in jobs if _own_words_tell_more(job)]
    paths = [f"{folder.of_job(index)}/job.stderr" for index in asked]
    lines = dict(zip(asked, last_line_of_each(folder, paths), strict=True))
    return [lines.get(index) or words for index, words in said.items()]


def _own_words_tell_more(job: JobState) -> bool:
    return job.failure in (None, Failure.EXIT) or not job.reason


def summary(
    counts: Mapping[str, int], groups: Sequence[FailureGroup], folder: RunFolder, seconds: float
) -> list[str]:
    """The lines at the end of a run."""
    total = sum(counts.values())
    lines = [f"{count_jobs(total)} in {duration(seconds)}: {counted(dict(counts))}"]
    lines += failure_lines(groups)
    lines.append(f"results: {folder}/INDEX/job.stdout, job.stderr")
    return lines + next_steps(counts, folder)


def failure_lines(groups: Sequence[FailureGroup], most: int = 8) -> list[str]:
    """A line for each of the largest groups."""
    lines = [f"  {group.text()}" for group in groups[:most]]
    if len(groups) > most:
        rest = sum(len(group.indexes) for group in groups[most:])
        lines.append(f"  and {count_jobs(rest)} that failed in {len(groups) - most} other ways")
    return lines


def next_steps(counts: Mapping[str, int], folder: RunFolder) -> list[str]:
    """The commands to type next."""
    steps = []
    if counts["failed"]:
        steps.append(f"sched logs {folder} failed --stderr")
    if counts["waiting"] or counts["running"] or counts["interrupted"]:
        steps.append(f"sched resume {folder}")
    elif counts["failed"] or counts["killed"]:
        steps.append(f"sched retry {folder}")
    if not steps:
        steps.append(f"sched logs {folder} all")
    return [
        f"{'next:   ' if number == 0 else '        '} {step}" for number, step in enumerate(steps)
    ]
