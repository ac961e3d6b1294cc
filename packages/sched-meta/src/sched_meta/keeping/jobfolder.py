"""What lies in the folder of a job: files that sched wrote, and others."""

from __future__ import annotations

from dataclasses import dataclass, field

from sched_core.ports import Entry

__all__ = ["JobFolder"]


@dataclass(slots=True)
class JobFolder:
    """What lies in the folder of a job."""

    index: int
    records: dict[str, Entry] = field(default_factory=dict)
    """Files that sched wrote, by their names in the folder."""
    others: dict[str, Entry] = field(default_factory=dict)
    """Files of somebody else, and whatever is no plain file."""

    @property
    def size(self) -> int:
        """Bytes of what sched wrote."""
        return sum(entry.size for entry in self.records.values())
