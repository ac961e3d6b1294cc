"""What is said of a run: its counts, its failures by what they have in common, what to do next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sched_core.model.failure import Failure
from sched_core.model.status import JobStatus

from .jobstate import JobState
from .runfolder import shown
from .wording import count_jobs, counted, duration, index_ranges, is_interrupted, plain

__all__ = [
    "FailureGroup",
    "group_failures",
    "last_line",
    "last_lines",
    "last_words",
    "next_steps",
    "summary",
]

# Beyond that many, last lines are no longer read: the groups are by class and rc alone.
_MOST_READ = 2000
_TAIL = 4096
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


def group_failures(jobs: Iterable[JobState], workdir: Path) -> list[FailureGroup]:
    """Return the groups, the largest first; killed jobs are among them, interrupted ones not."""
    groups: dict[tuple[str, int | None, str], FailureGroup] = {}
    bad = (job for job in jobs if job.status in _BAD and not is_interrupted(job))
    for number, job in enumerate(sorted(bad, key=lambda job: job.index)):
        failure = job.failure.value if job.failure else job.status.name
        line = last_words(job, workdir) if number < _MOST_READ else ""
        key = (failure, job.rc, line)
        groups.setdefault(key, FailureGroup(*key)).indexes.append(job.index)
    return sorted(groups.values(), key=lambda group: -len(group.indexes))


def last_words(job: JobState, workdir: Path) -> str:
    """The last line that the job wrote, or why it never got to write one."""
    said = plain(job.reason)[:_LONGEST_LINE]
    if job.failure in (None, Failure.EXIT) or not said:
        return last_line(workdir / str(job.index) / "job.stderr") or said
    return said


def last_line(path: Path) -> str:
    """Return the last line of a file that is not blank, '' where there is none."""
    for line in reversed(last_lines(path, 4)):
        if line.strip():
            return plain(line.strip())[:_LONGEST_LINE]
    return ""


def last_lines(path: Path, most: int) -> list[str]:
    """Return up to that many lines from the end of a file, none where it cannot be read."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL * max(1, most // 4)))
            return file.read().decode(errors="replace").splitlines()[-most:]
    except OSError:
        return []


def summary(
    counts: Mapping[str, int], groups: Sequence[FailureGroup], workdir: Path, seconds: float
) -> list[str]:
    """The lines at the end of a run."""
    total = sum(counts.values())
    lines = [f"{count_jobs(total)} in {duration(seconds)}: {counted(dict(counts))}"]
    lines += failure_lines(groups)
    lines.append(f"results: {shown(workdir)}/INDEX/job.stdout, job.stderr")
    return lines + next_steps(counts, workdir)


def failure_lines(groups: Sequence[FailureGroup], most: int = 8) -> list[str]:
    """A line for each of the largest groups."""
    lines = [f"  {group.text()}" for group in groups[:most]]
    if len(groups) > most:
        rest = sum(len(group.indexes) for group in groups[most:])
        lines.append(f"  and {count_jobs(rest)} that failed in {len(groups) - most} other ways")
    return lines


def next_steps(counts: Mapping[str, int], workdir: Path) -> list[str]:
    """The commands to type next."""
    run = shown(workdir)
    steps = []
    if counts["failed"]:
        steps.append(f"sched logs {run} failed --stderr")
    if counts["waiting"] or counts["running"] or counts["interrupted"]:
        steps.append(f"sched resume {run}")
    elif counts["failed"] or counts["killed"]:
        steps.append(f"sched retry {run}")
    if not steps:
        steps.append(f"sched logs {run} all")
    return [
        f"{'next:   ' if number == 0 else '        '} {step}" for number, step in enumerate(steps)
    ]
