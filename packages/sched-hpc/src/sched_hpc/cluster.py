"""What Slurm and Grid Engine have in common: arrays, their limits, and tools to be run."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from sched_core import (
    AttemptId,
    EngineUnavailable,
    Job,
    Report,
    Scheduler,
    Submission,
    attempt_id,
)
from sched_core.text.script import JobScript

from . import throttle
from .directives import take_directives
from .taskscript import TaskScript, render_task_script
from .throttle import Share
from .tool import Toolbox

__all__ = ["ClusterScheduler", "array_of"]

_BALANCE_INTERVAL = 1.0


def array_of(jid: str) -> tuple[str, int | None]:
    """Split a job's id into that of its array and its task; without a task it is no array's."""
    id_, _, task = jid.partition("_")
    return id_, int(task) if task.isdecimal() else None


class ClusterScheduler(Scheduler):
    """Runs jobs on a cluster's queue: the base of `SlurmScheduler` and `SgeScheduler`.

    Jobs whose directives are equal are submitted as one array. The engine starts its tasks, the
    driver sees to it that all arrays together never run more than `forks`.
    """

    throttles: ClassVar[bool] = True
    usual_forks: ClassVar[int | None] = 1000
    poll_interval: ClassVar[tuple[float, float]] = (2.0, 30.0)

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

    tool_patience: ClassVar[float] = 90.0
    """Seconds after which a tool that does not answer is given up."""

    # --- options ---------------------------------------------------------------------------------

    @classmethod
    def option_names(cls) -> frozenset[str]:
        """Return the name of every option that the scheduler takes, but the engine's own."""
        return super().option_names() | set(cls.programs)

    def take_native_options(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return the engine's own options, and where its tools lie. Raises OptionError."""
        self.tools = {name: str(options.pop(name, None) or name) for name in self.programs}
        self.toolbox = Toolbox(self.tools, self.tool_patience)
        self.directives = take_directives(
            self.name,
            options,
            self.legal_directives,
            self.reserved_directives,
            self.option_names(),
        )
        own = {name: path for name, path in self.tools.items() if path != name}
        self._arrays: dict[str, int | None] = {}
        return {**own, **self.directives}

    # --- the text of jobs ------------------------------------------------------------------------

    def job_script(self, job: Job) -> JobScript:
        """Return what the wrapper is made of: it goes itself to where the driver is.

        An engine would quietly start it elsewhere, where the node does not have the folder.
        """
        script = super().job_script(job)
        return script if script.cwd else replace(script, cwd=self.session.directory or None)

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

    def task_script(self, tasks: Sequence[AttemptId], title: str) -> bytes:
        """Return the script that is submitted for these attempts."""
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
                tuple(tasks),
                self.task_number,
                self.task_prelude,
            )
        )

    # --- submitting ------------------------------------------------------------------------------

    @abstractmethod
    async def submit_tasks(
        self, tasks: Sequence[AttemptId], name: str, options: Sequence[str], limit: int | None
    ) -> str:
        """Submit an array of these tasks, or a single job where `limit` is None; return its id.

        Raises SubmitRejected, EngineUnavailable or SubmitOutcomeUnknown.
        """

    async def submit_job(self, job: Job) -> str:
        """Submit the job alone and return its id."""
        return await self.submit_tasks(
            [attempt_id(job)], self._name_of(job), self.submit_options(job), None
        )

    async def submit_jobs(
        self, jobs: Sequence[Job], submission: Submission
    ) -> Mapping[AttemptId, str | None]:
        """Submit jobs as one array, and return its tasks' ids."""
        jobs = jobs[: self.max_batch]
        tasks = [attempt_id(job) for job in jobs]
        options = self.submit_options(jobs[0])
        if len(tasks) == 1:
            return {tasks[0]: await self.submit_tasks(tasks, submission.name, options, None)}
        limit = max(1, self.forks - (len(self.session.active) - len(jobs)))
        array = await self.submit_tasks(tasks, submission.name, options, limit)
        self._arrays[array] = limit
        return self.ids_of_tasks(array, tasks)

    def ids_of_tasks(self, array: str, tasks: Iterable[AttemptId]) -> dict[AttemptId, str | None]:
        """Return the ids of an array's tasks."""
        return {task: f"{array}_{number}" for number, task in enumerate(tasks)}

    def _name_of(self, job: Job) -> str:
        active = self.session.active.get(job.index)
        if active is not None and active.submission is not None:
            return active.submission.name
        return f"{self.jobname_prefix}-{self.session.run}-{job.index}-{job.attempt}"

    # --- limits ----------------------------------------------------------------------------------

    def room(self, room: int) -> int:
        """Return how many jobs may be submitted now: whole arrays, while places are free."""
        session = self.session
        full = self.max_batch if self.submits_in_bulk() else 1
        active, waiting = len(session.active), len(session.waiting)
        if full == 1:
            return min(room, self.forks - active)
        return min(room, throttle.room(self.forks, active, waiting, full))

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
            shares, others = self._shares()
            for array, limit in throttle.balance(self.forks, shares, others).items():
                try:
                    await self.set_limit(array, limit)
                except EngineUnavailable as error:
                    self.session.warn(f"an array's limit cannot be changed now: {error}")
                    break
                self._arrays[array] = limit

    def _shares(self) -> tuple[list[Share], int]:
        """Return what arrays hold, oldest first, and how many jobs are in none."""
        left: dict[str, int] = {}
        others = 0
        for active in list(self.session.active.values()):
            jid = active.job.jid
            array, task = array_of(jid) if jid else ("", None)
            if task is None:
                others += 1
            else:
                left[array] = left.get(array, 0) + 1
        self._arrays = {array: self._arrays.get(array) for array in left}
        return [Share(array, self._arrays[array], count) for array, count in left.items()], others

    # --- for backends ----------------------------------------------------------------------------

    def submission_name(self, job: Job) -> str | None:
        """Return the name under which the job was submitted, None where that is not known."""
        active = self.session.active.get(job.index)
        return active.submission.name if active and active.submission else None

    def find_tools(self, *names: str) -> None:
        """Raise OptionError for the first tool that is not there."""
        self.toolbox.check(*names)
