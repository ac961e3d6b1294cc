"""The base of every scheduler: its options, the text of its jobs, and what a backend writes."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ..errors import EngineUnavailable, OptionError
from ..model.command import check_name
from ..model.job import Job
from ..model.resources import Resources, parse_time
from ..model.status import JobStatus
from ..paths import DEFAULT_MOUNTED_ROOT, MountedPath, MountTable, SpecPath
from ..ports.files import folder_mode
from ..runfolder.submissions import AttemptId, Submission
from ..text.claim import render_fence
from ..text.script import JobScript, render
from .observation import Observation
from .options import (
    OPTION_ALIASES,
    check_count,
    check_error_strategy,
    refuse_unknown,
    rename_aliases,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ..lifecycle.session import Session

__all__ = ["Report", "Scheduler", "SchedulerPostInit"]

Report = Callable[[AttemptId, Observation], None]
"""Where a backend's `watch` says what it sees; cheap, never blocks, for the loop's thread."""

XQUTE_ENV_ALIASES: Mapping[str, str] = {
    "XQUTE_JOB_INDEX": "SCHED_JOB_INDEX",
    "XQUTE_METADIR": "SCHED_WORKDIR",
    "XQUTE_JOB_METADIR": "SCHED_JOB_METADIR",
}
"""The variables that code written for the reference reads; pass them as `env_aliases`."""


class SchedulerPostInit:
    """What a host mixes into schedulers of its own."""

    job_class: type[Job] = Job
    """The class of the jobs that `create_job` makes."""

    fs_shared: bool = True
    """Whether the driver sees the files of jobs as they are written."""

    async def init_proc(self, proc: Any) -> None:
        """Called by the host with its own process before the run opens; does nothing here."""


class Scheduler(SchedulerPostInit, ABC):
    """Runs the jobs of one run on one kind of engine.

    A constructor stores and checks, nothing more: until the run opens, a host may change
    `workdir`, `cwd`, `config` and the mounts. A backend is complete with `submit_job`, `kill_job`
    and `job_is_running`; every bulk form has a default made of these, and counts only where no
    subclass overrides the single form below it.

    - `workdir`: the run's folder, or a bucket's (`gs://...`).
    - `forks`: how many jobs may run at once, at least 1.
    - `error_strategy`: after a failure "ignore" goes on, "retry" tries the job again, "halt" starts
      nothing more, kills what runs and raises RunHalted.
    - `num_retries`: how often a job is retried where it is to blame itself.
    - `prescript`, `postscript`: bash that runs before and after the command, in its shell.
    - `jobname_prefix`: begins the name of every submission; by default the scheduler's name.
    - `submission_batch`: how many submissions may be on their way at once, by default 8.
    - `recheck_interval`: ticks of 0.1 s between questions about a job that shows no sign of life.
    - `cwd`: the folder in which the command starts; by default the driver's own.
    - `timeout`: an attempt's wall time, queueing excluded: seconds or "90m".
    - `grace`: seconds between TERM and KILL.
    - `resources`: what each job needs, unless it says otherwise itself.
    - `volumes` (or `mount`): what jobs see under another path; `volume_as_cwd` (or `mount_as_cwd`):
      the one that is also the work directory of commands.
    - `env_aliases`: names under which the SCHED_* variables are set too.
    - `mode`: permissions of records, 0o600 unless widened.
    - `lost_after`: how long an ended job's record may be late, in seconds, at least 120.

    Raises OptionError for an option that it does not know, naming the nearest.
    """

    name: ClassVar[str]
    """The name under which it is found, and the suffix of its wrapper scripts."""

    jobcmd_wrapper_init: str = ""
    """Bash that begins the payload of every job."""

    JOBCMD_WRAPPER_LANG: ClassVar[str] = "/bin/bash"
    """What runs the wrapper scripts."""

    DEFAULT_MOUNTED_ROOT: ClassVar[str] = DEFAULT_MOUNTED_ROOT
    """Where a mount without a target of its own appears to jobs."""

    OPTIONS: ClassVar[frozenset[str]] = frozenset(
        """timeout grace resources volumes volume_as_cwd env_aliases mode lost_after
        infrastructure_retries""".split()
    )
    """The options that are taken as keywords besides the arguments of the constructor."""

    max_batch: ClassVar[int] = 1000
    """How many jobs one submission can hold."""

    batch_delay: ClassVar[float] = 0.1
    """How long a job waits for others to share its submission, in seconds."""

    queue_ahead: ClassVar[int] = 64
    """How many jobs more than `forks` are kept in a queue that throttles."""

    pushes: ClassVar[bool] = False
    """Whether `watch` reports by itself, so that only silent jobs are asked about."""

    throttles: ClassVar[bool] = False
    """Whether the engine itself keeps to `forks`, so that more may wait in its queue."""

    kills_one: ClassVar[bool] = True
    """Whether one job of a submission can be killed alone."""

    shared_disk: ClassVar[bool] = True
    """Whether driver and jobs see the same folder."""

    exclusive_create: ClassVar[bool] = True
    """Whether creating a file exclusively is a lock there; it is not on a mounted bucket."""

    outlives_driver: ClassVar[bool] = True
    """Whether the engine's queue is still there when the driver is not."""

    events: ClassVar[Literal["always", "fallback"]] = "always"
    """Whether wrappers tell of each job in the spool, or only of what they cannot record."""

    poll_interval: ClassVar[tuple[float, float]] = (1.0, 30.0)
    """Seconds between two questions for all jobs: at least, and while nothing changes."""

    spool_interval: ClassVar[float] = 0.5
    """Seconds between two looks at what wrappers tell in the spool: one listing for all jobs."""

    wrapper_jid: ClassVar[str] = ""
    """A bash expression of the engine's id for the job; empty for the wrapper's own pid."""

    wrapper_restart: ClassVar[str] = "0"
    """A bash expression of how often the engine started the job again."""

    def __init__(
        self,
        workdir: str | os.PathLike[str],
        forks: int = 1,
        error_strategy: str = "ignore",
        num_retries: int = 3,
        prescript: str = "",
        postscript: str = "",
        jobname_prefix: str | None = None,
        submission_batch: int | None = None,
        recheck_interval: int = 600,
        cwd: str | os.PathLike[str] | None = None,
        **kwargs: Any,
    ) -> None:
        self.workdir = workdir
        self.forks = check_count("forks", forks, 1)
        self.error_strategy = check_error_strategy(error_strategy)
        self.num_retries = check_count("num_retries", num_retries, 0)
        self.prescript = prescript
        self.postscript = postscript
        self.jobname_prefix = check_name(jobname_prefix) or self.name
        self.submission_batch = check_count("submission_batch", submission_batch or 8, 1)
        self.recheck_interval = check_count("recheck_interval", recheck_interval, 1)
        self.cwd = cwd
        self._set_options(rename_aliases(kwargs))
        self._session: Session | None = None

    def _set_options(self, options: dict[str, Any]) -> None:
        self.config: dict[str, Any] = self.take_native_options(
            {name: value for name, value in options.items() if name not in self.OPTIONS}
        )
        timeout = options.get("timeout")
        self.timeout = None if timeout is None else parse_time(timeout)
        self.grace = parse_time(options.get("grace", 10.0), "grace")
        self.resources = Resources.from_value(options.get("resources"))
        self.env_aliases: dict[str, str] = dict(options.get("env_aliases") or {})
        self.mode = _check_mode(options.get("mode", 0o600))
        self.lost_after = max(120.0, parse_time(options.get("lost_after", 120.0), "lost_after"))
        self.infrastructure_retries = check_count(
            "infrastructure_retries", options.get("infrastructure_retries", 5), 0
        )
        self.mounts = MountTable()
        self.volumes = _as_list(options.get("volumes"))
        self.volume_as_cwd: str | None = options.get("volume_as_cwd")

    def take_native_options(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return the engine's own options among those that the base does not know.

        A backend that has some overrides this, and checks what the engine's manual allows.
        Raises OptionError for what is unknown.
        """
        refuse_unknown(self.name, options, self.option_names())
        return {}

    def options(self) -> dict[str, Any]:
        """Return the options as a run's folder records them, fit for JSON; never a secret.

        A new scheduler of the class can be made of them and the work directory.
        """
        recorded = {name: getattr(self, name) for name in _RECORDED}
        recorded["cwd"] = None if self.cwd is None else os.path.abspath(self.cwd)
        recorded["resources"] = self.resources.to_json()
        return recorded | self.config

    @classmethod
    def option_names(cls) -> frozenset[str]:
        """Return the name of every option that the scheduler takes."""
        return _ARGUMENTS | cls.OPTIONS | frozenset(OPTION_ALIASES)

    # --- folders and paths -------------------------------------------------------------------

    @property
    def workdir(self) -> SpecPath:
        """The run's folder, as the driver and as jobs see it."""
        return self._workdir

    @workdir.setter
    def workdir(self, workdir: str | os.PathLike[str]) -> None:
        if not os.fspath(workdir) and not isinstance(workdir, SpecPath):
            raise OptionError("workdir is empty: name the folder that is to hold the run")
        self._workdir = SpecPath(workdir)

    @property
    def mounted_workdir(self) -> MountedPath:
        """The run's folder as jobs see it."""
        return self._seen_workdir().mounted

    def _seen_workdir(self) -> SpecPath:
        return self.map_path(self._workdir) or self._workdir

    def mount_volumes(self) -> None:
        """Mount what the option `volumes` names. Raises OptionError."""
        for volume in self.volumes:
            self.mounts.add(volume)

    def add_mount(self, spec: str, mounted: str | None = None) -> SpecPath:
        """Let jobs see a folder or bucket; return its root as both sides see it.

        `spec` is "SOURCE:TARGET", "NAME=SOURCE", or a path alone, which appears at `mounted` or
        below `DEFAULT_MOUNTED_ROOT`. Raises OptionError.
        """
        return self.mounts.add(spec, mounted)

    def map_path(self, path: str | os.PathLike[str]) -> SpecPath | None:
        """Return the path with the side that jobs see, None where they cannot see it."""
        return self.mounts.map_path(path)

    # --- the text of a job: pure --------------------------------------------------------------

    def jobcmd_shebang(self, job: Job) -> str:
        """Return the first line of the wrapper script."""
        return f"#!{self.JOBCMD_WRAPPER_LANG}"

    def jobcmd_init(self, job: Job) -> str:
        """Return the bash that begins the payload."""
        return _lines(self.jobcmd_wrapper_init, *self._hook_text("on_jobcmd_init", job))

    def jobcmd_prep(self, job: Job) -> str:
        """Return the bash that comes before the command; it may change the array `cmd`."""
        return _lines(self.prescript, *self._hook_text("on_jobcmd_prep", job))

    def jobcmd_end(self, job: Job) -> str:
        """Return the bash that comes after the command; it sees `rc`."""
        return _lines(*self._hook_text("on_jobcmd_end", job), self.postscript)

    def wrap_job_script(self, job: Job) -> str:
        """Return the wrapper script of the job's present attempt.

        Text keeps bytes that are not UTF-8 (surrogateescape): write it with `os.fsencode`.
        """
        return render(self.job_script(job))

    def job_script(self, job: Job) -> JobScript:
        """Return what the wrapper script of the job's present attempt is made of."""
        session = self.session
        metadir = f"{session.mounted}/{job.index}"
        return JobScript(
            index=job.index,
            attempt=job.attempt,
            run=session.run,
            name=job.given_name,
            metadir=metadir,
            recorder=session.mounted_recorder,
            cmd=job.cmd,
            envs=self._environment(job, metadir),
            cwd=self._job_cwd(),
            before=_lines(self.jobcmd_init(job), self.jobcmd_prep(job)),
            after=self.jobcmd_end(job),
            timeout=self.time_limit(job),
            grace=self.grace,
            spool=f"{session.mounted}/.sched/events",
            events=self.events,
            jid=self.wrapper_jid,
            restart=self.wrapper_restart,
            record_umask=f"{0o777 & ~folder_mode(self.mode):03o}",
            shebang=self.jobcmd_shebang(job),
            token=job_token(session.run, job),
        )

    def time_limit(self, job: Job) -> float | None:
        """Return the wall time of one attempt in seconds, None for no limit."""
        if job.timeout is not None:
            return job.timeout
        if job.resources is not None and job.resources.time is not None:
            return job.resources.time
        return self.timeout if self.timeout is not None else self.resources.time

    def job_resources(self, job: Job) -> Resources:
        """Return what the job needs: its own wishes, and the scheduler's for the rest."""
        return self.resources if job.resources is None else self.resources.merge(job.resources)

    def script_path(self, job: Job) -> str:
        """Return where the wrapper script lies, as the driver sees it."""
        return f"{self.session.layout.workdir}/{job.index}/job.wrapped.{self.name}"

    def mounted_script_path(self, job: Job) -> str:
        """Return where the wrapper script lies, as the job sees it."""
        return f"{self.session.mounted}/{job.index}/job.wrapped.{self.name}"

    def _environment(self, job: Job, metadir: str) -> dict[str, str]:
        own = {
            "SCHED_JOB_INDEX": str(job.index),
            "SCHED_JOB_NAME": job.name,
            "SCHED_WORKDIR": self.session.mounted,
            "SCHED_JOB_METADIR": metadir,
            "SCHED_ATTEMPT": str(job.attempt),
        }
        for alias, name in self.env_aliases.items():
            own[alias] = own[name]
        if len(self.mounts):
            own |= self.mounts.environment()
        return own | job.envs if job.envs else own

    def _job_cwd(self) -> str | None:
        if self.cwd is not None:
            mapped = self.map_path(self.cwd)
            return str(mapped.mounted) if mapped is not None else os.fspath(self.cwd)
        return self.volume_as_cwd

    def _hook_text(self, hook: str, job: Job) -> Sequence[str]:
        hooks = self.session.hooks
        return hooks.text(hook, scheduler=self, job=job) if hooks.has(hook) else ()

    # --- what a backend writes ----------------------------------------------------------------

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

    async def kill_jobs(self, jobs: Sequence[Job]) -> None:
        """Have the engine end these jobs. Raises EngineUnavailable."""
        for job in jobs:
            await self.kill_job(job)

    async def query_jobs(self, jobs: Sequence[Job]) -> Mapping[AttemptId, Observation]:
        """Ask the engine once about all these jobs.

        A job that is left out is one that the engine does not know, or not any more. Raises
        EngineUnavailable when the engine cannot be asked: that is no answer.
        """
        from .observation import EngineState

        seen = {}
        for job in jobs:
            if await self.job_is_running(job):
                seen[attempt_id(job)] = Observation(EngineState.WAITING)
        return seen

    async def find_submissions(
        self, submissions: Sequence[Submission]
    ) -> Mapping[str, Mapping[AttemptId, str]]:
        """Look submissions up in the engine by their names; return the ids of those it has, by sid.

        Raises EngineUnavailable where the engine cannot be asked, or not by name.
        """
        raise EngineUnavailable(f"{self.name} cannot look a submission up by its name")

    async def withdraw_jobs(self, jobs: Sequence[Job]) -> Collection[AttemptId]:
        """Take back what the engine has certainly not started and never will; return which."""
        return ()

    async def adopt_jobs(self, jobs: Sequence[Job]) -> None:
        """Take over jobs that an earlier driver started and that run now."""

    async def fence(self, jobs: Sequence[Job]) -> Collection[AttemptId]:
        """Make sure that attempts that have not started never do; return those that now cannot.

        The driver takes the claim itself: whoever creates it first has the attempt.
        """
        session = self.session
        from ..lifecycle.files import take_claims

        places = [(str(job.metadir), job.attempt) for job in jobs]
        driver = session.ports.identity
        fence = render_fence(
            driver.host, driver.boot_id, driver.pid, driver.start_time, session.ports.now()
        )
        won = await session.ports.offload(take_claims, session.ports.files, places, fence)
        return {attempt_id(job) for job, taken in zip(jobs, won, strict=True) if taken}

    async def prepare(self, jobs: Sequence[Job]) -> None:
        """Bring to the engine's side what the jobs need, before they are submitted."""

    async def collect(self, jobs: Sequence[Job]) -> None:
        """Bring back the records and outputs of jobs that have ended."""

    async def watch(self, report: Report) -> None:
        """Report what the engine tells by itself, until cancelled."""

    async def explain(self, job: Job) -> str:
        """Return, for a person, what the engine says about the job."""
        return job.reason

    async def doctor(self) -> Sequence[tuple[str, bool | None, str]]:
        """Check what the backend needs; return name, verdict (None: a warning) and detail of each."""
        return ()

    def check_job(self, job: Job) -> None:
        """Refuse a job that this backend cannot run as it is. Raises OptionError.

        The base can neither stage files nor run containers: a backend that can overrides this.
        """
        for what in ("inputs", "outputs", "container"):
            if getattr(job, what):
                raise OptionError(f"the scheduler {self.name} cannot do {what} for a job")

    @classmethod
    def submits_in_bulk(cls) -> bool:
        """Tell whether `submit_jobs` may be used: there is one, and nothing below goes round it."""
        own = cls.submit_jobs is not Scheduler.submit_jobs
        return own and not overrides_below(cls, "submit_job", "submit_jobs")

    # --- the lifecycle, by the names of the reference -----------------------------------------

    @property
    def session(self) -> Session:
        """What is known of the run; without a Runner, one that only lives in memory."""
        if self._session is None:
            from ..lifecycle.session import Session

            self._session = Session.detached(self)
        return self._session

    async def create_job(
        self, index: int, cmd: str | Iterable[object], envs: Mapping[str, object] | None = None
    ) -> Job:
        """Create a job and its folder. Raises CommandError; OptionError for an index below 0."""
        job = self.new_job(index, cmd, envs)
        await self.session.added(job)
        return job

    def new_job(
        self,
        index: int,
        cmd: str | Iterable[object] | None,
        envs: Mapping[str, object] | None = None,
    ) -> Job:
        """Return a job of this scheduler's class, with no effect on anything else."""
        return self.job_class(
            index=check_count("index", index, 0),
            cmd=cmd,
            workdir=self._seen_workdir(),
            error_retry=self.error_strategy == "retry",
            num_retries=self.num_retries,
            envs=envs,
        )

    async def wrapped_job_script(self, job: Job) -> SpecPath:
        """Write the wrapper script of the job's present attempt and return its path."""
        from ..lifecycle.files import write_script

        session = self.session
        text = self.wrap_job_script(job)
        await session.ports.offload(
            write_script, session.ports.files, self.script_path(job), os.fsencode(text)
        )
        return job.metadir / f"job.wrapped.{self.name}"

    async def submit_job_and_update_status(self, job: Job) -> None:
        """Submit the job unless it is submitted or running already, and move it accordingly."""
        if not await self.job_is_submitted_or_running(job):
            await self.session.submitter.submit([job])

    async def retry_job(self, job: Job) -> None:
        """Keep the files of the failed attempt and put the job into the queue again."""
        await self.session.transitions.retry(job)

    async def transition_job_status(
        self,
        job: Job,
        new_status: int,
        rc: int | str | None = None,
        error_msg: str | None = None,
        is_killed: bool = False,
    ) -> None:
        """Move a job: the one place where its state changes.

        States that were skipped are filled in, hooks fire in order, `rc` goes to `rc_file` and
        `error_msg` to `stderr_file`. With `is_killed` a final state becomes KILLED. Raises
        IllegalTransition where the table of moves has no way.
        """
        await self.session.transitions.move(job, JobStatus(new_status), rc, error_msg, is_killed)

    async def kill_job_and_update_status(self, job: Job) -> None:
        """Kill the job, waiting or running, and move it accordingly."""
        await self.session.killer.kill([job])

    async def count_running_jobs(self, jobs: Iterable[Job]) -> int:
        """Count the jobs that are submitted, running or being killed; asks nobody."""
        return sum(job.status.active for job in jobs)

    async def check_all_done(self, jobs: Iterable[Job], polling_counter: int) -> bool:
        """Find out what became of the jobs, fire their hooks, and tell whether all have ended."""
        jobs = list(jobs)
        await self.session.reconciler.reconcile([job for job in jobs if job.status.active])
        await self.session.reconciler.poll_hooks(jobs, polling_counter)
        return all(job.status.final for job in jobs)

    async def kill_running_jobs(self, jobs: Iterable[Job]) -> None:
        """Kill those of the jobs that are submitted or running."""
        await self.session.killer.kill([job for job in jobs if job.status.active])

    async def job_is_submitted_or_running(self, job: Job) -> bool:
        """Tell whether the engine has the job's present attempt."""
        return job.status.active and await self.job_is_running(job)

    async def job_fails_before_running(self, job: Job) -> bool:
        """Tell whether the job, though submitted, has ended without ever having started."""
        await self.session.reconciler.reconcile([job])
        return job.status is JobStatus.FAILED and job.started is None


_ARGUMENTS = frozenset(
    """workdir forks error_strategy num_retries prescript postscript jobname_prefix submission_batch
    recheck_interval cwd""".split()
)


_RECORDED = (
    *sorted(_ARGUMENTS - {"workdir", "cwd"}),
    "timeout",
    "grace",
    "volumes",
    "volume_as_cwd",
    "env_aliases",
    "mode",
    "lost_after",
    "infrastructure_retries",
)


def attempt_id(job: Job) -> AttemptId:
    """Return the id of the job's present attempt."""
    return AttemptId(job.index, job.attempt)


def job_token(run: str, job: Job) -> str:
    """Return what every process of the job's present attempt carries in its environment."""
    return f"{run}-{job.index}-{job.attempt}"


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


def _lines(*pieces: str) -> str:
    return "\n".join(piece for piece in pieces if piece)


def _as_list(value: str | Iterable[str] | None) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(value)


def _check_mode(mode: int) -> int:
    if not isinstance(mode, int) or mode & ~0o666 or mode & 0o600 != 0o600:
        raise OptionError(f"mode {mode!r}: give the permissions of files, 0o600 to 0o666")
    return mode
