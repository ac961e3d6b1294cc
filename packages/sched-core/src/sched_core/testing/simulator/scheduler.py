"""A scheduler whose engine is a simulated cluster: an array a submission, found again by its name."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar, cast

from ...errors import EngineUnavailable, SubmitOutcomeUnknown, SubmitRejected
from ...model.failure import Failure
from ...model.job import Job
from ...runfolder.submissions import AttemptId, Submission
from ...scheduler import EngineState, Observation, Scheduler, attempt_id
from .chance import Chance
from .engine import SimulatedEngine
from .faults import Fault
from .ports import SimulatedPorts
from .tasks import Row, TaskState

__all__ = ["SimulatedScheduler"]

T = TypeVar("T")

_TIMEOUT = 10.0
"""Seconds after which a client gives up an engine that does not answer."""

_STATES: Mapping[TaskState, tuple[EngineState, Failure | None]] = {
    TaskState.PENDING: (EngineState.WAITING, None),
    TaskState.HELD: (EngineState.FAILED, Failure.SETUP),
    TaskState.RUNNING: (EngineState.RUNNING, None),
    TaskState.SUSPENDED: (EngineState.RUNNING, None),
    TaskState.COMPLETED: (EngineState.SUCCEEDED, None),
    TaskState.FAILED: (EngineState.FAILED, None),
    TaskState.CANCELLED: (EngineState.FAILED, Failure.CANCELLED),
    TaskState.PREEMPTED: (EngineState.FAILED, Failure.PREEMPTED),
    TaskState.NODE_FAIL: (EngineState.FAILED, Failure.NODE_FAIL),
    TaskState.OUT_OF_MEMORY: (EngineState.FAILED, Failure.OUT_OF_MEMORY),
    TaskState.TIMEOUT: (EngineState.FAILED, Failure.TIMEOUT),
}


class SimulatedScheduler(Scheduler):
    """Runs jobs on a `SimulatedEngine`, never more than `forks` in its queue.

    The run must be opened with `SimulatedPorts`. Options are those of Scheduler.
    """

    name: ClassVar[str] = "simulated"
    max_batch: int = 20
    wrapper_jid: ClassVar[str] = "${SIMULATED_JOB-}"
    wrapper_restart: ClassVar[str] = "${SIMULATED_RESTARTS-0}"

    def __init__(
        self,
        workdir: str | os.PathLike[str],
        *,
        engine: SimulatedEngine,
        chance: Chance,
        **options: Any,
    ) -> None:
        super().__init__(workdir, **options)
        self._engine = engine
        self._chance = chance
        self.questions: list[float] = []
        """When all jobs were asked about."""
        self.impatient: Counter[float] = Counter()
        """How often it was called again before a moment that the engine had named."""

    # --- what a backend writes -------------------------------------------------------------------

    async def submit_job(self, job: Job) -> str:
        """Not used: an array is submitted."""
        raise NotImplementedError

    async def kill_job(self, job: Job) -> None:
        """Have the engine end one task."""
        await self.kill_jobs([job])

    async def job_is_running(self, job: Job) -> bool:
        """Tell whether the engine still has the job, waiting or running."""
        seen = (await self.query_jobs([job])).get(attempt_id(job))
        return seen is not None and seen.state in (EngineState.WAITING, EngineState.RUNNING)

    async def submit_jobs(
        self, jobs: Sequence[Job], submission: Submission
    ) -> Mapping[AttemptId, str | None]:
        """Submit an array; each task is told which attempt it is for."""
        chance, ports = self._chance, self._ports
        jobs = await self._admitted(jobs)
        tasks = self._tasks(jobs, submission)
        limit = self._limit(jobs, submission)

        def submit() -> int:
            return self._engine.submit(submission.name, limit, tasks)

        await self._lose_answer(submit)
        if await self._is_down():
            if chance.dice("outage").random() < 0.5:
                after = max(0.0, self._engine.down_until - self._engine.clock())
                await ports.perform(lambda: self._engine.later(after, lambda: void(submit())))
            raise SubmitOutcomeUnknown("the simulated engine does not answer")
        number = await self._say(submit)
        if chance.strikes(Fault.SUBMIT_SLOW):
            await ports.sleep(chance.between("submit slow", 0.0, 40.0))
        return {
            attempt: f"{number}_{task}"
            for task, attempt in enumerate(submission.tasks)
            if task in tasks
        }

    async def _admitted(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """Return those of the jobs that the engine takes now."""
        chance = self._chance
        self._check_rate()
        if chance.strikes(Fault.SUBMIT_UNAVAILABLE):
            await self._ports.sleep(_TIMEOUT)
            raise EngineUnavailable("the simulated engine is down")
        if chance.strikes(Fault.SUBMIT_REJECTED):
            await self._say(_nothing)
            raise SubmitRejected("the simulated engine refuses the array", returncode=1)
        if chance.strikes(Fault.QUOTA):
            await self._ports.perform(self._limit_queue)
        vacancies = self._engine.vacancies()
        if vacancies == 0:
            await self._say(_nothing)
            raise EngineUnavailable("the simulated engine has as many jobs as a user may have")
        if chance.strikes(Fault.SUBMIT_PARTIAL):
            jobs = jobs[: (len(jobs) + 1) // 2]
        return jobs[:vacancies]

    def _limit_queue(self) -> None:
        """Have the engine take few jobs for some minutes."""

        def lift() -> None:
            self._engine.quota = None

        self._engine.quota = self._chance.dice("quota").choice((1, 2, 4))
        self._engine.later(self._chance.between("quota", 10.0, 300.0), lift)

    async def query_jobs(self, jobs: Sequence[Job]) -> Mapping[AttemptId, Observation]:
        """Ask for all tasks; an id alone is not trusted, the array's name tells whose it is."""
        self.questions.append(self._ports.monotonic())
        rows = await self._ask(Fault.QUERY_LOST, Fault.QUERY_LATE, Fault.QUERY_EMPTY)
        if self._chance.strikes(Fault.QUERY_PARTIAL):
            rows = rows[::2]
        places = {(row.name, row.number): row for row in rows}
        seen = {}
        for job in jobs:
            row = places.get(self._place(job) or ("", 0))
            if row is not None:
                seen[attempt_id(job)] = _observation(row)
        return seen

    async def find_submissions(
        self, submissions: Sequence[Submission]
    ) -> Mapping[str, Mapping[AttemptId, str]]:
        """Look for arrays by their names."""
        rows = await self._ask(Fault.FIND_LOST, Fault.FIND_LATE, Fault.FIND_EMPTY)
        named = {submission.name: submission for submission in submissions}
        found: dict[str, dict[AttemptId, str]] = {}
        for row in rows:
            if (submission := named.get(row.name)) is not None:
                attempts = found.setdefault(submission.sid, {})
                attempts[submission.tasks[row.number]] = row.jid
        return found

    async def kill_jobs(self, jobs: Sequence[Job]) -> None:
        """Have the engine end tasks, named so that a reused id does no harm."""
        places = [place for job in jobs if (place := self._place(job)) is not None]
        self._check_rate()
        if await self._is_down():
            raise EngineUnavailable("the simulated engine does not answer")
        if self._chance.strikes(Fault.KILL_REFUSED):
            await self._ports.sleep(_TIMEOUT)
            raise EngineUnavailable("the simulated engine is down")
        if self._chance.strikes(Fault.KILL_FORGOTTEN):
            await self._say(_nothing)
            return
        await self._say(lambda: self._engine.cancel(places))
        if self._chance.strikes(Fault.KILL_LOST):
            await self._ports.sleep(_TIMEOUT)
            raise EngineUnavailable("the simulated engine does not answer")

    # --- talking to the engine -------------------------------------------------------------------

    @property
    def _ports(self) -> SimulatedPorts:
        return cast(SimulatedPorts, self.session.ports)

    async def _say(self, effect: Callable[[], T]) -> T:
        """Have the engine do something; the way there and back takes its time."""
        await self._ports.sleep(self._chance.between("there", 0.0, 0.3))
        answer = await self._ports.perform(effect)
        await self._ports.sleep(self._chance.between("back", 0.0, 0.3))
        return answer

    def _check_rate(self) -> None:
        """Refuse a call where the engine has had too many, and say when the next one may come."""
        engine = self._engine
        if self._chance.strikes(Fault.RATE_LIMITED):
            engine.refuses_until = engine.clock() + self._chance.between("rate limit", 1.0, 120.0)
        left = engine.refuses_until - engine.clock()
        if left > 0:
            self.impatient[engine.refuses_until] += 1
            raise EngineUnavailable("the simulated engine was called too often", retry_after=left)

    async def _ask(self, lost: Fault, late: Fault, empty: Fault) -> list[Row]:
        self._check_rate()
        if await self._is_down():
            raise EngineUnavailable("the simulated engine does not answer")
        if self._chance.strikes(lost):
            await self._ports.sleep(_TIMEOUT)
            raise EngineUnavailable("the simulated engine does not answer")
        rows = await self._say(self._engine.rows)
        if self._chance.strikes(late):
            await self._ports.sleep(self._chance.between("late answer", 0.0, 30.0))
        return [] if self._chance.strikes(empty) else rows

    async def _is_down(self) -> bool:
        """Tell, once its client has given up, that the engine answers nobody."""
        engine = self._engine
        if self._chance.strikes(Fault.OUTAGE):
            engine.down_until = engine.clock() + self._chance.between("outage", 10.0, 400.0)
        if engine.clock() >= engine.down_until:
            return False
        await self._ports.sleep(_TIMEOUT)
        return True

    async def _lose_answer(self, submit: Callable[[], object]) -> None:
        """Maybe lose a submission, or its answer."""
        chance, ports = self._chance, self._ports
        if chance.strikes(Fault.SUBMIT_DROPPED):
            await self._say(_nothing)
        elif chance.strikes(Fault.SUBMIT_TAKEN):
            await self._say(submit)
        elif chance.strikes(Fault.SUBMIT_TAKEN_LATE):
            after = chance.between("submit late", 0.0, 300.0)
            await self._say(lambda: self._engine.later(after, lambda: void(submit())))
        else:
            return
        await ports.sleep(_TIMEOUT)
        raise SubmitOutcomeUnknown("the simulated engine does not answer")

    # --- arrays ----------------------------------------------------------------------------------

    def _tasks(self, jobs: Iterable[Job], submission: Submission) -> dict[int, tuple[str, int]]:
        taken = {attempt_id(job): job for job in jobs}
        return {
            number: (self.mounted_script_path(taken[attempt]), attempt.attempt)
            for number, attempt in enumerate(submission.tasks)
            if attempt in taken
        }

    def _limit(self, jobs: Sequence[Job], submission: Submission) -> int:
        return len(jobs)

    def _place(self, job: Job) -> tuple[str, int] | None:
        """Return the array's name and the number of the job's task in it."""
        active = self.session.active.get(job.index)
        if active is None or active.submission is None:
            return None
        return active.submission.name, active.submission.tasks.index(attempt_id(job))


def _nothing() -> None:
    """Reach the engine, and do nothing there."""


def void(value: object) -> None:
    """Forget an answer that nobody hears."""


def _observation(row: Row) -> Observation:
    state, failure = _STATES[row.state]
    return Observation(
        state, row.rc, failure, row.state.name, row.jid, row.node, restart=row.restart
    )
