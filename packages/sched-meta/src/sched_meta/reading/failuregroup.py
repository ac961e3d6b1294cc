"""Jobs of a run that failed alike, in words."""

from __future__ import annotations

import textwrap
from collections import Counter
from dataclasses import dataclass, field

from ..wording import count_jobs, cut, index_ranges, plain
from .jobstate import JobState, given_name

__all__ = ["FailureGroup"]

_MOST_NAMES = 5


@dataclass(slots=True)
class FailureGroup:
    """Jobs that failed alike."""

    failure: str
    rc: int | None
    line: str
    indexes: list[int] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    """What the jobs were called, None for what was given no name."""
    hosts: Counter[str] = field(default_factory=Counter)
    """How many of them failed on which host, where the run has several."""

    wants: str = ""
    """Twice what they had too little of, as `sched retry` takes it, where that is known."""

    def add(self, job: JobState) -> None:
        """Take one more job that failed so."""
        self.indexes.append(job.index)
        self.names.append(given_name(job))

    def text(self, width: int = 0) -> str:
        """One line for people; up to three where it does not fit into `width`."""
        rc = f" rc {self.rc}" if self.rc not in (None, 0) else ""
        head = (
            f"{self.failure}{rc}, {count_jobs(len(self.indexes))} ({self._which()}){self._where()}"
        )
        if not self.line:
            return cut(head, width)
        if width and len(head) + 2 + len(self.line) > width:
            return f"{cut(head, width - 1)}:\n" + "\n".join(_wrapped(self.line, width))
        return f"{head}: {self.line}"

    def _which(self) -> str:
        if any(name is None or name.isdecimal() for name in self.names):
            return index_ranges(self.indexes)  # a name of digits would be taken for an index
        names = [plain(name) for name in self.names[:_MOST_NAMES] if name]
        return ", ".join(names) + (", ..." if len(self.names) > _MOST_NAMES else "")

    def _where(self) -> str:
        if not self.hosts:
            return ""
        host, number = self.hosts.most_common(1)[0]
        jobs = len(self.indexes)
        if number <= jobs / 2:
            return f" on {len(self.hosts):,} hosts"
        return f" on {plain(host)}" + (f" ({number:,} of {jobs:,})" if number < jobs else "")

    def to_json(self) -> dict[str, object]:
        """The group for programs; names and hosts only where there are any."""
        told: dict[str, object] = {
            "failure": self.failure,
            "rc": self.rc,
            "line": self.line,
            "jobs": self.indexes,
        }
        if any(self.names):
            told["names"] = self.names
        return told | ({"hosts": dict(self.hosts)} if self.hosts else {})


def _wrapped(line: str, width: int) -> list[str]:
    indent = "  "
    return textwrap.wrap(
        line,
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        max_lines=2,
        placeholder=" ...",
    )
