"""The runs of a folder, as the screen lists them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sched_core.errors import SchedError
from sched_core.runfolder import LeaseRecord, RunView, newest_lease

from ..reading.runfolder import RUNS, RunFolder, runs_in
from ..reading.states import run_state, state_counts
from ..reading.watch import RunWatch
from ..wording import plain

__all__ = ["RunLine", "RunsLook"]

MOST = 200
"""Runs that are listed."""


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run in the list of runs."""

    folder: RunFolder
    state: str
    """running, finished, failed, interrupted, or what is wrong with it."""
    done: int
    total: int
    failed: int
    driver: str
    """Where it is driven, '' where nobody does."""
    begun: float


class RunsLook:
    """Reads the runs under ./sched-runs: those that are driven at each look, others once."""

    def __init__(self, show: Callable[[list[RunLine]], None]) -> None:
        """Hand the runs to `show`, at first as many as were read so far."""
        self._show = show
        self._watches: dict[RunFolder, RunWatch] = {}
        self._lines: dict[RunFolder, RunLine] = {}
        self._ended: dict[RunFolder, LeaseRecord | None] = {}

    def __call__(self) -> None:
        """Look. Blocks; raises OSError."""
        folders = runs_in(RUNS)[:MOST]
        new = [folder for folder in folders if folder not in self._lines]
        for number, folder in enumerate(folders):
            self._look_at(folder)
            if folder in new and number % 10 == 0:
                self._show(list(self._known(folders)))
        self._show(list(self._known(folders)))

    def _known(self, folders: list[RunFolder]) -> Iterator[RunLine]:
        return (self._lines[folder] for folder in folders if folder in self._lines)

    def _look_at(self, folder: RunFolder) -> None:
        try:
            if folder in self._ended:
                if newest_lease(folder.files, folder.layout) == self._ended[folder]:
                    return
                del self._ended[folder]
            self._read(folder)
        except (SchedError, OSError) as error:
            self._lines[folder] = RunLine(folder, plain(f"unreadable: {error}"), 0, 0, 0, "", 0.0)

    def _read(self, folder: RunFolder) -> None:
        watch = self._watches.setdefault(folder, RunWatch(folder))
        changed, view = watch.refresh(), watch.view
        before = self._lines.get(folder)
        if changed or before is None or (before.driver != "") != (view.driver is not None):
            self._lines[folder] = run_line(folder, view)
        if view.driver is None:
            # Its records are not kept in memory: only another driver adds to them.
            self._ended[folder] = view.lease
            del self._watches[folder]


def run_line(folder: RunFolder, view: RunView) -> RunLine:
    """Return what the list of runs tells of a run."""
    counts = state_counts(view.jobs.values())
    ended = counts["finished"], counts["failed"], counts["killed"]
    driver = plain(view.lease.driver.host) if view.lease and view.driver else ""
    return RunLine(
        folder,
        run_state(counts, driven=bool(driver)),
        sum(ended),
        sum(counts.values()),
        counts["failed"],
        driver,
        view.run.created,
    )
