"""Which attempts wait for a host, and which are on what host."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Sequence

import anyio

from sched_core import AttemptId, EngineState, Failure, Job, Observation, Scheduler
from sched_core.scheduler import job_token
from sched_core.scheduler.admission import Grant

from .attempts import Attempt, Stage
from .host import Host

__all__ = ["Ledger"]


class Ledger:
    """The attempts that the driver has taken on and not reported the end of."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self._report = scheduler.session.report
        self._queue: deque[Attempt] = deque()
        self._on_hosts: dict[AttemptId, Attempt] = {}
        self._wake = anyio.Event()

    # --- what waits ------------------------------------------------------------------------------

    def enqueue(self, job: Job) -> Attempt:
        """Have a job's attempt wait for a host."""
        attempt = Attempt(job, job.attempt)
        self._queue.append(attempt)
        self.wake()
        return attempt

    def waiting(self) -> Iterable[Attempt]:
        """Return what waits for a host, in order."""
        return self._queue

    def wake(self) -> None:
        """Have the queue be looked at."""
        self._wake.set()

    async def woken(self) -> None:
        """Wait until the queue is to be looked at."""
        await self._wake.wait()
        self._wake = anyio.Event()

    # --- what has a host -------------------------------------------------------------------------

    def place(self, attempt: Attempt, host: Host, grant: Grant) -> None:
        """Give an attempt that waits a slot of a host, and what it was granted there."""
        self._queue.remove(attempt)
        attempt.host, attempt.grant = host, grant
        attempt.slot, attempt.stage = host.free.pop(), Stage.PLACED
        attempt.job.host = host.name
        self._on_hosts[attempt.id] = attempt
        self.scheduler.session.journal.note_state(attempt.job)

    def adopt(self, job: Job, host: Host) -> Attempt:
        """Take on what an earlier driver had placed on a host."""
        attempt = Attempt(job, job.attempt, host, stage=Stage.SENT)
        self._on_hosts[attempt.id] = attempt
        return attempt

    def unplace(self, attempt: Attempt) -> bool:
        """Take an attempt back, unless its host was told to start it."""
        if attempt.stage > Stage.PLACED:
            return False
        if attempt in self._queue:
            self._queue.remove(attempt)
        self.forget(attempt)
        return True

    def put_back(self, attempts: Sequence[Attempt]) -> None:
        """Let what was not started on a host go to another one."""
        for attempt in reversed(attempts):
            self.forget(attempt)
            attempt.host, attempt.stage = None, Stage.QUEUED
            attempt.job.host = None
            self._queue.appendleft(attempt)
        self.wake()

    def release(self, attempt: Attempt) -> None:
        """Let others have what an attempt held on its host."""
        host = attempt.host
        if host is None or attempt.released:
            return
        attempt.released = True
        if attempt.slot:
            host.give_back(attempt.slot)
            attempt.slot = 0
        if attempt.grant is not None and host.admission is not None:
            host.admission.give_back(attempt.grant)
            attempt.grant = None
        self.wake()

    def forget(self, attempt: Attempt) -> None:
        """Know no more of an attempt."""
        self.release(attempt)
        attempt.released = False
        self._on_hosts.pop(attempt.id, None)

    def end(self, attempt: Attempt, seen: Observation) -> None:
        """Report how an attempt has ended, of which there is nothing more to learn."""
        attempt.stage = Stage.ENDED
        self.forget(attempt)
        self._report(attempt.id, seen)

    def report_failed(self, attempt: Attempt, reason: str, failure: Failure = Failure.LOST) -> None:
        """Report that an attempt has failed, of which there is no record."""
        self.end(attempt, Observation(EngineState.FAILED, failure=failure, reason=reason))

    # --- what is known ---------------------------------------------------------------------------

    def known(self) -> Iterable[Attempt]:
        """Return what waits, and what has a host."""
        return [*self._queue, *self._on_hosts.values()]

    def running(self) -> int:
        """Return how many have a host and have not ended."""
        return sum(attempt.stage < Stage.ENDED for attempt in self._on_hosts.values())

    def placed(self, wanted: AttemptId) -> Attempt | None:
        """Return what is known of an attempt that has a host."""
        return self._on_hosts.get(wanted)

    def on_host(self, host: Host) -> list[Attempt]:
        """Return what the host has, or had and was not reported yet."""
        return [a for a in self._on_hosts.values() if a.host is host]

    def token(self, attempt: Attempt) -> str:
        """Return what all processes of the attempt carry."""
        return job_token(self.scheduler.session.run, attempt.job)

    def fence(self) -> str:
        """Return the claim that keeps an attempt from starting."""
        return self.scheduler.fence_text().decode().strip()

    def report(self, attempt: Attempt, seen: Observation) -> None:
        """Tell the lifecycle what was seen of an attempt."""
        self._report(attempt.id, seen)

    def withdraw(self, wanted: Collection[AttemptId]) -> Collection[AttemptId]:
        """Take back those of these attempts that no host has been told to start; return which."""
        return {a.id for a in self.known() if a.id in wanted and self.unplace(a)}
