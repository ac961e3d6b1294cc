"""The fleet: starts what waits on machines that are free, and judges how tasks end."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from .batch_jobs import Job, JobState, Task, TaskState
from .batch_machine import Machines, Process
from .batch_words import ENGINE_CODES, SPOT_PREEMPTION

__all__ = ["Attempt", "Fate", "Fleet", "JobFate", "Start"]

_RETRY = 1
"""An action of a lifecycle policy; the other one is to fail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What befalls a running task, not by its own doing."""

    code: int = SPOT_PREEMPTION
    again: bool = False
    """The service starts the task once more, whatever its policy."""
    lives_on: bool = False
    """Only the service has lost sight of it: its processes go on."""


@dataclass(slots=True, kw_only=True)
class TaskFate:
    """A fate for starts to come."""

    fate: Fate
    count: int = 1
    after: float = 0.0
    """Seconds after the start; 0: before anything of the task has run."""
    match: str = ".*"
    """A regular expression for JOB/INDEX/ATTEMPT."""


@dataclass(slots=True, kw_only=True)
class JobFate:
    """What befalls jobs that are created next."""

    state: str
    """QUEUED or SCHEDULED: the job stays so until it is released; FAILED: it ends without a task."""
    words: list[str] = field(default_factory=list)
    """Descriptions of events that say why."""
    count: int = 1


@dataclass(frozen=True, slots=True)
class Start:
    """One start of a task."""

    job: str
    index: int
    attempt: int
    time: float


@dataclass(slots=True, eq=False)
class Attempt:
    """A start of a task that has not ended."""

    job: Job
    task: Task
    number: int
    process: Process = field(default_factory=Process)
    fate: Fate | None = None
    told: bool = False
    """The service has given its word already."""

    @property
    def place(self) -> str:
        return f"{self.job.job_id}/{self.task.index}/{self.number}"


class Fleet:
    """All jobs and the machines they share."""

    def __init__(self, machines: Machines, slots: int, delays: tuple[float, float]) -> None:
        self.machines, self.slots = machines, slots
        self.queue_delay, self.schedule_delay = delays
        self.jobs: dict[str, Job] = {}
        self.attempts: dict[str, list[Attempt]] = {}
        """Those of each job that run."""
        self.starts: list[Start] = []
        self.frozen = False
        self.most_running = 0
        self.task_fates: list[TaskFate] = []
        self.job_fates: list[JobFate] = []
        self.changed = asyncio.Condition()
        self._open: dict[str, Job] = {}
        self._live: set[Attempt] = set()
        """All whose processes may be there, also those that the service has lost sight of."""
        self._pool = ThreadPoolExecutor(slots, "machine")
        self._tasks: set[asyncio.Task[None]] = set()

    # --- jobs ------------------------------------------------------------------------------------

    def add(self, job: Job) -> None:
        self.machines.prepare(job)
        self.jobs[job.name] = self._open[job.name] = job
        self.attempts[job.name] = []
        self.spawn(self._queue(job))

    def spawn(self, what: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(what)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _queue(self, job: Job) -> None:
        fate = self._fate_of(job)
        await asyncio.sleep(self.queue_delay)
        if fate.state == "QUEUED":
            await self._hold(job, fate)
        if job.closing:
            return
        job.move(JobState.SCHEDULED)
        job.has_tasks = fate.state != "FAILED"
        await self._note()
        await asyncio.sleep(self.schedule_delay)
        if fate.state == "SCHEDULED":
            await self._hold(job, fate)
        elif fate.state == "FAILED":
            for words in fate.words:
                job.tell(words)
            await self.end(job, JobState.FAILED)
        await self.pump()

    def _fate_of(self, job: Job) -> JobFate:
        for fate in self.job_fates:
            if fate.count:
                fate.count -= fate.count > 0
                return fate
        return JobFate(state="")

    async def _hold(self, job: Job, fate: JobFate) -> None:
        job.held = True
        for words in fate.words:
            job.tell(words)
        await self._note()
        async with self.changed:
            await self.changed.wait_for(lambda: not job.held or job.closing)

    async def end(self, job: Job, state: JobState, why: str = "") -> None:
        """End a job now: what runs of it is killed, what waits was never executed."""
        job.drop_waiting()
        running = self.attempts[job.name]
        for attempt in running:
            attempt.process.kill()
        await self._note()
        async with self.changed:
            await self.changed.wait_for(lambda: not running)
        self._close(job, state, why)
        await self._note()

    def _close(self, job: Job, state: JobState, why: str) -> None:
        job.move(state, why)
        self._open.pop(job.name, None)

    def forget(self, job: Job) -> None:
        self.jobs.pop(job.name, None)
        self.attempts.pop(job.name, None)

    # --- tasks -----------------------------------------------------------------------------------

    async def pump(self) -> None:
        """Start what there is room for."""
        for job in list(self._open.values()):
            while self._has_room(job):
                self._start(job)
        await self._note()

    def _has_room(self, job: Job) -> bool:
        free = not self.frozen and len(self._live) < self.slots
        return free and job.may_start and len(self.attempts[job.name]) < job.parallelism

    def _start(self, job: Job) -> None:
        task = job.tasks[job.waiting.popleft()]
        attempt = Attempt(job, task, task.starts)
        task.starts += 1
        task.instance = len(self.starts)
        job.move_task(task, TaskState.ASSIGNED)
        job.move_task(task, TaskState.RUNNING)
        job.move(JobState.RUNNING)
        self.starts.append(Start(job.job_id, task.index, attempt.number, time.time()))
        self._live.add(attempt)
        self.attempts[job.name].append(attempt)
        self.most_running = max(self.most_running, len(self._live))
        job.most_running = max(job.most_running, len(self.attempts[job.name]))
        self.spawn(self._run(attempt))

    async def _run(self, attempt: Attempt) -> None:
        timer = self._order_fate(attempt)
        loop = asyncio.get_running_loop()
        place = (attempt.job, attempt.task.index, attempt.number)
        code = await loop.run_in_executor(self._pool, self.machines.run, *place, attempt.process)
        if timer is not None:
            timer.cancel()
        self._live.discard(attempt)
        if not attempt.told:
            self._tell(attempt, code)
        await self.pump()

    def _order_fate(self, attempt: Attempt) -> asyncio.TimerHandle | None:
        for order in self.task_fates:
            if order.count and re.fullmatch(order.match, attempt.place):
                order.count -= order.count > 0
                if not order.after:
                    self.strike(attempt, order.fate)
                    return None
                loop = asyncio.get_running_loop()
                return loop.call_later(order.after, self.strike, attempt, order.fate)
        return None

    def strike(self, attempt: Attempt, fate: Fate) -> None:
        """Have a running task meet its fate."""
        if attempt.told:
            return
        attempt.fate = fate
        if not fate.lives_on:
            attempt.process.kill()
            return
        self._tell(attempt, None)
        self.spawn(self.pump())

    def _tell(self, attempt: Attempt, code: int | None) -> None:
        """Give the service's word on how an attempt has ended."""
        job, task = attempt.job, attempt.task
        attempt.told = True
        self.attempts[job.name].remove(attempt)
        if job.closing:
            job.move_task(task, TaskState.FAILED, "the job is ended")
        elif code == 0:
            job.move_task(task, TaskState.SUCCEEDED)
        else:
            self._fail(attempt, code)
        if not (job.waiting or self.attempts[job.name] or job.closing):
            self._close(job, *job.verdict())

    def _fail(self, attempt: Attempt, code: int | None) -> None:
        job, task, fate = attempt.job, attempt.task, attempt.fate
        # A machine that somebody else has killed was lost.
        told = fate.code if fate else 50002 if code is None else code
        why = ENGINE_CODES.get(told, "")
        if (fate and fate.again) or _retries(job, attempt.number, told):
            job.move_task(task, TaskState.PENDING, why, told)
            job.waiting.append(task.index)
        else:
            job.move_task(task, TaskState.FAILED, why, told)

    # --- the end ---------------------------------------------------------------------------------

    async def _note(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    def kill_all(self) -> None:
        """End everything at once; nothing is told of it."""
        self.frozen = True
        for attempt in self._live:
            attempt.process.kill()
        self._pool.shutdown(wait=True, cancel_futures=True)


def _retries(job: Job, attempt: int, code: int) -> bool:
    spec = job.group.task_spec
    if attempt >= spec.max_retry_count:
        return False
    for policy in spec.lifecycle_policies:
        met = code in policy.action_condition.exit_codes
        return met if policy.action == _RETRY else not met
    return True
