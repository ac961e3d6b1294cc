"""What a person sees of a run while it goes on, on stderr: a live line or two, or plain notes."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from anyio import to_thread

from sched_core import Job, JobStatus, Scheduler

from ..console import legible, line_width, say
from ..reading.failures import last_words
from ..reading.jobstate import JobState, given_name
from ..reading.runfolder import RunFolder
from ..reading.states import is_running
from ..reading.wishes import attempt_words
from ..wording import cut, duration, pace, plain

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["Display", "running_jobs"]

_MOST_FAILURES = 10
_NOTE_EVERY = 30.0


class Display:
    """Counts the ends of jobs and shows them."""

    def __init__(
        self, running: Callable[[], int], folder: RunFolder, *, progress: bool, prints: bool
    ) -> None:
        """Show that run, of which so many jobs run; `prints` tells that stdout is written to as well."""
        self._running = running
        self._folder = folder
        self._live: Any = None
        self._prints = prints
        self._progress = progress
        self._began = self._noted = time.monotonic()
        self._total = 0
        self._before = 0
        self._ended: dict[int, JobStatus] = {}
        self._failed = 0
        self._told = 0

    @property
    def seconds(self) -> float:
        """How long it has gone on."""
        return time.monotonic() - self._began

    @property
    def ended_now(self) -> int:
        """How many jobs have ended since it began."""
        return max(0, len(self._ended) - self._before)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove the live line."""
        live, self._live = self._live, None
        if live is not None:
            with suppress(OSError):
                live.stop()

    def say(self, message: str) -> None:
        """Write a line above the live one."""
        if self._live is None:
            say(message)
            return
        with suppress(OSError):
            self._live.console.print(
                f"sched: {legible(message)}",
                markup=False,
                highlight=False,
                emoji=False,
                soft_wrap=True,
            )

    def begin(self, message: str, *, total: int, before: int) -> None:
        """Say what is begun and start to show it: so many jobs, of which some had ended before."""
        self.say(message)
        self._total = total
        self._before = before
        # Only now: a driver in the background has left its terminal.
        if self._progress and sys.stderr.isatty() and not self._shares_terminal():
            self._live = _live(self)

    def _shares_terminal(self) -> bool:
        """Two who write to one terminal would write into each other's lines."""
        return self._prints and sys.stdout.isatty()

    def expect(self, total: int) -> None:
        """Show that so many jobs are to end."""
        self._total = total

    async def ended(self, job: JobState) -> None:
        """Count a job that has ended; a failure is told at once."""
        self._failed -= self._ended.get(job.index, JobStatus.FINISHED) is not JobStatus.FINISHED
        self._failed += job.status is not JobStatus.FINISHED
        self._ended[job.index] = job.status
        if job.status is JobStatus.FAILED and len(self._ended) > self._before:
            await self._tell_failure(job)
        now = time.monotonic()
        if self._live is None and self._progress and now - self._noted >= _NOTE_EVERY:
            self._noted = now
            self.say(self.line())

    async def _tell_failure(self, job: JobState) -> None:
        self._told += 1
        if self._told > _MOST_FAILURES:
            return
        words = f"job {plain(given_name(job) or str(job.index))} failed: {job.failure or ''}"
        if job.rc:
            words += f" rc {job.rc}"
        words += attempt_words(job.attempt, job.raised)
        (last,) = await to_thread.run_sync(last_words, [job], self._folder)
        self.say(cut(f"{words}{': ' if last else ''}{last}", line_width()))
        if self._told == _MOST_FAILURES:
            self.say("further failures are told at the end")

    def line(self) -> str:
        """How far it is, in one line. Called by the thread that draws, too."""
        failed = self._failed
        running = self._running()
        words = f"{len(self._ended):,}/{self._total:,} done, {running:,} running"
        return words + (f", {failed:,} failed" if failed else "") + self._pace()

    def _pace(self) -> str:
        done = len(self._ended) - self._before
        if done <= 0 or self.seconds < 1:
            return ""
        rate = done / self.seconds
        left = (self._total - len(self._ended)) / rate
        return f", {pace(rate)}, {duration(left)} left" if left else f", {pace(rate)}"

    def share(self) -> float:
        """How much is done, 0 to 1."""
        return len(self._ended) / self._total if self._total else 1.0


def running_jobs(scheduler: Scheduler) -> list[Job]:
    """Return the jobs that have started and not ended."""
    active = list(scheduler.session.active.values())  # in one go: another thread may change it
    return [entry.job for entry in active if is_running(entry.job)]


def _live(display: Display) -> Any:
    from rich.console import Console
    from rich.live import Live
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    def render() -> RenderableType:
        row = Table.grid(padding=(0, 1))
        row.add_row(ProgressBar(total=1.0, completed=display.share(), width=24), display.line())
        return row

    console = Console(stderr=True)
    live = Live(
        get_renderable=render,
        console=console,
        refresh_per_second=5,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    live.start()
    return live
