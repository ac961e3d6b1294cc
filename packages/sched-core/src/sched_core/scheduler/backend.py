"""What a backend writes: three methods make a complete one, all else has a default."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Self

import anyio

from ..errors import OptionError
from ..model.job import Job
from ..runfolder.submissions import AttemptId, Submission
from ..text.claim import render_fence
from ..text.usage import Usage
from .jobtext import JobText, attempt_id
from .observation import EngineState, Observation, Remains
from .previewing import PreviewPart

if TYPE_CHECKING:
    from ..lifecycle.files import Preparation

__all__ = ["Backend", "Report"]

_KILLS_AT_ONCE = 64

Report = Callable[[AttemptId, Observation], None]
"""Where a backend's `watch` says what it sees; cheap, never blocks, for the loop's thread."""


class Backend(JobText):
    """The surface between the lifecycle and an engine."""

    @abstractmethod
    async def submit_job(self, job: Job) -> int | str:
        """Hand one job, whose wrapper script is written, to the engine; return the engine's id.

        Raises SubmitRejected, EngineUnavailable or SubmitOutcomeUnknown.
        """

    @abstractmethod
    async def kill_job(self, job: Job) -> None:
        """Have the engine end one job, its whole process tree. Raises EngineUnavailable."""

    @abstractmethod
    async def job_is_running(self, job: Job) -> bool:
        """Tell whether the engine still has the job, waiting or running.

        Raises EngineUnavailable when it cannot be asked.
        """

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Hold what the backend needs while the run is open: connections, processes, limits."""
        yield

    def endpoint(self) -> str | None:
        """Return what tells the engine that answers from others, its kind first ("slurm /etc/slurm"):
        the drivers of a user that name it alike share a budget of calls, and poll it in turn.

        Each call takes one from `session.budget` before; None where nothing has to be limited.
        """
        return None

    def batch_key(self, job: Job) -> object:
        """Return what jobs must have in common to share a submission."""
        return None

    def room(self, room: int) -> int:
        """Return how many more jobs the engine may be given now, of the `room` that there is.

        A backend whose arrays have limits of their own, which must sum to at most `forks`, holds
        jobs back here: they stay in the driver's queue.
        """
        return room

    async def submit_jobs(
        self, jobs: Sequence[Job], submission: Submission
    ) -> Mapping[AttemptId, str | None]:
        """Hand jobs to the engine under the name of the submission; return their ids.

        None is an id that the engine tells only later. Raises as `submit_job` does, for all of
        them; a job that is left out was not taken and is submitted again.
        """
        ids: dict[AttemptId, str | None] = {}
        for job in jobs:
            ids[attempt_id(job)] = str(await self.submit_job(job))
        return ids

    def store_scripts(
        self, submission: Submission, preparations: Sequence[Preparation]
    ) -> list[OSError | None]:
        """Make the folders of jobs and put their wrapper scripts where their tasks find them; for
        each, say what went wrong, if anything did. Blocks; before the engine is called.
        """
        from ..lifecycle.files import prepare_jobs

        return prepare_jobs(self.session.ports.files, preparations)

    def stored_with(self, submission: Submission) -> Collection[str]:
        """Return the files that `store_scripts` made for a submission as a whole, and others that
        go when its attempts have ended.
        """
        return ()

    def preview_submission(self, jobs: Sequence[Job], submission: Submission) -> list[PreviewPart]:
        """Return, for a person, what `submit_jobs` would hand over, made by what it is made by there.

        Neither the engine nor any file may be touched: the scheduler is not open. What each job has
        of its own, such as its wrapper script, is shown for the first one. Raises OptionError for
        what `open` would refuse as well.
        """
        job = jobs[0]
        return [PreviewPart(f"script of job {job.index}", self.wrap_job_script(job))]

    def attempt_ended(self, job: Job) -> None:
        """Hear that an attempt has ended, with its host and the class of its failure, before another
        one follows. Only backends whose engine may start jobs again (`wrapper_restart`) are told.
        """

    async def kill_jobs(self, jobs: Sequence[Job]) -> None:
        """Have the engine end these jobs. Raises EngineUnavailable."""
        # At once: one kill may take its whole grace period.
        limit = anyio.CapacityLimiter(_KILLS_AT_ONCE)
        errors: list[Exception] = []

        async def kill(job: Job) -> None:
            async with limit:
                try:
                    await self.kill_job(job)
                except Exception as error:  # noqa: BLE001  # raised when all were tried
                    errors.append(error)

        async with anyio.create_task_group() as group:
            for job in jobs:
                group.start_soon(kill, job)
        if errors:
            raise errors[0]

    def time_to_end(self) -> float:
        """Return how many seconds a job may take to end that was told to."""
        return self.grace

    async def query_jobs(self, jobs: Sequence[Job]) -> Mapping[AttemptId, Observation]:
        """Ask the engine once about all these jobs.

        A job that is left out is one that the engine does not know, or not any more. Raises
        EngineUnavailable when the engine cannot be asked: that is no answer.
        """
        seen = {}
        for job in jobs:
            if await self.job_is_running(job):
                seen[attempt_id(job)] = Observation(EngineState.WAITING)
        return seen

    async def query_usage(self, jobs: Sequence[Job]) -> Mapping[AttemptId, Usage]:
        """Ask the engine once what these jobs, which have ended, have used: at the end of a run, about
        those whose most memory nobody has told.

        One that is left out is asked about once more, a moment later; an empty Usage says that nothing
        will be told. What several jobs had together is none of them's. Raises EngineUnavailable.
        """
        return {}

    async def find_submissions(
        self, submissions: Sequence[Submission]
    ) -> Mapping[str, Mapping[AttemptId, str]]:
        """Look submissions up in the engine by their names; return the ids of those it has, by sid.

        Raises EngineUnavailable where the engine cannot be asked. An engine that cannot look up by
        name finds none: the jobs' claims then decide, which can be taken only once.
        """
        return {}

    async def withdraw_jobs(self, jobs: Sequence[Job]) -> Collection[AttemptId]:
        """Take back what the engine has certainly not started and never will; return which."""
        return ()

    def can_take_over(self, options: Mapping[str, Any]) -> bool:
        """Tell whether the engine that it asks has the jobs of a scheduler of these options, as the
        run's folder records them. Where not, a run with open attempts is not resumed.
        """
        return True

    async def recall_jobs(self, jobs: Sequence[Job]) -> Collection[AttemptId]:
        """Bring what the engine's side knows of attempts that an earlier driver left open to the
        driver's: claims, and the records of what has ended.

        Asked before claims are read. Returns those of which nothing can be known now: they stay
        open, are given to `adopt_jobs`, and what has become of them is reported when it is known.
        """
        return ()

    async def adopt_jobs(self, jobs: Sequence[Job]) -> None:
        """Take over jobs that an earlier driver started and that run now."""

    async def fence(self, jobs: Sequence[Job]) -> Collection[AttemptId]:
        """Make sure that attempts that have not started never do; return those that now cannot.

        The driver takes the claim itself: whoever creates it first has the attempt.
        """
        from ..lifecycle.files import take_claims

        ports = self.session.ports
        places = [(str(job.metadir), job.attempt) for job in jobs]
        won = await ports.offload(take_claims, ports.files, places, self.fence_text())
        return {attempt_id(job) for job, taken in zip(jobs, won, strict=True) if taken}

    async def seal(self, job: Job, position: int | None) -> bool:
        """Make sure that the engine does not start the job's attempt once more; False where it has
        done so since `job.restart`, or since the start that holds the claim `position`, if known.

        Asked before an attempt that did not finish is given up, where `restarts()`.
        """
        from ..lifecycle.files import seal_attempt

        ports = self.session.ports
        place = (str(job.metadir), job.attempt, job.restart, position)
        return await ports.offload(seal_attempt, ports.files, *place, self.fence_text())

    def fence_text(self) -> bytes:
        """Return the claim by which this driver keeps an attempt from starting."""
        ports = self.session.ports
        who = ports.identity
        return render_fence(who.host, who.boot_id, who.pid, who.start_time, ports.now())

    async def prepare(self, jobs: Sequence[Job]) -> None:
        """Bring to the engine's side what the jobs need, before they are submitted.

        Raises as `submit_jobs` does, for all of them.
        """

    async def collect(self, jobs: Sequence[Job]) -> None:
        """Bring back the records and outputs of jobs that have ended."""

    async def watch(self, report: Report) -> None:
        """Report what the engine tells by itself, until cancelled."""

    async def poll(self) -> None:
        """Take in what the engine has told by itself so far; `watch` does it where a runner runs."""

    async def explain(self, job: Job) -> str:
        """Return, for a person, what the engine says about the job."""
        return job.reason

    async def doctor(self) -> Sequence[tuple[str, bool | None, str]]:
        """Check what the backend needs; return name, verdict (None: a warning) and detail of each."""
        return ()

    @classmethod
    def for_doctor(cls, workdir: str | os.PathLike[str], **options: Any) -> Self:
        """Return a scheduler of which only `doctor` is asked: what jobs alone need may be left out.

        Raises OptionError.
        """
        return cls(workdir, **options)

    async def read_outputs(
        self, jobs: Sequence[Job], name: str, take: Callable[[int, bytes], None], *, follow: bool
    ) -> None:
        """Hand out what running jobs write to a file (job.stdout, job.stderr) that cannot be seen
        from here before they have ended; where it can, there is nothing to do.

        `take` gets a job's index and the next piece; an empty one at the end of what there is now.
        With `follow` there is none, until cancelled. The run may be driven by another process.
        """

    async def find_remains(self, used: Collection[str]) -> Sequence[Remains]:
        """Look for what the run has left outside of its own folder.

        `used` are the hosts that its jobs were on. Where one cannot be asked, that is a problem of
        its Remains, not an exception. `clean_run` calls it when no job can run.
        """
        return ()

    async def remove_remains(self, found: Sequence[Remains]) -> Sequence[Remains]:
        """Remove what `find_remains` has found; return it, each with the problem it had, if any."""
        return found

    def check_job(self, job: Job) -> None:
        """Refuse a job that this backend cannot run as it is. Raises OptionError.

        The base cannot stage files: a backend that can overrides this.
        """
        for what in ("inputs", "outputs"):
            if getattr(job, what):
                raise OptionError(
                    f"the scheduler {self.name} cannot do {what} for a job: leave {what} out"
                )
        self.check_container(job)

    def check_container(self, job: Job) -> None:
        """Refuse a container that the job's command cannot run in. Raises OptionError."""
        container = self.container_of(job)
        if container is None:
            return
        if not self.containers:
            raise OptionError(f"the scheduler {self.name} runs no containers: leave container out")
        if container.reuse and not self.keeps_containers:
            raise OptionError(f"the scheduler {self.name} keeps no containers: leave reuse out")
        self.container_script(job)

    @classmethod
    def restarts(cls) -> bool:
        """Tell whether the engine may start a job again by itself, under the same id."""
        return cls.wrapper_restart != "0"

    @classmethod
    def tells_usage(cls) -> bool:
        """Tell whether the engine can be asked what jobs have used."""
        return cls.query_usage is not Backend.query_usage

    @classmethod
    def finds_submissions(cls) -> bool:
        """Tell whether the engine can be asked for a submission by its name."""
        return cls.find_submissions is not Backend.find_submissions

    @classmethod
    def submits_in_bulk(cls) -> bool:
        """Tell whether `submit_jobs` may be used: there is one, and nothing below goes round it."""
        own = cls.submit_jobs is not Backend.submit_jobs
        return own and not overrides_below(cls, "submit_job", "submit_jobs")


def overrides_below(cls: type, single: str, bulk: str) -> bool:
    """Tell whether a subclass overrides a single form below the class that defines its bulk form.

    The bulk form would then go round what the subclass meant to change.
    """
    for base in cls.__mro__:
        if bulk in vars(base):
            return False
        if single in vars(base):
            return True
    return False
