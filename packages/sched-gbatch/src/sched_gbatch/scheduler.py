"""The scheduler of Google Cloud Batch."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from typing import Any, ClassVar, Self

from sched_core import (
    AttemptId,
    EngineUnavailable,
    Job,
    Observation,
    PreviewPart,
    Report,
    SpecPath,
    Submission,
    SubmitOutcomeUnknown,
    SubmitRejected,
    attempt_id,
)
from sched_core.lifecycle.files import Preparation
from sched_core.scheduler import shares

from .asking import create
from .configuration import GbatchConfiguration
from .definition import Needs, region_of
from .kills import Kills
from .names import batch_id, request_id, task_id
from .parallelism import Parallelism
from .polling import Poll
from .service import BatchService, job_of
from .troubles import Refused
from .words import explain

__all__ = ["GbatchScheduler"]

_MOST_AT_ONCE = 5000
"""Tasks of a job that Batch runs at once, at most."""
_MOST_TASKS = 100_000
_ROUND = 1.0
_NO_BUCKET = "gs://none"
_CANCEL_MARGIN = 120.0
"""Seconds that Batch may take to end a job that was cancelled."""


class GbatchScheduler(GbatchConfiguration):
    """Runs jobs on Google Cloud Batch. The run's folder is in a bucket: `workdir="gs://bucket/run1"`.

    - `project`, `location`: the project's id, and a region or zone.
    - `mount`: folders of buckets that jobs see, "gs://bucket/folder:/mnt/disks/data", or
      "DATA=gs://bucket/folder": that is /mnt/disks/DATA, and the variable DATA holds that path. The
      run's folder is mounted anyway.
    - `service_account`, `network`, `subnetwork`, `no_external_ip_address`: of the VMs.
    - `machine_type`, `provisioning_model` (STANDARD, SPOT, ...), `accelerator_type` (for gpus).
    - `spot_attempts`: after so many attempts that were lost with their VMs a job gets a VM of the
      model STANDARD.
    - `start_timeout`: how long a Batch job may wait for its first VM before its jobs fail as
      UNAVAILABLE; by default they wait.
    - `image_uri`, `entrypoint`: the container that tasks run in; it must have bash.
    - `commands`: what the container is given. Without an entrypoint: words before the script's path.
      With one, such as "-c" for a shell: words before a line that runs the script. Where they hold
      {lang} and {script}, these are replaced, and that is all.
    - `runnables`: what else each task runs, as Batch spells it, each with an `order`: before the job
      where it is negative, else after it.
    - any field of a Batch job: `labels`, `taskGroups`, `allocationPolicy`, `priority`, ...; they win.
    - `api_endpoint`: another endpoint of the service.
    - `engine_rate`: how often the service is called at most by all drivers of the user on this machine
      together: calls a second, "30/min", or "10/s:50" (50 of them at once).

    Jobs of equal needs are tasks of one Batch job. Commands start in the run's folder, as the bucket
    is mounted, unless `cwd` says otherwise. Further options are those of Scheduler.
    """

    name: ClassVar[str] = "gbatch"
    max_batch: int = _MOST_TASKS
    batch_delay: ClassVar[float] = 1.0
    queue_ahead: int = _MOST_TASKS
    usual_forks: ClassVar[int | None] = 1000
    throttles: ClassVar[bool] = True
    ends_jobs: ClassVar[bool] = True
    kills_one: ClassVar[bool] = False
    movable: ClassVar[bool] = True
    exclusive_create: ClassVar[bool] = False
    sees_buckets: ClassVar[bool] = True
    poll_interval: ClassVar[tuple[float, float]] = (5.0, 30.0)
    spool_interval: float = 1.0
    usual_rate: ClassVar[str | None] = "10/s"
    wrapper_jid: ClassVar[str] = "${BATCH_JOB_ID-}/${BATCH_TASK_INDEX-}"
    wrapper_restart: ClassVar[str] = "${BATCH_TASK_RETRY_ATTEMPT:-0}"

    # --- opening -------------------------------------------------------------------------------------

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """See that the service can be used, and that it understands what it is to be asked for.

        Raises OptionError, and EngineUnavailable where credentials, rights or the place are wrong.
        """
        session = self.session
        service = self.service
        self._parallelism = Parallelism()
        sample = self.definition(Needs(model=self.provisioning_model), tasks=1, parallelism=1)
        await session.ports.offload(job_of, sample)
        try:
            await session.ports.offload(service.check)
        except (Refused, SubmitRejected) as error:
            raise EngineUnavailable(str(error)) from error
        except (EngineUnavailable, SubmitOutcomeUnknown) as error:
            session.warn(f"Google Batch cannot be asked now: {error}")
        self._poll = Poll(session, service, self.start_timeout, self._parallelism)
        self._kills = Kills(session, service, self.grace)
        yield
        await self._kills.tidy()

    @cached_property
    def service(self) -> BatchService:
        """What calls Google Batch for this scheduler."""
        place = self.project, region_of(self.location)
        return BatchService(*place, self.api_endpoint, lambda: self.session.budget)

    def endpoint(self) -> str:
        """Return which project's jobs are asked about, where."""
        return f"gbatch {self.service.address}"

    # --- submitting ----------------------------------------------------------------------------------

    def store_scripts(
        self, submission: Submission, preparations: Sequence[Preparation]
    ) -> list[OSError | None]:
        """Put the wrapper scripts into a few bundles, and the script that all tasks start beside."""
        return self.scripts.store(self.name, self.session.run, self.grace, submission, preparations)

    def stored_with(self, submission: Submission) -> Collection[str]:
        """Return the files that a submission's tasks share."""
        return self.scripts.paths(submission)

    def room(self, room: int) -> int:
        """Return how many jobs may be submitted now: a Batch job, while places are free."""
        free = self.forks - self._taken()
        if not self.submits_in_bulk():
            return min(room, free)
        any_will_do = self._parallelism.are_long_empty(self.session.ports.monotonic())
        worth = 1 if any_will_do else shares.worth_a_call(self.forks)
        waiting = len(self.session.waiting)
        return min(room, self.max_batch) if shares.has_room(free, waiting, worth) else 0

    def _taken(self) -> int:
        """Return how many tasks may run at once by what Batch was given."""
        return self._parallelism.taken(self.session.submissions.left)

    async def submit_job(self, job: Job) -> str:
        """Submit the job alone and return its id."""
        active = self.session.active[job.index]
        assert active.submission is not None
        ids = await self.submit_jobs([job], active.submission)
        return ids[attempt_id(job)]

    async def submit_jobs(
        self, jobs: Sequence[Job], submission: Submission
    ) -> dict[AttemptId, str]:
        """Submit jobs as tasks of one Batch job, and return their ids."""
        places = self._tasks_at_once(submission)
        asked = self._asked(jobs, submission, places)
        batch = batch_id(submission.name)
        request = request_id(submission.name)
        await create(self.session.ports, self.service, batch, asked, request)
        self._parallelism.note(submission.sid, places)
        present = {attempt_id(job) for job in jobs}
        ids = _ids(batch, submission)
        return {attempt: ids[attempt] for attempt in submission.tasks if attempt in present}

    def _tasks_at_once(self, submission: Submission) -> int:
        """Return how many tasks of a submission may run at once."""
        others = self._taken() - len(submission.tasks)
        return max(1, min(self.forks - others, len(submission.tasks), _MOST_AT_ONCE))

    def _asked(self, jobs: Sequence[Job], submission: Submission, places: int) -> dict[str, Any]:
        return self.definition(
            self.needs_of(jobs[0]),
            tasks=len(submission.tasks),
            parallelism=places,
            sid=submission.sid,
            indexes=[task.job_index for task in submission.tasks],
        )

    def preview_submission(self, jobs: Sequence[Job], submission: Submission) -> list[PreviewPart]:
        """Return the request, the script that all tasks start, and the first job's."""
        name = submission.name
        asked = self._asked(jobs, submission, self._tasks_at_once(submission))
        request = self.service.shown(batch_id(name), asked, request_id(name))
        script = self.scripts.task_script(self.name, self.session.run, self.grace, submission)
        return [
            PreviewPart("request CreateJob", request),
            PreviewPart("script of each task", os.fsdecode(script)),
            *super().preview_submission(jobs, submission),
        ]

    # --- asking --------------------------------------------------------------------------------------

    async def query_jobs(self, jobs: Sequence[Job]) -> Mapping[AttemptId, Observation]:
        """Ask Batch about the jobs that these are tasks of, and about their tasks where that is news."""
        return await self._poll.ask(jobs)

    async def job_is_running(self, job: Job) -> bool:
        """Tell whether Batch has the job, waiting or running."""
        return await self._poll.has(job)

    def can_take_over(self, options: Mapping[str, Any]) -> bool:
        """Tell whether Batch jobs are looked for where they were made: elsewhere they would seem deleted."""
        place = options.get("project"), region_of(options.get("location") or "")
        return place == (self.project, region_of(self.location))

    async def find_submissions(
        self, submissions: Sequence[Submission]
    ) -> Mapping[str, Mapping[AttemptId, str]]:
        """Look submissions up by their ids."""
        found = {}
        for submission in submissions:
            batch = batch_id(submission.name)
            if await self._poll.job(batch) is not None:
                found[submission.sid] = _ids(batch, submission)
        return found

    async def fence(self, jobs: Sequence[Job]) -> Collection[AttemptId]:
        """Make sure that attempts that have not started never do; return those that now cannot.

        A mounted bucket has no lock. But a claim that was there before Batch says that the task has
        not been assigned to a VM is seen by every later start. Where a whole Batch job is to end,
        it is cancelled, and no claim is made for each of its tasks.
        """
        won = await super().fence(self._kills.few(jobs))
        try:
            return await self._poll.unstarted([job for job in jobs if attempt_id(job) in won])
        except EngineUnavailable as error:
            self.session.warn(f"Google Batch cannot be asked now: {error}")
            return ()

    async def seal(self, job: Job, position: int | None) -> bool:
        """Make sure that Batch does not start the attempt once more: it never does, unless the user
        has it try tasks again.

        As for `fence`: a start that was given to a VM before the claim was there may not have seen it.
        """
        if not self._tries_again():
            return True
        if not await super().seal(job, position):
            return False
        try:
            return not await self._poll.starts_again(job)
        except EngineUnavailable as error:
            self.session.warn(f"Google Batch cannot be asked now: {error}")
            return False

    def _tries_again(self) -> bool:
        (group,) = self.config.get("taskGroups") or [{}]
        return bool((group.get("taskSpec") or {}).get("maxRetryCount"))

    # --- killing -------------------------------------------------------------------------------------

    async def kill_job(self, job: Job) -> None:
        """Have the job's whole process tree ended."""
        await self.kill_jobs([job])

    async def kill_jobs(self, jobs: Sequence[Job]) -> None:
        """Have these jobs ended: by an object that their tasks look for, and all of a Batch job's by
        cancelling it, once the grace period is over.
        """
        await self._kills.kill(jobs)

    def time_to_end(self) -> float:
        """Return how many seconds a job may take to end that was told to."""
        return self.grace + _CANCEL_MARGIN

    async def watch(self, report: Report) -> None:
        """Cancel what did not end in time, and give jobs that wait the places that stay empty."""
        while True:
            await self.session.ports.sleep(_ROUND)
            await self._kills.cancel_late()
            empty = bool(len(self.session.waiting)) and self._taken() < self.forks
            if self._parallelism.note_empty(self.session.ports.monotonic(), empty=empty):
                self.session.wake()

    # --- for people ----------------------------------------------------------------------------------

    async def explain(self, job: Job) -> str:
        """Return what Batch says about the job: its state, and why it waits or has failed."""
        if job.jid is None:
            return job.reason or "Batch does not have it yet"
        batch, _, number = job.jid.partition("/")
        service, ports = self.service, self.session.ports
        news = await ports.offload(service.job, batch)
        tasks = {} if news is None else await ports.offload(service.tasks, batch)
        return explain(batch, news, tasks.get(int(number)) if number.isdecimal() else None)

    async def doctor(self) -> Sequence[tuple[str, bool | None, str]]:
        """Check credentials, project, API and the bucket."""
        from .doctor import check_cloud

        bucket = None if str(self.workdir) == _NO_BUCKET else str(self.workdir)
        found = await self.session.ports.offload(check_cloud, self.service, bucket)
        return [*found, *await self.session.budget_findings()]

    @classmethod
    def for_doctor(cls, workdir: str | os.PathLike[str], **options: Any) -> Self:
        """Return a scheduler of which only `doctor` is asked; without a bucket none is checked."""
        return super().for_doctor(workdir if _in_bucket(workdir) else _NO_BUCKET, **options)


def _ids(batch: str, submission: Submission) -> dict[AttemptId, str]:
    return {attempt: task_id(batch, n) for n, attempt in enumerate(submission.tasks)}


def _in_bucket(workdir: str | os.PathLike[str] | SpecPath) -> bool:
    return str(workdir).startswith("gs://")
