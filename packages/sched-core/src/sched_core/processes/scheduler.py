"""The base of schedulers whose jobs are processes of this machine."""

from __future__ import annotations

import os
import socket
from collections import Counter, deque
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from typing import Any, ClassVar, Literal

import anyio

from ..errors import EngineUnavailable
from ..model.failure import Failure
from ..model.job import Job
from ..model.resources import Resources
from ..runfolder.submissions import AttemptId, Submission
from ..scheduler import EngineState, Observation, Report, Scheduler, attempt_id, job_token
from ..scheduler.admission import Grant, Machine
from ..scheduler.observation import observation_of
from ..text.claim import Claim
from ..text.recorder import NOT_OURS
from . import claims, observations
from .ending import end_trees
from .machine import parse_cards, this_machine
from .running import Running
from .slots import Ended, Message, SlotDied, SlotPool, Started
from .tree import ProcessId, Tree, find_by_token

__all__ = ["ProcessScheduler"]

_START_PATIENCE = 5.0
_START_STEP = 0.02
_SLOT_DEATHS = 3
"""Slots that may die in a row before a job's start is given up."""


class ProcessScheduler(Scheduler):
    """Runs jobs as processes of this machine, as many at once as `forks`.

    Jobs outlive the driver: when it dies, what runs goes on and is recorded, and a resumed run
    takes it over. `resources` are given out from what this process may use.

    - `gpus`: the graphics cards that there are for jobs: how many, or their names as
      CUDA_VISIBLE_DEVICES has them; by default those that this process sees. A job that asks for
      some has them for itself.
    """

    OPTIONS: ClassVar[frozenset[str]] = Scheduler.OPTIONS | {"gpus"}

    max_batch: int = 64
    batch_delay: ClassVar[float] = 0.0
    throttles: ClassVar[bool] = True
    pushes: ClassVar[bool] = True
    outlives_driver: ClassVar[bool] = False
    runs_unattended: ClassVar[bool] = False
    containers: ClassVar[bool] = True
    keeps_containers: ClassVar[bool] = True
    events: ClassVar[Literal["always", "fallback"]] = "fallback"

    # --- what the reference names ----------------------------------------------------------------

    async def submit_job(self, job: Job, _mounted: bool = False) -> int:
        """Start the job's wrapper as a process of its own and return its pid.

        Waits until the machine has what the job needs.
        """
        path = self.mounted_script_path(job) if _mounted else self._script(job)
        grant = await self._admitted(job)
        try:
            pid = self._slots.run_alone(attempt_id(job), os.path.abspath(path), grant.exports())
        except OSError as error:
            self._running.give_back(grant)
            raise EngineUnavailable(f"no process can be started now: {error}") from error
        self._running.add(job, grant)
        return pid

    async def _admitted(self, job: Job) -> Grant:
        while (grant := self._running.admit(self.job_resources(job))) is None:
            if self.session.closing:
                raise EngineUnavailable("the run ends before there is room for the job")
            await self.session.change(_START_STEP)
        return grant

    async def kill_job(self, job: Job) -> None:
        """End the job's whole process tree: TERM, and after the grace period KILL."""
        await self.kill_jobs([job])

    async def job_is_running(self, job: Job) -> bool:
        """Tell whether the job's present attempt waits here or runs: also one that has just begun."""
        seen = (await self.query_jobs([job])).get(attempt_id(job))
        return seen is not None and seen.state in (EngineState.WAITING, EngineState.RUNNING)

    # --- in bulk ---------------------------------------------------------------------------------

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Hold the slots while the run is open."""
        self._running = Running(self.machine())
        self._queue: deque[Job] = deque()
        self._host = socket.gethostname()
        self._report: Report = self.session.report
        self._deaths: Counter[AttemptId] = Counter()
        self._recorder = os.path.abspath(self.session.mounted_recorder)
        self._slots = SlotPool(self._recorder, self.session.directory)
        try:
            yield
        finally:
            await self._close_slots()

    async def submit_jobs(
        self, jobs: Sequence[Job], submission: Submission
    ) -> Mapping[AttemptId, str | None]:
        """Put jobs into this machine's queue; their ids are known when they start."""
        self._queue.extend(jobs)
        self._dispatch()
        return {attempt_id(job): None for job in jobs}

    async def kill_jobs(self, jobs: Sequence[Job]) -> None:
        """End the whole process trees of jobs: TERM, and after the grace period KILL."""
        await self._await_leaders(jobs)
        await end_trees(self.session.ports, [self._tree(job) for job in jobs], self.grace)

    async def withdraw_jobs(self, jobs: Sequence[Job]) -> Collection[AttemptId]:
        """Take jobs out of this machine's queue again."""
        wanted = {attempt_id(job) for job in jobs}
        taken = {attempt_id(job) for job in self._queue} & wanted
        self._queue = deque(job for job in self._queue if attempt_id(job) not in taken)
        return taken

    async def find_submissions(
        self, submissions: Sequence[Submission]
    ) -> Mapping[str, Mapping[AttemptId, str]]:
        """Find none: this machine's queue lives in the driver, and its jobs' claims tell the rest."""
        return {}

    async def query_jobs(self, jobs: Sequence[Job]) -> Mapping[AttemptId, Observation]:
        """Look at the queue, the slots and the claims of these jobs."""
        waiting = {attempt_id(job) for job in self._queue}
        seen = {}
        for job, claim in zip(jobs, await claims.read(self.session, jobs), strict=True):
            attempt = attempt_id(job)
            if attempt in waiting:
                seen[attempt] = Observation(EngineState.WAITING)
            elif claim is not None and not claim.is_fence:
                if (found := claims.look_at(claim, self._host)) is not None:
                    seen[attempt] = found
            elif attempt in self._running:
                seen[attempt] = Observation(EngineState.WAITING)
        return seen

    async def adopt_jobs(self, jobs: Sequence[Job]) -> None:
        """Watch the processes that an earlier driver of this machine has started."""
        for job, claim in zip(jobs, await claims.read(self.session, jobs), strict=True):
            if claim is not None:
                await self._adopt(job, claim)

    async def watch(self, report: Report) -> None:
        """Report what the slots say, at once."""
        while True:
            await anyio.wait_readable(self._slots.fileno())
            await self.poll()

    async def poll(self) -> None:
        """Take in what the slots have said so far."""
        for message in self._slots.messages():
            await self._take_in(message)
        self._dispatch()

    def check_job(self, job: Job) -> None:
        """Refuse a job that this machine can never run. Raises OptionError."""
        self.check_container(job)
        wanted = self.job_resources(job)
        if wanted not in self._promised:
            self.machine().check(wanted)
            self._promised.add(wanted)

    @cached_property
    def _promised(self) -> set[Resources]:
        return {Resources()}

    def machine(self) -> Machine:
        """Return what jobs may use of this machine."""
        return this_machine(self.name, self.gpus)

    def _set_options(self, options: dict[str, Any]) -> None:
        super()._set_options(options)
        self.gpus = parse_cards(options.get("gpus"))

    def options(self) -> dict[str, Any]:
        """Return the options as a run's folder records them."""
        own = {} if self.gpus is None else {"gpus": list(self.gpus)}
        return super().options() | own

    # --- starting --------------------------------------------------------------------------------

    def _dispatch(self) -> None:
        """Start what waits, in order, as far as forks and the machine allow."""
        while self._queue and len(self._running) < self.forks:
            job = self._queue[0]
            grant = self._running.admit(self.job_resources(job))
            if grant is None:
                return
            try:
                self._start(job, grant)
            except OSError as error:
                self._running.give_back(grant)
                if not self._running:
                    raise
                # What runs will end, and leave room.
                self.session.warn(f"no more can be started now: {error}")
                return
            self._queue.popleft()

    def _start(self, job: Job, grant: Grant) -> None:
        self._slots.run(attempt_id(job), self._script(job), grant.exports())
        self._running.add(job, grant)

    def _script(self, job: Job) -> str:
        return f"{self.session.folder}/{job.index}/job.wrapped.{self.name}"

    # --- what the slots say ----------------------------------------------------------------------

    async def _take_in(self, message: Message) -> None:
        if isinstance(message, Started):
            self._started(message)
        elif isinstance(message, Ended):
            await self._ended(message)
        else:
            await self._died(message)

    def _started(self, message: Started) -> None:
        entry = self._running.get(message.attempt)
        if entry is not None:
            entry.leader = ProcessId(message.leader, message.start_time)
            seen = observations.started(message, self._host, self.session.ports.now())
            self._report(message.attempt, seen)

    async def _ended(self, message: Ended) -> None:
        if message.rc == NOT_OURS:
            await self._look_again(message.attempt, refused=True)
            return
        if message.failure is Failure.TIMEOUT:
            await self._end_remains(message.attempt)
        self._running.release(message.attempt)
        seen = observations.ended(message, self._host, self.session.ports.now())
        self._report(message.attempt, seen)

    async def _died(self, message: SlotDied) -> None:
        """A slot was killed, or a process of an earlier driver ended: the claim tells what is left."""
        for attempt in message.attempts:
            await self._look_again(attempt)

    async def _look_again(self, attempt: AttemptId, *, refused: bool = False) -> None:
        entry = self._running.get(attempt)
        if entry is None:
            return
        (claim,) = await claims.read(self.session, [entry.job])
        self._running.release(attempt)
        if entry.job.attempt != attempt.attempt:
            return  # given up meanwhile
        if claim is None and refused:
            self._report(attempt, observations.refused())
        elif claim is None:
            self._start_again(entry.job)
        elif claim.is_fence:
            self._report(attempt, observations.fenced())
        else:
            await self._adopt(entry.job, claim)

    def _start_again(self, job: Job) -> None:
        """Queue a job whose slot died before it started, unless slots do nothing but die."""
        attempt = attempt_id(job)
        self._deaths[attempt] += 1
        if self._deaths[attempt] < _SLOT_DEATHS:
            self._queue.appendleft(job)
        else:
            self._report(attempt, observations.never_started(self._recorder))

    # --- claims ----------------------------------------------------------------------------------

    async def _adopt(self, job: Job, claim: Claim) -> None:
        """Go on with an attempt by its claim alone: it has ended, it runs, or it is gone."""
        attempt = attempt_id(job)
        claim = await claims.read_whole(self.session, job, claim)
        process = None
        if claim.rc is None:
            process = claims.watched(claim) or await self._inside(job)
        seen = claims.look_at(claim, self._host)
        leader = None if process is None else claims.leader_of(claim)
        if process is not None and self._slots.watch(attempt, process, claims.slot_of(leader)):
            self._running.adopt(job, self.job_resources(job), leader)
        elif process is not None or seen is None:
            seen = await self._last_words(job)
        elif seen.state is EngineState.RUNNING:
            self.session.warn(
                f"job {job.index} was started on {claim.host}, which cannot be seen from here: "
                "waiting for its record"
            )
        self._report(attempt, seen or observation_of(claim))

    async def _inside(self, job: Job) -> ProcessId | None:
        """Return what is left of a job's container, which may outlive its client and its recorder."""
        if self.container_of(job) is None:
            return None
        token = job_token(self.session.run, job)
        found = await self.session.ports.offload(find_by_token, token)
        return min(found, key=lambda process: process.starttime, default=None)

    async def _last_words(self, job: Job) -> Observation:
        """Say how an attempt ended whose processes are gone: where a disk was full, by its event."""
        await self.session.reconciler.read_spool()
        (claim,) = await claims.read(self.session, [job])
        return observations.gone(claim)

    # --- ending ----------------------------------------------------------------------------------

    async def _end_remains(self, attempt: AttemptId) -> None:
        """End what has left the group of a job that took too long: the group itself is gone."""
        entry = self._running.get(attempt)
        if entry is not None and entry.job.attempt == attempt.attempt:
            tree = Tree(None, job_token(self.session.run, entry.job))
            await end_trees(self.session.ports, [tree], 0.0)

    async def _await_leaders(self, jobs: Sequence[Job]) -> None:
        """Wait until what is just being started can be told by its processes."""
        until = self.session.ports.monotonic() + _START_PATIENCE
        while starting := [job for job in jobs if self._running.is_starting(job)]:
            found = await claims.read(self.session, starting)
            for job, claim in zip(starting, found, strict=True):
                entry = self._running.of(job)
                if entry is not None and claim is not None:
                    entry.leader = entry.leader or claims.leader_of(claim)
            if self.session.ports.monotonic() > until:
                return
            await self.session.change(_START_STEP)

    def _tree(self, job: Job) -> Tree:
        entry = self._running.of(job)
        return Tree(entry.leader if entry else None, job_token(self.session.run, job))

    async def _close_slots(self) -> None:
        """Let idle slots end and take their exit; those that still run something go on alone."""
        self._slots.close()
        if self._slots.idle():
            with anyio.move_on_after(5):
                while self._slots.living:
                    await anyio.wait_readable(self._slots.fileno())
                    for _ in self._slots.messages():
                        pass
        self._slots.dispose()
