"""The hooks that plugins implement, in the order in which one job meets them.

Each fires once an attempt and before `Runner.wait` or `Runner.as_completed` hand the job out, with
stdout, stderr and rc complete and readable. All but the `on_jobcmd_*` hooks may be `async def`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from ..model.job import Job
    from ..runner import Runner
    from ..scheduler import Scheduler

__all__ = ["PROJECT", "HookSpecs", "hookimpl", "hookspec"]

PROJECT = "sched"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class HookSpecs:
    """The specifications. An implementation names only the arguments that it wants."""

    @hookspec
    def on_init(self, runner: Runner) -> None:
        """The run is open; nothing has been fed yet."""

    @hookspec
    def on_shutdown(self, runner: Runner) -> None:
        """The run is about to be closed; nothing runs any more."""

    @hookspec
    def on_job_init(self, scheduler: Scheduler, job: Job) -> None:
        """A job was created or taken up."""

    @hookspec
    def on_job_queued(self, scheduler: Scheduler, job: Job) -> None:
        """The job waits to be submitted."""

    @hookspec
    def on_job_submitting(self, scheduler: Scheduler, job: Job) -> bool | None:
        """The job is about to be submitted; return False to have it KILLED (CANCELLED) instead."""

    @hookspec
    def on_job_submitted(self, scheduler: Scheduler, job: Job) -> None:
        """The engine has the job."""

    @hookspec
    def on_job_started(self, scheduler: Scheduler, job: Job) -> None:
        """The job has started; there is evidence of it."""

    @hookspec
    def on_job_polling(self, scheduler: Scheduler, job: Job, counter: int) -> None:
        """Fires each second while the job runs; `counter` counts from 1 on."""

    @hookspec
    def on_job_verify(self, scheduler: Scheduler, job: Job) -> str | None:
        """The command returned 0; return why the job failed all the same (class OUTPUT)."""

    @hookspec
    def on_job_killing(self, scheduler: Scheduler, job: Job) -> bool | None:
        """The job is about to be killed; return False to let it be."""

    @hookspec
    def on_job_killed(self, scheduler: Scheduler, job: Job) -> None:
        """The job was killed."""

    @hookspec
    def on_job_failed(self, scheduler: Scheduler, job: Job) -> None:
        """The attempt failed. `job.will_retry` is decided, and may be changed here."""

    @hookspec
    def on_job_succeeded(self, scheduler: Scheduler, job: Job) -> None:
        """The job finished."""

    @hookspec
    def on_jobcmd_init(self, scheduler: Scheduler, job: Job) -> str | None:
        """Return bash to run first in the wrapper's payload."""

    @hookspec
    def on_jobcmd_prep(self, scheduler: Scheduler, job: Job) -> str | None:
        """Return bash to run before the command; it may change the array `cmd`."""

    @hookspec
    def on_jobcmd_end(self, scheduler: Scheduler, job: Job) -> str | None:
        """Return bash to run after the command; it sees `rc`."""
