"""`sched attach`: what is seen of a run that another process drives."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import anyio
from anyio import to_thread

from sched_core import RunLocked
from sched_core.runfolder import JobRecord, JournalReader, RunView

from ..console import line_width, say, warnings_go_to
from ..reading.failures import group_failures, summary
from ..reading.jobevents import JobEvents
from ..reading.onlooker import DriverWatch
from ..reading.progress import progress_of
from ..reading.runfolder import RunFolder
from ..reading.states import is_running, state_counts
from ..reading.waiting import left_in_words
from ..reading.watch import RunWatch
from ..wording import count_jobs
from .display import Display
from .output import OrderedOutput
from .signals import signals_go_to
from .stdout import Stdout
from .succession import was_stopped

if TYPE_CHECKING:
    from .given import Output

__all__ = ["attach"]

_INTERVAL = 0.25


def attach(folder: RunFolder, output: Output) -> int:
    """Show a run until its driver ends, as its driver would; return the exit code.

    Where nobody drives the run any more, this process goes on with it, unless it was stopped.
    """
    from .given import Given
    from .start import resume_run

    while True:
        code = anyio.run(_watch, folder, output)
        if code is not None:
            return code
        say(f"nobody drives {folder} any more: this process goes on with it")
        try:
            return resume_run(folder.path, Given(), output)
        except RunLocked:
            continue  # another one was faster, and can be watched


async def _watch(folder: RunFolder, output: Output) -> int | None:
    return await _Onlooker(folder, output).run()


class _Onlooker:
    def __init__(self, folder: RunFolder, output: Output) -> None:
        self._folder = folder
        self._output = output
        self._watch = RunWatch(folder)
        self._driver = DriverWatch(folder)
        self._running: set[int] = set()
        self._done: dict[int, int] = {}
        """Of each job that has ended, the attempt at which it did."""
        self._display = Display(
            lambda: len(self._running),
            folder,
            progress=not output.no_progress,
            prints=output.cat or output.as_json,
        )
        self._stdout = Stdout(folder)
        self._ordered = OrderedOutput(self._stdout, ()) if output.cat else None
        self._known: set[int] = set()
        self._events = JobEvents()
        self._journal = JournalReader(folder.files, folder.layout) if output.as_json else None
        self._scope = anyio.CancelScope()
        self._signum: int | None = None

    async def run(self) -> int | None:
        """Return the exit code; None where this process is to go on with the run."""
        code: int | None = None
        display = self._display
        with display, warnings_go_to(display.say), signals_go_to(self._on_signal), self._scope:
            if await self._look_on():
                await self._stdout.drain()
                display.close()
                code = await self._conclude()
        if self._signum is not None:
            display.say(f"the run goes on; sched attach {self._folder} shows it again")
            return 128 + self._signum
        return code

    def _on_signal(self, signum: int) -> None:
        self._signum = signum
        self._scope.cancel()

    @property
    def _view(self) -> RunView:
        return self._watch.view

    async def _look_on(self) -> bool:
        """Show the run until nobody drives it; False where it is to be gone on with."""
        changed = await to_thread.run_sync(self._watch.refresh, abandon_on_cancel=True)
        if self._is_over() and self._left() and not self._was_stopped():
            return False
        self._begin()
        await self._take(changed)
        while not self._is_over():
            await anyio.sleep(self._folder.interval(_INTERVAL))
            await self._look()
        return not (self._left() and self._goes_on())

    async def _look(self) -> None:
        try:
            changed = await to_thread.run_sync(self._watch.refresh, abandon_on_cancel=True)
        except OSError as error:
            self._display.say(f"warning: {self._folder} cannot be read now, trying again: {error}")
            return
        await self._take(changed)

    def _is_over(self) -> bool:
        return self._driver.is_gone(self._view.lease)

    def _left(self) -> int:
        return sum(not job.is_done for job in self._view.jobs.values())

    def _goes_on(self) -> bool:
        """Tell whether a run whose driver is gone is to be taken over: not one that was stopped, nor
        where what was printed would be printed once more.
        """
        return not (self._output.cat or self._output.as_json or self._was_stopped())

    def _was_stopped(self) -> bool:
        return was_stopped(self._view)

    # --- what is shown -----------------------------------------------------------------------------

    def _begin(self) -> None:
        view = self._view
        done = sum(job.is_done for job in view.jobs.values())
        words = f"run {self._folder}: {count_jobs(len(view.jobs))} on {view.run.scheduler}"
        if forks := view.run.options.get("forks"):
            words += f", {forks:,} at a time"
        if done:
            words += f"; {done:,} of them ended before"
        if view.driver:
            words += f"; driven by {view.driver}"
        self._display.begin(words, total=len(view.jobs), before=done)

    async def _take(self, changed: Sequence[JobRecord]) -> None:
        self._display.expect(len(self._view.jobs))
        for job in changed:
            self._expect(job)
            if is_running(job):
                self._running.add(job.index)
            else:
                self._running.discard(job.index)
            if job.is_done and self._done.get(job.index) != job.attempt:
                await self._ended(job)
        if self._journal:
            await self._tell_events(self._journal)

    def _expect(self, job: JobRecord) -> None:
        if self._ordered and job.index not in self._known:
            self._known.add(job.index)
            self._ordered.expect(job.index)

    async def _ended(self, job: JobRecord) -> None:
        self._done[job.index] = job.attempt
        await self._display.ended(job)
        if self._ordered:
            self._ordered.ended(job.index, f"{self._folder.of_job(job.index)}/job.stdout")

    async def _tell_events(self, journal: JournalReader) -> None:
        news = await to_thread.run_sync(journal.read_new, abandon_on_cancel=True)
        for event in self._events.take(news.records):
            self._stdout.put(json.dumps(event).encode() + b"\n")

    # --- the end -------------------------------------------------------------------------------------

    async def _conclude(self) -> int:
        view, folder = self._view, self._folder
        jobs = list(view.jobs.values())
        counts = state_counts(jobs)
        groups = await to_thread.run_sync(group_failures, jobs, folder)
        if left := self._left():
            self._display.say(left_in_words(folder, left))
        seconds = progress_of(jobs, time.time(), driven=False).seconds or 0.0
        ended = sum(job.is_done for job in jobs)
        for line in summary(counts, groups, folder, seconds, ended=ended, width=line_width()):
            self._display.say(line)
        return 0 if counts["finished"] == len(jobs) else 1
