"""The scheduler of Google Cloud Batch."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, ClassVar, Self

from sched_core import (
    AttemptId,
    EngineUnavailable,
    Job,
    Observation,
    OptionError,
    Report,
    Scheduler,
    SpecPath,
    Submission,
    SubmitOutcomeUnknown,
    SubmitRejected,
    attempt_id,
)
from sched_core.lifecycle.files import Preparation
from sched_core.model.resources import Resources
from sched_core.model.units import parse_time
from sched_core.scheduler import shares
from sched_core.scheduler.options import check_count
from sched_core.text.script import JobScript

from .definition import Needs, Place, Work, definition, region_of
from .fields import take_fields
from .kills import Kills
from .names import batch_id, label_key, label_value, request_id, task_id
from .options import flag, required, runnables, text, words
from .polling import Poll
from .service import BatchService, job_of
from .storing import Scripts
from .troubles import Refused
from .words import explain

__all__ = ["GbatchScheduler"]

_MOST_AT_ONCE = 5000
"""Tasks of a job that Batch runs at once, at most."""
_MOST_TASKS = 100_000
_ATTEMPTS = 4
_FIRST_DELAY = 0.5
_ROUND = 1.0
_NO_BUCKET = "gs://none"
_CANCEL_MARGIN = 120.0
"""Seconds that Batch may take to end a job that was cancelled."""


class GbatchScheduler(Scheduler):
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

    Jobs of equal needs are tasks of one Batch job. Commands start in the run's folder, as the bucket
    is mounted, unless `cwd` says otherwise. Further options are those of Scheduler.
    """

    name: ClassVar[str] = "gbatch"
    max_batch: int = _MOST_TASKS
    batch_delay: ClassVar[float] = 1.0
    queue_ahead: int = _MOST_TASKS
    usual_forks: ClassVar[int | None] = 1000
    throttles: ClassVar[bool] = True
    kills_one: ClassVar[bool] = False
    movable: ClassVar[bool] = True
    exclusive_create: ClassVar[bool] = False
    sees_buckets: ClassVar[bool] = True
    poll_interval: ClassVar[tuple[float, float]] = (5.0, 30.0)
    spool_interval: ClassVar[float] = 1.0
    wrapper_jid: ClassVar[str] = "${BATCH_JOB_ID-}/${BATCH_TASK_INDEX-}"
    wrapper_restart: ClassVar[str] = "${BATCH_TASK_RETRY_ATTEMPT:-0}"
    OPTIONS: ClassVar[frozenset[str]] = Scheduler.OPTIONS | frozenset(
        """project location service_account network subnetwork no_external_ip_address machine_type
        provisioning_model accelerator_type spot_attempts start_timeout image_uri entrypoint commands
        runnables api_endpoint""".split()
    )

    def __init__(
        self,
        *args: Any,
        project: str | None = None,
        location: str | None = None,
        mount: str | Sequence[str] | None = None,
        service_account: str | None = None,
        network: str | None = None,
        subnetwork: str | None = None,
        no_external_ip_address: bool | None = None,
        machine_type: str | None = None,
        provisioning_model: str | None = None,
        image_uri: str | None = None,
        entrypoint: str | None = None,
        commands: str | Sequence[str] | None = None,
        runnables: Sequence[Mapping[str, Any]] | None = None,
        **kwargs: Any,
    ) -> None:
        if mount is not None:
            kwargs["mount"] = mount
        super().__init__(
            *args,
            project=project,
            location=location,
            service_account=service_account,
            network=network,
            subnetwork=subnetwork,
            no_external_ip_address=no_external_ip_address,
            machine_type=machine_type,
            provisioning_model=provisioning_model,
            image_uri=image_uri,
            entrypoint=entrypoint,
            commands=commands,
            runnables=runnables,
            **kwargs,
        )

    # --- options -----------------------------------------------------------------------------------

    def _set_options(self, options: dict[str, Any]) -> None:
        super()._set_options(options)
        self.project = required(options, "project", "the project's id")
        self.location = required(options, "location", "a region, such as us-central1, or a zone")
        self.api_endpoint = text(options, "api_endpoint")
        self.provisioning_model = (text(options, "provisioning_model") or "").upper() or None
        self.spot_attempts = _optional_count("spot_attempts", options.get("spot_attempts"))
        wait = options.get("start_timeout")
        self.start_timeout = None if wait is None else parse_time(wait, "start_timeout")
        self.place = Place(
            self.location,
            no_external_ip_address=flag(options, "no_external_ip_address"),
            **{name: text(options, name) for name in _PLACE},
        )
        self.work = Work(
            text(options, "image_uri"),
            text(options, "entrypoint"),
            words(options, "commands"),
            runnables(options, "runnables"),
        )
        self._parallelism: dict[str, int] = {}
        self._checked: set[Needs] = set()
        self._usual: dict[str | None, Needs] = {}
        self._service: BatchService | None = None

    def take_native_options(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return the fields of a Batch job. Raises OptionError."""
        return take_fields(options, self.option_names())

    def options(self) -> dict[str, Any]:
        """Return the options as a run's folder records them."""
        work = self.work
        own = {
            "project": self.project,
            "location": self.location,
            "api_endpoint": self.api_endpoint,
            "provisioning_model": self.provisioning_model,
            "spot_attempts": self.spot_attempts,
            "start_timeout": self.start_timeout,
            "image_uri": work.image_uri,
            "entrypoint": work.entrypoint,
            "commands": list(work.commands) if isinstance(work.commands, tuple) else work.commands,
            "runnables": [dict(runnable) for runnable in work.runnables],
        }
        own |= {name: getattr(self.place, name) for name in ("no_external_ip_address", *_PLACE)}
        # A folder of the tasks, or of a bucket: nothing of this machine's.
        own["cwd"] = None if self.cwd is None else os.fspath(self.cwd)
        return super().options() | own

    @property
    def workdir(self) -> SpecPath:
        """The run's folder, as the driver and as tasks see it."""
        return self._workdir

    @workdir.setter
    def workdir(self, workdir: str | os.PathLike[str]) -> None:
        path = SpecPath(workdir) if isinstance(workdir, SpecPath) or os.fspath(workdir) else None
        if path is None or not str(path).startswith("gs://"):
            raise OptionError(
                f"workdir {os.fspath(workdir) if path is None else str(path)!r}: the scheduler gbatch "
                "needs a folder in a bucket, 'gs://bucket/run1' (sched run -w gs://bucket/run1)"
            )
        self._workdir = path

    def _seen_workdir(self) -> SpecPath:
        """Have the run's folder mounted, unless one of the mounts holds it."""
        seen = self.map_path(self._workdir)
        return seen if seen is not None else self.mounts.add(self._workdir)

    def mount_volumes(self) -> None:
        """Mount what the option `mount` names, and the run's folder. Raises OptionError."""
        super().mount_volumes()
        self._seen_workdir()
        if self._starts_in_bucket():
            self.mounts.add(self.volume_as_cwd or "")

    def _starts_in_bucket(self) -> bool:
        """Tell whether `volume_as_cwd` is a mount itself, not only the place of one."""
        return "gs://" in (self.volume_as_cwd or "")

    def _job_cwd(self) -> str | None:
        if self.cwd is None and self._starts_in_bucket():
            return str(self.mounts.add(self.volume_as_cwd or "").mounted)
        return super()._job_cwd()

    # --- the text of jobs ----------------------------------------------------------------------------

    def job_script(self, job: Job) -> JobScript:
        """Return what the wrapper is made of: its records lie beside it, on the task's own disk."""
        script = super().job_script(job)
        return replace(script, places=(), cwd=script.cwd or self.session.mounted)

    def needs_of(self, job: Job) -> Needs:
        """Return what decides with which others the job can share a Batch job."""
        if job.resources is None and job.timeout is None:
            return self._usual_needs(self._model(job))
        wanted = self.job_resources(job).to_json()
        wanted.pop("time", None)
        return Needs(Resources.from_json(wanted), self.time_limit(job), self._model(job))

    def _usual_needs(self, model: str | None) -> Needs:
        if model not in self._usual:
            wanted = self.resources.to_json()
            limit = wanted.pop("time", None)
            time = self.timeout if self.timeout is not None else limit
            self._usual[model] = Needs(Resources.from_json(wanted), time, model)
        return self._usual[model]

    def _model(self, job: Job) -> str | None:
        enough = self.spot_attempts is not None and job.infrastructure_retries >= self.spot_attempts
        return "STANDARD" if enough else self.provisioning_model

    def batch_key(self, job: Job) -> object:
        """Return what the job needs: jobs of equal needs share a Batch job."""
        return self.needs_of(job)

    def check_job(self, job: Job) -> None:
        """Refuse a job that Batch cannot run as it is. Raises OptionError."""
        super().check_job(job)
        needs = self.needs_of(job)
        if needs not in self._checked:
            self.definition(needs, tasks=1, parallelism=1)
            self._checked.add(needs)

    def definition(
        self, needs: Needs, *, tasks: int, parallelism: int, sid: str = "0"
    ) -> dict[str, Any]:
        """Return the definition of a Batch job, as the REST API spells it. Raises OptionError."""
        session = self.session
        labels = {"sched-run": session.run, "sched-submission": sid}
        return definition(
            needs,
            self.place,
            self.work,
            lang=self.JOBCMD_WRAPPER_LANG,
            script=self._scripts.mounted_path(sid),
            mounts=list(self.mounts),
            labels={label_key(key): label_value(value) for key, value in labels.items()},
            tasks=tasks,
            parallelism=parallelism,
            grace=self.grace,
            fields=self.config,
        )

    @property
    def _scripts(self) -> Scripts:
        session = self.session
        return Scripts(session.ports.files, session.layout, session.mounted)

    def store_scripts(
        self, submission: Submission, preparations: Sequence[Preparation]
    ) -> list[OSError | None]:
        """Put the wrapper scripts into a few bundles, and the script that all tasks start beside."""
        return self._scripts.store(
            self.name, self.session.run, self.grace, submission, preparations
        )

    def stored_with(self, submission: Submission) -> Collection[str]:
        """Return the files that a submission's tasks share."""
        return self._scripts.paths(submission)

    # --- opening -------------------------------------------------------------------------------------

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """See that the service can be used, and that it understands what it is to be asked for.

        Raises OptionError, and EngineUnavailable where credentials, rights or the place are wrong.
        """
        session = self.session
        service = self.service()
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
        self._empty_since: float | None = None
        yield
        await self._kills.tidy()

    def service(self) -> BatchService:
        """Return what calls Google Batch for this scheduler."""
        if self._service is None:
            self._service = BatchService(self.project, region_of(self.location), self.api_endpoint)
        return self._service

    # --- submitting ----------------------------------------------------------------------------------

    def room(self, room: int) -> int:
        """Return how many jobs may be submitted now: a Batch job, while places are free."""
        session = self.session
        free = self.forks - self._taken()
        if not self.submits_in_bulk():
            return min(room, free)
        waiting = len(session.waiting)
        step = 1 if self._empty_since is not None and self._is_long_empty() else None
        worth = step or shares.worth_a_call(self.forks)
        return min(room, self.max_batch) if shares.has_room(free, waiting, worth) else 0

    def _is_long_empty(self) -> bool:
        since = self._empty_since
        return since is not None and self.session.ports.monotonic() - since >= _LONG_EMPTY

    def _taken(self) -> int:
        """Return how many tasks may run at once by what Batch was given."""
        left = self.session.tasks_left
        self._parallelism = {
            sid: places for sid, places in self._parallelism.items() if sid in left
        }
        return sum(min(tasks, self._parallelism.get(sid, tasks)) for sid, tasks in left.items())

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
        others = self._taken() - len(submission.tasks)
        places = max(1, min(self.forks - others, len(submission.tasks), _MOST_AT_ONCE))
        asked = self.definition(
            self.needs_of(jobs[0]),
            tasks=len(submission.tasks),
            parallelism=places,
            sid=submission.sid,
        )
        batch = batch_id(submission.name)
        await self._create(batch, asked, request_id(submission.name))
        self._parallelism[submission.sid] = places
        present = {attempt_id(job) for job in jobs}
        ids = _ids(batch, submission)
        return {attempt: ids[attempt] for attempt in submission.tasks if attempt in present}

    async def _create(self, batch: str, asked: Mapping[str, Any], request: str) -> None:
        """Have the Batch job made: the same request, repeated, makes one."""
        ports, delay = self.session.ports, _FIRST_DELAY
        for _ in range(_ATTEMPTS - 1):
            try:
                return await ports.offload(self.service().create, batch, asked, request)
            except SubmitOutcomeUnknown:
                await ports.sleep(delay * ports.random.uniform(0.5, 1.0))
                delay *= 2
            except Refused as error:
                raise SubmitRejected(str(error)) from error
        try:
            await ports.offload(self.service().create, batch, asked, request)
        except Refused as error:
            raise SubmitRejected(str(error)) from error

    # --- asking --------------------------------------------------------------------------------------

    async def query_jobs(self, jobs: Sequence[Job]) -> Mapping[AttemptId, Observation]:
        """Ask Batch about the jobs that these are tasks of, and about their tasks where that is news."""
        return await self._poll.ask(jobs)

    async def job_is_running(self, job: Job) -> bool:
        """Tell whether Batch has the job, waiting or running."""
        return await self._poll.has(job)

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
            self._note_empty_places()

    def _note_empty_places(self) -> None:
        if not len(self.session.waiting) or self._taken() >= self.forks:
            self._empty_since = None
        elif self._empty_since is None:
            self._empty_since = self.session.ports.monotonic()
        elif self._is_long_empty():
            self.session.wake()

    # --- for people ----------------------------------------------------------------------------------

    async def explain(self, job: Job) -> str:
        """Return what Batch says about the job: its state, and why it waits or has failed."""
        if job.jid is None:
            return job.reason or "Batch does not have it yet"
        batch, _, number = job.jid.partition("/")
        service, ports = self.service(), self.session.ports
        news = await ports.offload(service.job, batch)
        tasks = {} if news is None else await ports.offload(service.tasks, batch)
        return explain(batch, news, tasks.get(int(number)) if number.isdecimal() else None)

    async def doctor(self) -> Sequence[tuple[str, bool | None, str]]:
        """Check credentials, project, API and the bucket."""
        from .doctor import check_cloud

        bucket = None if str(self.workdir) == _NO_BUCKET else str(self.workdir)
        return await self.session.ports.offload(check_cloud, self.service(), bucket)

    @classmethod
    def for_doctor(cls, workdir: str | os.PathLike[str], **options: Any) -> Self:
        """Return a scheduler of which only `doctor` is asked; without a bucket none is checked."""
        return super().for_doctor(workdir if _in_bucket(workdir) else _NO_BUCKET, **options)


_LONG_EMPTY = 30.0
"""Seconds after which even few empty places are worth a Batch job of their own."""
_PLACE = "service_account network subnetwork machine_type accelerator_type".split()


def _ids(batch: str, submission: Submission) -> dict[AttemptId, str]:
    return {attempt: task_id(batch, n) for n, attempt in enumerate(submission.tasks)}


def _optional_count(name: str, value: Any) -> int | None:
    return None if value is None else check_count(name, value, 0)


def _in_bucket(workdir: str | os.PathLike[str] | SpecPath) -> bool:
    return str(workdir).startswith("gs://")
