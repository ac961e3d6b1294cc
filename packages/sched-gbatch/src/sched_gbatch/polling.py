"""What Google Batch says of the jobs of a run, by few questions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from sched_core import (
    AttemptId,
    EngineState,
    EngineUnavailable,
    Failure,
    Job,
    Observation,
    Submission,
    attempt_id,
)
from sched_core.lifecycle.session import Session

from .asking import ask, cancel
from .names import batch_id, task_id
from .parallelism import Parallelism
from .service import BatchService
from .states import (
    ENDED_JOBS,
    JobNews,
    TaskNews,
    observation_of_task,
    observation_without_task,
    trouble_of,
)

__all__ = ["Poll"]

_RECORDS_ARE_LATE = 10.0
"""Seconds for which a command's exit code, told by Batch, is no last word: its record may come."""
_SIDE_BY_SIDE = 8
"""Batch jobs that are asked about at once."""
_MAY_START = frozenset("PENDING UNEXECUTED".split())


class Poll:
    """Asks about Batch jobs: about each by one call, and about its tasks only where that is news."""

    def __init__(
        self,
        session: Session,
        service: BatchService,
        start_timeout: float | None,
        parallelism: Parallelism,
    ) -> None:
        """Note in `parallelism` how many tasks of each Batch job run at once at most."""
        self._session = session
        self._service = service
        self._start_timeout = start_timeout
        self._parallelism = parallelism
        self._failed_since: dict[AttemptId, float] = {}
        self._failed: dict[str, int] = {}
        """How many tasks of a Batch job had failed when they were last asked about."""
        self._gone: set[str] = set()
        self._overdue: dict[str, str] = {}
        self._numbers: dict[str, dict[AttemptId, int]] = {}

    async def job(self, batch: str) -> JobNews | None:
        """Return what is known of a Batch job, None where there is none. Raises EngineUnavailable."""
        return await ask(self._session.ports, self._service.job, batch)

    async def has(self, job: Job) -> bool:
        """Tell whether Batch has the job, waiting or running. Raises EngineUnavailable."""
        batch = self._batch_of(job)
        if batch is None:
            return False
        tasks = await ask(self._session.ports, self._service.tasks, batch)
        task = tasks.get(self._number(job))
        return task is not None and not task.ended

    async def starts_again(self, job: Job) -> bool:
        """Tell whether a later start than is known of may be with a VM. Raises EngineUnavailable."""
        batch = self._batch_of(job)
        tasks = {} if batch is None else await ask(self._session.ports, self._service.tasks, batch)
        task = tasks.get(self._number(job))
        if task is None:
            return False
        known = job.restart + 1
        return task.starts > known or (task.state == "ASSIGNED" and task.starts >= known)

    async def ask(self, jobs: Sequence[Job]) -> dict[AttemptId, Observation]:
        """Return what is true of these jobs; one whose Batch job is gone is told of the second time.

        Raises EngineUnavailable.
        """
        groups = self._by_batch(jobs)
        news = await self._look(
            groups, {batch for batch in groups if self._wants_tasks(groups[batch])}
        )
        seen: dict[AttemptId, Observation] = {}
        for batch, (job, tasks) in news.items():
            if job is None:
                seen |= self._deleted(batch, groups[batch])
                continue
            self._gone.discard(batch)
            if tasks:
                self._failed[batch] = job.failed_tasks
            self._note_parallelism(job, groups[batch][0])
            await self._note_waiting(batch, job, groups[batch])
            seen |= {attempt_id(j): self._observe(batch, j, job, tasks) for j in groups[batch]}
        self._failed_since = {key: at for key, at in self._failed_since.items() if key in seen}
        return seen

    async def unstarted(self, jobs: Sequence[Job]) -> Collection[AttemptId]:
        """Return those of the jobs that have certainly not been given to a VM yet.

        Raises EngineUnavailable.
        """
        groups = self._by_batch(jobs)
        news = await self._look(groups, groups)
        found = {attempt_id(job) for job in jobs if self._batch_of(job) is None}
        for batch, (job, tasks) in news.items():
            for one in groups[batch]:
                task = tasks.get(self._number(one))
                if job is None or _certainly_waits(task, job):
                    found.add(attempt_id(one))
        return found

    # --- one look ------------------------------------------------------------------------------------

    async def _look(
        self, groups: Mapping[str, Sequence[Job]], whole: Collection[str]
    ) -> dict[str, tuple[JobNews | None, Mapping[int, TaskNews]]]:
        """Ask about Batch jobs; of those in `whole`, and where more tasks have ended or failed than
        is known here, about all tasks.
        """
        known = {batch: self._known_of(batch, jobs[0]) for batch, jobs in groups.items()}
        return await ask(self._session.ports, self._look_at_all, known, whole)

    def _look_at_all(
        self, known: Mapping[str, tuple[int, int]], whole: Collection[str]
    ) -> dict[str, tuple[JobNews | None, Mapping[int, TaskNews]]]:
        with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
            looks = {
                batch: pool.submit(self._look_at, batch, ends, batch in whole)
                for batch, ends in known.items()
            }
        return {batch: look.result() for batch, look in looks.items()}

    def _look_at(
        self, batch: str, ends: tuple[int, int], whole: bool
    ) -> tuple[JobNews | None, Mapping[int, TaskNews]]:
        job = self._service.job(batch)
        if job is None or not (whole or _has_news(job, *ends)):
            return job, {}
        return job, self._service.tasks(batch)

    def _known_of(self, batch: str, job: Job) -> tuple[int, int]:
        """Return how many tasks of a Batch job have ended, and failed, as far as it is known here.

        Ends are known by their events before Batch counts them, so that their number alone would
        hide a task that ended without one.
        """
        active = self._session.active.get(job.index)
        if active is None or active.submission is None:
            return 0, 0
        left = self._session.submissions.left.get(active.submission.sid, 0)
        return len(active.submission.tasks) - left, self._failed.get(batch, 0)

    def _wants_tasks(self, jobs: Iterable[Job]) -> bool:
        """Tell whether the count of ended tasks does not say enough: some ended without a record."""
        active = self._session.active
        return any(
            (entry := active.get(job.index)) is not None and entry.engine_ended is not None
            for job in jobs
        )

    # --- conclusions ---------------------------------------------------------------------------------

    def _observe(
        self, batch: str, job: Job, news: JobNews, tasks: Mapping[int, TaskNews]
    ) -> Observation:
        number = self._number(job)
        jid = task_id(batch, number)
        task = tasks.get(number)
        if task is None:
            seen = observation_without_task(news, jid, job.restart)
        else:
            seen = observation_of_task(task, news, jid, sure=self._is_sure(attempt_id(job), task))
        if seen.failure is Failure.CANCELLED and batch in self._overdue:
            reason = self._overdue[batch]
            return Observation(EngineState.FAILED, None, Failure.UNAVAILABLE, reason, jid)
        return seen

    def _is_sure(self, attempt: AttemptId, task: TaskNews) -> bool:
        if task.state != "FAILED":
            self._failed_since.pop(attempt, None)
            return False
        active = self._session.active.get(attempt.job_index)
        if active is not None and active.held:
            return True  # its record is there, and waits for this
        now = self._session.ports.monotonic()
        return now - self._failed_since.setdefault(attempt, now) >= _RECORDS_ARE_LATE

    def _deleted(self, batch: str, jobs: Sequence[Job]) -> dict[AttemptId, Observation]:
        if batch not in self._gone:
            self._gone.add(batch)
            return {}
        reason = "Batch: the job was deleted"
        gone = Observation(EngineState.FAILED, None, Failure.CANCELLED, reason)
        return {attempt_id(job): replace(gone, restart=job.restart) for job in jobs}

    def _note_parallelism(self, news: JobNews, job: Job) -> None:
        active = self._session.active.get(job.index)
        if news.parallelism and active is not None and active.submission is not None:
            self._parallelism.note(active.submission.sid, news.parallelism)

    # --- waiting -------------------------------------------------------------------------------------

    async def _note_waiting(self, batch: str, news: JobNews, jobs: Sequence[Job]) -> None:
        """Say why jobs wait, and end the wait where it has lasted too long."""
        trouble = trouble_of(news.events) if news.waits else None
        if trouble is not None:
            self._session.warn(f"Batch job {batch} waits: {trouble}")
        for job in jobs:
            if job.status.active and job.failure is None and job.reason != (trouble or ""):
                job.reason = trouble or ""
                self._session.journal.note_state(job)
        if news.waits and self._is_overdue(news):
            await self._give_up(batch, trouble)

    def _is_overdue(self, news: JobNews) -> bool:
        if self._start_timeout is None or news.created is None:
            return False
        return self._session.ports.now() - news.created >= self._start_timeout

    async def _give_up(self, batch: str, trouble: str | None) -> None:
        if batch not in self._overdue:
            why = f": {trouble}" if trouble else ""
            self._overdue[batch] = f"it did not start within start_timeout{why}"
        try:
            await cancel(self._session.ports, self._service, batch)
        except EngineUnavailable as error:
            self._session.warn(f"a Batch job cannot be cancelled now: {error}")

    # --- which is which ------------------------------------------------------------------------------

    def _by_batch(self, jobs: Iterable[Job]) -> dict[str, list[Job]]:
        groups: dict[str, list[Job]] = {}
        for job in jobs:
            if (batch := self._batch_of(job)) is not None:
                groups.setdefault(batch, []).append(job)
        return groups

    def _batch_of(self, job: Job) -> str | None:
        active = self._session.active.get(job.index)
        if active is not None and active.submission is not None:
            return batch_id(active.submission.name)
        return job.jid.partition("/")[0] if job.jid else None

    def _number(self, job: Job) -> int:
        active = self._session.active.get(job.index)
        if active is not None and active.submission is not None:
            return self._numbers_in(active.submission)[attempt_id(job)]
        number = (job.jid or "").partition("/")[2]
        return int(number) if number.isdecimal() else -1

    def _numbers_in(self, submission: Submission) -> Mapping[AttemptId, int]:
        numbers = self._numbers.get(submission.sid)
        if numbers is None:
            left = self._session.submissions.left
            self._numbers = {sid: known for sid, known in self._numbers.items() if sid in left}
            numbers = {attempt: number for number, attempt in enumerate(submission.tasks)}
            self._numbers[submission.sid] = numbers
        return numbers


def _certainly_waits(task: TaskNews | None, job: JobNews) -> bool:
    if task is None:  # not made yet, or not told of
        return not job.given_tasks and job.state != "SUCCEEDED"
    return task.state in _MAY_START


def _has_news(job: JobNews, ended: int, failed: int) -> bool:
    counted = job.counts is not None
    more = job.ended_tasks > ended or job.failed_tasks > failed
    return job.state in ENDED_JOBS or not counted or more
