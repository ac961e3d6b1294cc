"""The base of the schedulers of Slurm and Grid Engine."""

from __future__ import annotations

import os
import shlex
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from sched_core import (
    AttemptId,
    EngineUnavailable,
    Job,
    JobStatus,
    Observation,
    PreviewPart,
    Report,
    Submission,
    Usage,
    attempt_id,
)
from sched_core.text.script import JobScript

from . import chunks
from .accounted import Told, share_no_task, usage_of
from .badhosts import BadHosts, Options
from .configuration import ClusterConfiguration
from .limits import ArrayLimits
from .places import Place, array_of
from .taskscript import TaskScript, render_task_script

__all__ = ["ClusterScheduler"]

_BALANCE_INTERVAL = 1.0


class ClusterScheduler(ClusterConfiguration):
    """Runs jobs on a cluster's queue: the base of `SlurmScheduler` and `SgeScheduler`.

    Jobs whose directives are equal are submitted as one array. The engine starts its tasks, the
    driver sees to it that all arrays together never run more than `forks`.
    """

    task_number: ClassVar[str]
    """A bash expression that counts the tasks of an array from 0."""

    task_prelude: ClassVar[str] = ""
    """Bash that every task runs before its job."""

    def take_native_options(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return the engine's own options, and where its tools lie. Raises OptionError."""
        taken = super().take_native_options(options)
        self.array_limits = ArrayLimits(self)
        self._bad_hosts = BadHosts(self.host_failures)
        return taken

    # --- the text of jobs ------------------------------------------------------------------------

    def job_script(self, job: Job) -> JobScript:
        """Return what the wrapper is made of: it goes itself to where the driver is.

        An engine would quietly start it elsewhere, where the node does not have the folder.
        """
        script = super().job_script(job)
        if script.cwd or script.container is not None:  # which does not see the driver's folder
            return script
        return replace(script, cwd=self.session.directory or None)

    @abstractmethod
    def submit_options(self, job: Job) -> tuple[str, ...]:
        """Return the options of the engine's command for the job: its own and the scheduler's."""

    def batch_key(self, job: Job) -> object:
        """Return the options of the engine's command: only equal ones can share an array."""
        return self.submit_options(job)

    def check_job(self, job: Job) -> None:
        """Refuse a job that no queue can run as it is. Raises OptionError."""
        super().check_job(job)
        self.submit_options(job)

    def task_time(self, job: Job) -> float | None:
        """Return the wall time of the job's task in seconds, None for no limit."""
        limit = self.time_limit(job)
        return None if limit is None else limit * self.chunk

    def prelude(self) -> str:
        """Return the bash that every task runs before its jobs."""
        return self.task_prelude

    def task_script(self, tasks: chunks.Tasks, title: str) -> bytes:
        """Return the script that is submitted for these tasks."""
        session = self.session
        workdir = session.mounted
        if not workdir.startswith("/") and session.directory:
            workdir = f"{session.directory}/{workdir}"
        return render_task_script(
            TaskScript(
                title,
                self.JOBCMD_WRAPPER_LANG,
                workdir,
                self.name,
                session.run,
                self.grace,
                tasks,
                self.task_number,
                self.prelude(),
            )
        )

    # --- submitting ------------------------------------------------------------------------------

    @abstractmethod
    def submit_command(
        self, tasks: chunks.Tasks, name: str, options: Sequence[str], limit: int | None
    ) -> list[str]:
        """Return the command that submits these tasks, with `task_script` on its standard input."""

    @abstractmethod
    async def submit_tasks(
        self, tasks: chunks.Tasks, name: str, options: Sequence[str], limit: int | None
    ) -> str:
        """Submit an array of these tasks, or a single job where `limit` is None; return its id.

        Raises SubmitRejected, EngineUnavailable or SubmitOutcomeUnknown.
        """

    async def submit_job(self, job: Job) -> str:
        """Submit the job alone and return its id."""
        options = self.submit_options(job)
        placed = self.place_options(options, self._bad_hosts.left_out(options))
        return await self.submit_tasks([[attempt_id(job)]], self._name_of(job), placed, None)

    async def submit_jobs(
        self, jobs: Sequence[Job], submission: Submission
    ) -> Mapping[AttemptId, str | None]:
        """Submit jobs as one array, and return its tasks' ids."""
        present = [attempt_id(job) for job in jobs[: self.max_batch]]
        tasks, limit = self._array_of(present, submission)
        options = self.submit_options(jobs[0])
        bad = self._bad_hosts.left_out(options)
        placed = self.place_options(options, bad)
        array = await self.submit_tasks(tasks, submission.name, placed, limit)
        if limit is not None:
            self.array_limits.note(array, limit)
            self._bad_hosts.told(array, bad)
        ids = self.ids_of_tasks(array, submission)
        return {attempt: ids[attempt] for attempt in present}

    def _array_of(
        self, present: Sequence[AttemptId], submission: Submission
    ) -> tuple[chunks.Tasks, int | None]:
        """Return the tasks of a submission, and how many may run at once; None for a single one."""
        tasks = chunks.in_tasks(submission.tasks, present, submission.chunk)
        if len(submission.tasks) <= submission.chunk:
            return tasks, None
        return tasks, self.array_limits.limit_of_next(len(tasks))

    def preview_submission(self, jobs: Sequence[Job], submission: Submission) -> list[PreviewPart]:
        """Return the command, the script that it gets on its standard input, and the first job's."""
        tasks, limit = self._array_of([attempt_id(job) for job in jobs], submission)
        argv = self.submit_command(tasks, submission.name, self.submit_options(jobs[0]), limit)
        script = self.task_script(tasks, submission.name)
        return [
            PreviewPart("command", shlex.join(argv)),
            PreviewPart("standard input of the command", os.fsdecode(script)),
            *super().preview_submission(jobs, submission),
        ]

    def ids_of_tasks(self, array: str, submission: Submission) -> dict[AttemptId, str]:
        """Return what the engine calls the tasks of a submission that it calls `array`."""
        if len(submission.tasks) <= submission.chunk:
            return dict.fromkeys(submission.tasks, array)
        numbered = enumerate(submission.tasks)
        return {attempt: self.task_id(array, n // submission.chunk) for n, attempt in numbered}

    def task_id(self, array: str, number: int) -> str:
        """Return what the engine calls a task of an array; `number` counts from 0."""
        return f"{array}_{number}"

    def _name_of(self, job: Job) -> str:
        active = self.session.active.get(job.index)
        if active is not None and active.submission is not None:
            return active.submission.name
        return f"{self.jobname_prefix}-{self.session.run}-{job.index}-{job.attempt}"

    # --- limits ----------------------------------------------------------------------------------

    def room(self, room: int) -> int:
        """Return how many jobs may be submitted now: whole arrays, while places are free."""
        return self.array_limits.room(room)

    @abstractmethod
    async def set_limit(self, array: str, limit: int) -> None:
        """Change how many tasks of an array may run at once. Raises EngineUnavailable."""

    async def watch(self, report: Report) -> None:
        """Give the places that an array no longer needs to the next one."""
        while True:
            await self.session.ports.sleep(_BALANCE_INTERVAL)
            if not self.session.closing:
                await self.array_limits.balance(self.set_limit)
            await self._tell_of_bad_hosts()

    # --- bad nodes -------------------------------------------------------------------------------

    @abstractmethod
    def place_options(self, options: Sequence[str], bad: Sequence[str]) -> tuple[str, ...]:
        """Return the options of a submission that is to keep away from bad nodes, too; as they are
        where the user has said which nodes it may go to.
        """

    @abstractmethod
    async def keep_away(self, array: str, options: Sequence[str], bad: Sequence[str]) -> None:
        """Keep the tasks of an array that wait away from bad nodes. Raises EngineUnavailable."""

    def attempt_ended(self, job: Job) -> None:
        """Leave a node out on which job after job cannot even be started, while others do well."""
        if job.host is None or job.status is JobStatus.KILLED:
            return
        for bad in self._bad_hosts.ended(self.submit_options(job), job.host, job.failure):
            self.session.warn(
                f"{bad} gets no more jobs: {self._bad_hosts.most} in a row could not be started there; "
                f"sched explain {self.session.layout.workdir} JOB tells why"
            )

    async def _tell_of_bad_hosts(self) -> None:
        """Have arrays that wait keep away from nodes that have turned out to be bad."""
        for array, options, bad in self._bad_hosts.untold(self._options_of_arrays()):
            try:
                if self.place_options(options, bad) != options:
                    await self.keep_away(array, options, bad)
            except EngineUnavailable as error:
                self.session.warn(f"an array cannot be kept from {', '.join(bad)} now: {error}")
            else:
                self._bad_hosts.told(array, bad)

    def _options_of_arrays(self) -> Mapping[str, Options]:
        """Return what the tasks of each array ask for, also of those of an earlier driver."""
        found: dict[str, Options] = {}
        for active in self.session.active.values() if self._bad_hosts else ():
            array, task = array_of(active.job.jid or "")
            if task is not None and array not in found:
                found[array] = self.submit_options(active.job)
        return found

    # --- asking and killing ----------------------------------------------------------------------

    @abstractmethod
    async def query_tasks(self, jobs: Sequence[Job]) -> Mapping[AttemptId, Observation]:
        """Ask the engine once about the tasks of all these jobs. Raises EngineUnavailable."""

    async def query_jobs(self, jobs: Sequence[Job]) -> Mapping[AttemptId, Observation]:
        """Ask the engine once about all these jobs."""
        return chunks.of_each_job(self.session.active.values(), await self.query_tasks(jobs))

    async def query_usage(self, jobs: Sequence[Job]) -> Mapping[AttemptId, Usage]:
        """Ask the accounting about the memory of those jobs that had a task of their own."""
        alone = share_no_task(jobs, self.session.jobs.values()) if self.chunk == 1 else []
        unknown = {attempt_id(job): Usage() for job in jobs}
        arrays = dict.fromkeys(array_of(str(job.jid))[0] for job in alone)
        since = min((job.started for job in alone if job.started), default=0.0)
        told = await self.query_memory([*arrays], since) if alone else None
        if told is None:
            return unknown
        for job in alone:
            del unknown[attempt_id(job)]
        return unknown | usage_of(alone, told, self.session.run)

    @abstractmethod
    async def query_memory(
        self, arrays: Sequence[str], since: float
    ) -> Mapping[Place, Told] | None:
        """Ask the accounting with few calls for the tasks of these arrays that have ended, of which the
        first one started at `since`; None where it tells nothing of memory. Raises EngineUnavailable.
        """

    @abstractmethod
    async def kill_tasks(self, jobs: Sequence[Job]) -> None:
        """Have the engine end the tasks of these jobs, with few calls. Raises EngineUnavailable."""

    async def kill_job(self, job: Job) -> None:
        """Have the engine end the job's whole process tree."""
        await self.kill_jobs([job])

    async def kill_jobs(self, jobs: Sequence[Job]) -> None:
        """Have the engine end these jobs; one that shares its task with others, its task alone."""
        alone = chunks.not_all_of_their_tasks(jobs, self.session.active.values())
        if alone:
            ports = self.session.ports
            places = [(str(job.metadir), job.attempt) for job in alone if not job.status.final]
            await ports.offload(chunks.ask_to_end, ports.files, places)
        whole = [job for job in jobs if job not in alone]
        if whole:
            await self.kill_tasks(whole)

    # --- for backends ----------------------------------------------------------------------------

    def named(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, str | None]]:
        """Yield the jobs with the names of their submissions, None where that is not known."""
        for job in jobs:
            yield job, self._submitted_as(job)

    def numbered(self, jobs: Iterable[Job]) -> Iterator[tuple[str, int | None]]:
        """Yield the names of the jobs' submissions, where known, and the numbers of their tasks: None
        for no array. That is enough to find a job whose id is not known yet.
        """
        for job in jobs:
            name = self._submitted_as(job)
            if name is not None:
                yield name, self._number_in_array(job)

    def _submitted_as(self, job: Job) -> str | None:
        active = self.session.active.get(job.index)
        return active.submission.name if active and active.submission else None

    def _number_in_array(self, job: Job) -> int | None:
        if job.jid is not None:
            return array_of(job.jid)[1]
        active = self.session.active.get(job.index)
        if active is None or active.submission is None:
            return None
        return array_of(self.ids_of_tasks("", active.submission)[attempt_id(job)])[1]
