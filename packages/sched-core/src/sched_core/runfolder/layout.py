"""Where everything lies in a run's folder."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SCHEMA_VERSION", "SUMMARY", "Layout"]

SCHEMA_VERSION = 1
SUMMARY = "summary"


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of one run, as strings; `workdir` is what the driver sees."""

    workdir: str

    @property
    def home(self) -> str:
        """The run's own records."""
        return f"{self.workdir}/.sched"

    @property
    def run_file(self) -> str:
        """What the run is: schema version, id, generation, scheduler."""
        return f"{self.home}/run.json"

    @property
    def journal(self) -> str:
        """The driver's write-ahead log, in segments."""
        return f"{self.home}/journal"

    @property
    def summary(self) -> str:
        """What the journal tells, in short; for whoever only wants to know how far the run is."""
        return f"{self.journal}/{SUMMARY}"

    @property
    def submissions(self) -> str:
        """One record a submission that may still matter."""
        return f"{self.home}/submissions"

    @property
    def events(self) -> str:
        """The spool: what wrappers have to say."""
        return f"{self.home}/events"

    @property
    def requests(self) -> str:
        """What other processes ask of the driver."""
        return f"{self.home}/requests"

    @property
    def secrets(self) -> str:
        """Values that jobs get and no record holds, a file each, which only the user may read."""
        return f"{self.home}/secrets"

    @property
    def packs(self) -> str:
        """Archives of files of jobs that have ended."""
        return f"{self.home}/packs"

    @property
    def removing(self) -> str:
        """Is there while all of the run is being removed; no other run may begin here meanwhile."""
        return f"{self.home}/removing"

    def lease(self, epoch: int) -> str:
        """The record of who drives the run in that epoch."""
        return f"{self.home}/lease.{epoch}"

    def segment(self, epoch: int, number: int) -> str:
        """One segment of the journal."""
        return f"{self.journal}/{epoch}-{number}.jsonl"

    def submission(self, sid: str) -> str:
        """The record of one submission."""
        return f"{self.submissions}/{sid}.json"

    def folders(self) -> tuple[str, ...]:
        """Every folder that a run needs before it starts, outermost first."""
        return (
            self.workdir,
            self.home,
            self.journal,
            self.submissions,
            self.events,
            self.requests,
        )
