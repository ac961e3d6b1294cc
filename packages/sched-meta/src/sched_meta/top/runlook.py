"""What one look at a run brings to the screen."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from sched_core.runfolder import JobRecord, RunView

from ..reading.failures import last_words
from ..reading.runfolder import RunFolder
from ..reading.watch import RunWatch
from .model import Counts, Query, RunModel
from .table import Table, make_table

__all__ = ["RunLook", "RunPicture"]

_MOST_READ = 2000
_MOST_READ_IN_BUCKET = 200


@dataclass(frozen=True, slots=True)
class RunPicture:
    """A run at one moment, as far as the screen shows it."""

    view: RunView
    counts: Counts
    table: Table


class RunLook:
    """Reads what is new in a run. All but `query` belongs to one thread."""

    def __init__(
        self,
        folder: RunFolder,
        show: Callable[[RunPicture], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Look at the run of a folder; each look is handed to `show`."""
        self.query = Query()
        """The list that is wanted; any thread may set it."""
        self._folder = folder
        self._show = show
        self._clock = clock
        self._model = RunModel()
        self._shown: tuple[Query, str | None, int] | None = None
        self._words: dict[tuple[int, int], str] = {}

    @cached_property
    def _watch(self) -> RunWatch:
        return RunWatch(self._folder)  # which asks this machine, or a bucket, who it is

    def __call__(self) -> None:
        """Look. Blocks; raises SchedError, OSError."""
        changed = self._watch.refresh()
        self._model.take(changed)
        view, now, query = self._watch.view, self._clock(), self.query
        # Of a run that stands still nothing new is to be told, of another one times go on.
        same = (query, view.driver, int(now) if view.driver else 0)
        if changed or same != self._shown:
            self._shown = same
            table = make_table(self._model, query, now, self._last_words)
            self._show(RunPicture(view, self._model.counts(view, now), table))

    def _last_words(self, jobs: Sequence[JobRecord]) -> Sequence[str]:
        """What an attempt wrote last is read once."""
        jobs = jobs[: _MOST_READ_IN_BUCKET if self._folder.in_bucket else _MOST_READ]
        new = [job for job in jobs if (job.index, job.attempt) not in self._words]
        for job, words in zip(new, last_words(new, self._folder), strict=True):
            self._words[job.index, job.attempt] = words
        return [self._words[job.index, job.attempt] for job in jobs]
