"""What Slurm and Grid Engine have in common: arrays, their limits, and tools to be run."""

from __future__ import annotations

import os
import re
import shlex
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import ceil
from typing import Any, ClassVar

from sched_core import (
    AttemptId,
    EngineUnavailable,
    Job,
    JobStatus,
    Observation,
    PreviewPart,
    Report,
    Scheduler,
    Submission,
    Usage,
    attempt_id,
)
from sched_core.lifecycle.session import Active
from sched_core.scheduler import shares
from sched_core.scheduler.options import check_count
from sched_core.scheduler.shares import Share
from sched_core.text.script import JobScript

from . import chunks
from .accounted import Told, share_no_task, usage_of
from .badhosts import BadHosts
from .directives import take_directives
from .places import Place, array_of
from .taskscript import TaskScript, render_task_script
from .tool import Answer, Toolbox

__all__ = ["ClusterScheduler"]

_BALANCE_INTERVAL = 1.0
_PATIENCE = 5.0
"""Seconds after which even few empty places are worth the call of a tool."""
_HOST_FAILURES = 3
_JOBS_AT_ONCE = 10_000
"""Jobs of a submission at most, however many share a task: it is one step of the driver."""


class ClusterScheduler(Scheduler):
    """Runs jobs on a cluster's queue: the base of `SlurmScheduler` and `SgeScheduler`.

    Jobs whose directives are equal are submitted as one array. The engine starts its tasks, the
    driver sees to it that all arrays together never run more than `forks`.
    """

    throttles: ClassVar[bool] = True
    containers: ClassVar[bool] = True
    enforces_resources: ClassVar[bool] = True
    usual_forks: ClassVar[int | None] = 1000
    poll_interval: ClassVar[tuple[float, float]] = (2.0, 30.0)
    usual_rate: ClassVar[str | None] = "10/s"

    programs: ClassVar[tuple[str, ...]]
    """The engine's tools: each is an option of its name, for where it lies."""

    legal_directives: ClassVar[Mapping[str, str]]
    """The engine's own options, by every name that they may be given under."""

    reserved_directives: ClassVar[Mapping[str, str]]
    """What to use instead of options that the scheduler sets itself."""

    task_number: ClassVar[str]
    """A bash expression that counts the tasks of an array from 0."""

    task_prelude: ClassVar[str] = ""
    """Bash that every task runs before its job."""

    usual_array: ClassVar[int] = 1001
    """Tasks of an array at most, whatever the site allows."""

    tool_patience: ClassVar[float] = 90.0
    """Seconds after which a tool that does not answer is given up."""

    busy_words: ClassVar[re.Pattern[str]]
    """What the engine's tools print where the engine has too much to do."""

    # --- options ---------------------------------------------------------------------------------

    @classmethod
    def option_names(cls) -> frozenset[str]:
        """Return the name of every option that the scheduler takes, but the engine's own."""
        return super().option_names() | {*cls.programs, "chunk", "host_failures"}

    @classmethod
    def native_option_names(cls) -> frozenset[str]:
        """Return the names of the engine's directives."""
        return frozenset(cls.legal_directives) - frozenset(cls.reserved_directives)

    def inherited(self) -> Mapping[str, str]:
        """Return the driver's environment, which engines record, without what jobs have as secrets."""
        session = self._session
        return os.environ if session is None else session.secrets.withhold(os.environ)

    def take_native_options(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return the engine's own options, and where its tools lie. Raises OptionError."""
        self.tools = {name: str(options.pop(name, None) or name) for name in self.programs}
        self.toolbox = Toolbox(self.tools, self.tool_patience, self.inherited)
        self.chunk = check_count("chunk", options.pop("chunk", 1), 1)
        most = check_count("host_failures", options.pop("host_failures", _HOST_FAILURES), 1)
        self._bad_hosts = BadHosts(most)
        self.set_largest_array(self.usual_array)
        self.directives = take_directives(
            self.name,
            options,
            self.legal_directives,
            self.reserved_directives,
            self.option_names(),
        )
        own: dict[str, Any] = {n: path for n, path in self.tools.items() if path != n}
        if self.chunk > 1:
            own["chunk"] = self.chunk
        if most != _HOST_FAILURES:
            own["host_failures"] = most
        self._arrays: dict[str, int | None] = {}
        self._empty_since: float | None = None
        return {**own, **self.directives}

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

    def set_largest_array(self, tasks: int) -> None:
        """Note how many tasks an array may have; 1 where the site has none."""
        self.largest_array = max(1, min(tasks, self.usual_array))
        at_once = min(self.largest_array, max(1, _JOBS_AT_ONCE // self.chunk))
        self.max_batch = at_once * self.chunk
        self.queue_ahead = self.max_batch + self.forks * (self.chunk - 1)

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
        placed = self.place_options(options, self._bad_hosts.left_out(options))
        array = await self.submit_tasks(tasks, submission.name, placed, limit)
        if limit is not None:
            self._arrays[array] = limit
            self._bad_hosts.submitted(array, options)
        ids = self.ids_of_tasks(array, submission)
        return {attempt: ids[attempt] for attempt in present}

    def _array_of(
        self, present: Sequence[AttemptId], submission: Submission
    ) -> tuple[chunks.Tasks, int | None]:
        """Return the tasks of a submission, and how many may run at once; None for a single one."""
        tasks = chunks.in_tasks(submission.tasks, present, submission.chunk)
        if len(submission.tasks) <= submission.chunk:
            return tasks, None
        return tasks, max(1, self.forks - (self._tasks_active() - len(tasks)))

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
        return {attempt: f"{array}_{n // submission.chunk}" for n, attempt in numbered}

    def _name_of(self, job: Job) -> str:
        active = self.session.active.get(job.index)
        if active is not None and active.submission is not None:
            return active.submission.name
        return f"{self.jobname_prefix}-{self.session.run}-{job.index}-{job.attempt}"

    # --- limits ----------------------------------------------------------------------------------

    def room(self, room: int) -> int:
        """Return how many jobs may be submitted now: whole arrays, while places are free."""
        session = self.session
        if not self.submits_in_bulk():
            return min(room, self.forks - len(session.active))
        if len(session.active) >= self.forks * self.chunk:
            return 0
        free = self.forks - self._tasks_active()
        if self.largest_array == 1:
            return min(room, free * self.chunk)
        waiting = ceil(len(session.waiting) / self.chunk)
        return min(room, self.max_batch if shares.has_room(free, waiting, self._step()) else 0)

    def _step(self) -> int:
        """Return how many empty places are worth a call: after a while, any."""
        now = self.session.ports.monotonic()
        since = self._empty_since
        waited = since is not None and now - since >= _PATIENCE
        return 1 if waited else shares.worth_a_call(self.forks)

    @abstractmethod
    async def set_limit(self, array: str, limit: int) -> None:
        """Change how many tasks of an array may run at once. Raises EngineUnavailable."""

    def note_limit(self, array: str, limit: int | None) -> None:
        """Take in the limit that the engine says an array has, such as an earlier driver's."""
        self._arrays[array] = limit

    async def watch(self, report: Report) -> None:
        """Give the places that an array no longer needs to the next one."""
        while True:
            await self.session.ports.sleep(_BALANCE_INTERVAL)
            present, others = self._shares()
            limits = shares.balance(self.forks, present, others, self._step())
            self._note_empty_places(others + shares.used(present), changed=bool(limits))
            for array, limit in limits.items():
                try:
                    await self.set_limit(array, limit)
                except EngineUnavailable as error:
                    self.session.warn(f"an array's limit cannot be changed now: {error}")
                    break
                self._arrays[array] = limit
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
        for array, options in self._bad_hosts.untold(self._arrays):
            bad = self._bad_hosts.left_out(options)
            if self.place_options(options, bad) == options:
                continue
            try:
                await self.keep_away(array, options, bad)
            except EngineUnavailable as error:
                self._bad_hosts.not_told(array)
                self.session.warn(f"an array cannot be kept from {', '.join(bad)} now: {error}")

    def _note_empty_places(self, used: int, *, changed: bool) -> None:
        """Remember since when places are empty, and have jobs submitted once that is long."""
        if changed or used >= self.forks:
            self._empty_since = None
        elif self._empty_since is None:
            self._empty_since = self.session.ports.monotonic()
        elif self._step() == 1:
            self.session.wake()

    def _shares(self) -> tuple[list[Share], int]:
        """Return what arrays hold, oldest first, and how many jobs are in none."""
        left: dict[str, set[int]] = {}
        running: dict[str, set[int]] = {}
        singles: set[str] = set()
        unknown: dict[str, int] = {}
        for active in list(self.session.active.values()):
            jid = active.job.jid
            if jid is None:
                sid = active.submission.sid if active.submission else ""
                unknown[sid] = unknown.get(sid, 0) + 1
                continue
            array, task = array_of(jid)
            if task is None:
                singles.add(array)
            else:
                left.setdefault(array, set()).add(task)
                if active.job.status in (JobStatus.RUNNING, JobStatus.KILLING):
                    running.setdefault(array, set()).add(task)
        self._arrays = {array: self._arrays.get(array) for array in left}
        present = [
            Share(array, self._arrays[array], len(tasks), len(running.get(array, ())))
            for array, tasks in left.items()
        ]
        return present, len(singles) + sum(ceil(jobs / self.chunk) for jobs in unknown.values())

    def _tasks_active(self) -> int:
        """Return how many tasks the engine has, or is about to be given."""
        if self.chunk == 1:
            return len(self.session.active)
        present, others = self._shares()
        return sum(share.left for share in present) + others

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
        alone = self._not_all_of_their_tasks(jobs)
        if alone:
            ports = self.session.ports
            places = [(str(job.metadir), job.attempt) for job in alone if not job.status.final]
            await ports.offload(chunks.ask_to_end, ports.files, places)
        whole = [job for job in jobs if job not in alone]
        if whole:
            await self.kill_tasks(whole)

    def _not_all_of_their_tasks(self, jobs: Sequence[Job]) -> list[Job]:
        """Return those of the jobs whose task also has others, which are not to be killed."""
        active = self.session.active
        shared = [entry for entry in active.values() if chunks.share_a_task(entry)]
        if not shared:
            return []
        wanted = {job.index for job in jobs}
        task_of = self._tasks_of(shared)
        kept = {
            task_of[entry.job.index]
            for entry in shared
            if entry.job.index not in wanted and entry.job.status is not JobStatus.KILLING
        }
        return [job for job in jobs if task_of.get(job.index) in kept]

    def _tasks_of(self, actives: Sequence[Active]) -> dict[int, tuple[str, str]]:
        """Return for each job which task of which submission it is in."""
        submissions = {a.submission.sid: a.submission for a in actives if a.submission}
        ids = {sid: self.ids_of_tasks("", one) for sid, one in submissions.items()}
        return {
            a.job.index: (
                a.submission.sid,
                ids[a.submission.sid][AttemptId(a.job.index, a.attempt)],
            )
            for a in actives
            if a.submission
        }

    # --- for backends ----------------------------------------------------------------------------

    def submission_name(self, job: Job) -> str | None:
        """Return the name under which the job was submitted, None where that is not known."""
        active = self.session.active.get(job.index)
        return active.submission.name if active and active.submission else None

    def number_in_array(self, job: Job) -> int | None:
        """Return the number of the job's task, also where its id is not known yet; None for no array."""
        if job.jid is not None:
            return array_of(job.jid)[1]
        active = self.session.active.get(job.index)
        if active is None or active.submission is None:
            return None
        return array_of(self.ids_of_tasks("", active.submission)[attempt_id(job)])[1]

    def find_tools(self, *names: str) -> None:
        """Raise EngineUnavailable for the first tool that is not there."""
        self.toolbox.check(*names)

    async def run_tool(
        self, argv: Sequence[str], extra: Mapping[str, str] | None = None, *, patient: bool = False
    ) -> Answer:
        """Run a tool to its end, in its turn: a `patient` one after those for which somebody waits.

        Raises EngineUnavailable where it does not come to one.
        """
        try:
            return await self.call_engine(argv, extra=extra, patient=patient)
        except TimeoutError as error:
            raise EngineUnavailable(f"{argv[0]} did not return", command=argv) from error

    async def call_engine(
        self,
        argv: Sequence[str],
        stdin: bytes = b"",
        extra: Mapping[str, str] | None = None,
        *,
        patient: bool,
    ) -> Answer:
        """Run a tool, in its turn. Raises TimeoutError, EngineUnavailable where it cannot be run."""
        budget = self.session.budget
        if budget is None:
            return await self.toolbox.run(argv, stdin, extra)
        await budget.take(patient=patient)
        began = self.session.ports.monotonic()
        try:
            answer = await self.toolbox.run(argv, stdin, extra)
        except TimeoutError:
            await budget.complain(began)
            raise
        if self.busy_words.search(answer.stderr):
            await budget.complain(began)
        return answer
