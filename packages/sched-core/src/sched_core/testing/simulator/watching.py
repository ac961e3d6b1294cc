"""What the oracle sees of a driver: the states that it gives its jobs, and the hooks that it fires."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import anyio

from ...hooks import hookimpl
from ...model.failure import Failure
from ...model.job import Job
from ...model.status import JobStatus
from .chance import Chance
from .faults import Fault

__all__ = ["HookLog", "WatchedJob"]


class WatchedJob(Job):
    """A job that notes every state that it is given, and when."""

    __slots__ = ("_status", "moves")

    @property
    def status(self) -> JobStatus:
        """Where the job stands."""
        return self._status

    @status.setter
    def status(self, status: JobStatus) -> None:
        if not hasattr(self, "moves"):
            self.moves: list[tuple[float, JobStatus]] = []
        self._status = status
        self.moves.append((anyio.current_time(), status))


@dataclass(slots=True)
class HookLog:
    """A plugin that notes which hooks fire for which attempt."""

    chance: Chance
    fired: dict[tuple[int, int], list[str]] = field(default_factory=dict)
    lost: dict[tuple[int, int], int] = field(default_factory=dict)
    """The attempts that were taken for lost, with the newest start that the driver knew of."""

    def note(self, hook: str, job: Job) -> None:
        """Note a hook, and maybe fail."""
        self.fired.setdefault((job.index, job.attempt), []).append(hook)
        if self.chance.strikes(Fault.HOOK_RAISES):
            raise RuntimeError(f"the simulated plugin fails in {hook}")

    def once(self) -> Iterator[tuple[tuple[int, int], list[str]]]:
        """Return, for each attempt, the hooks that may fire once."""
        for attempt, hooks in self.fired.items():
            # Whether a job may be killed is asked at any moment.
            yield attempt, [hook for hook in hooks if hook != "on_job_killing"]

    @hookimpl
    def on_job_queued(self, job: Job) -> None:
        """Note it."""
        self.note("on_job_queued", job)

    @hookimpl
    def on_job_submitting(self, job: Job) -> None:
        """Note it."""
        self.note("on_job_submitting", job)

    @hookimpl
    def on_job_submitted(self, job: Job) -> None:
        """Note it."""
        self.note("on_job_submitted", job)

    @hookimpl
    def on_job_started(self, job: Job) -> None:
        """Note it."""
        self.note("on_job_started", job)

    @hookimpl
    def on_job_verify(self, job: Job) -> None:
        """Note it."""
        self.note("on_job_verify", job)

    @hookimpl
    def on_job_killing(self, job: Job) -> None:
        """Note it."""
        self.note("on_job_killing", job)

    @hookimpl
    def on_job_killed(self, job: Job) -> None:
        """Note it."""
        self.note("on_job_killed", job)

    @hookimpl
    def on_job_failed(self, job: Job) -> None:
        """Note it."""
        if job.failure is Failure.LOST:
            self.lost[job.index, job.attempt] = job.restart
        self.note("on_job_failed", job)

    @hookimpl
    def on_job_succeeded(self, job: Job) -> None:
        """Note it."""
        self.note("on_job_succeeded", job)
