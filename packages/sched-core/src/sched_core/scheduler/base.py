"""The base of every scheduler."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ..model.job import Job
from ..model.status import JobStatus
from ..paths import SpecPath
from .backend import Backend
from .options import check_count

if TYPE_CHECKING:
    from ..lifecycle.byhand import ByHand
    from ..lifecycle.session import Session
    from ..runfolder.runfile import RunFile
    from .previewing import Preview

__all__ = ["Scheduler"]


class Scheduler(Backend):
    """Runs the jobs of one run on one kind of engine.

    A constructor stores and checks, nothing more: until the run opens, a host may change
    `workdir`, `cwd`, `config` and the mounts. A backend is complete with `submit_job`, `kill_job`
    and `job_is_running`; every bulk form has a default made of these, and counts only where no
    subclass overrides the single form below it.

    - `workdir`: the run's folder, or a bucket's (`gs://...`).
    - `forks`: how many jobs may run at once, at least 1.
    - `error_strategy`: after a failure "ignore" goes on, "retry" tries the job again, "halt" starts
      nothing more, kills what runs and raises RunHalted.
    - `halt`: "now" kills what runs where a failure stops the run, "soon" lets it end by itself.
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
    - `mirror`: where jobs find the run's folder that is in a bucket, on a disk that they share with
      this process; by default in `~/.cache/sched/buckets`.
    - `mode`: permissions of records, 0o600 unless widened.
    - `lost_after`: how long an ended job's record may be late, in seconds, at least 120.

    Raises OptionError for an option that it does not know, naming the nearest.
    """

    _session: Session | None = None

    @property
    def session(self) -> Session:
        """What is known of the run; without a Runner, one that only lives in memory."""
        if self._session is None:
            from ..lifecycle.session import Session

            self._session = Session.detached(self)
        return self._session

    async def aclose(self) -> None:
        """Close a scheduler that was used without a Runner. Jobs that still run go on."""
        if self._session is not None and self._session.by_hand is not None:
            await self._session.by_hand.close()

    async def _opened_by_hand(self) -> ByHand | None:
        """Return what makes a scheduler go that no runner drives, opened; None where one does."""
        by_hand = self.session.by_hand
        if by_hand is not None:
            await by_hand.open()
        return by_hand

    async def create_job(
        self, index: int, cmd: str | Iterable[object], envs: Mapping[str, object] | None = None
    ) -> Job:
        """Create a job and its folder. Raises CommandError; OptionError for an index below 0."""
        job = self.new_job(index, cmd, envs)
        session = self.session
        await session.added(job)
        await session.ports.offload(session.ports.files.make_folder, str(job.metadir))
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

    def preview(
        self,
        jobs: Sequence[Job],
        *,
        plugins: Iterable[object] | None = None,
        run: RunFile | None = None,
    ) -> Preview:
        """Return what the first submission of these jobs would be, without doing any of it.

        `jobs` were made by `new_job` and not fed. Nothing is written, and neither the engine nor a
        bucket is asked: limits of a site are not known. `plugins` are those of the Runner; `run` is
        that in the folder, where there is one. Raises OptionError for what a run would refuse.
        """
        from ..runner.preview import preview_jobs

        return preview_jobs(self, jobs, plugins, run)

    async def wrapped_job_script(self, job: Job) -> SpecPath:
        """Write the wrapper script of the job's present attempt and return its path."""
        from ..lifecycle.files import write_script

        session = self.session
        text = self.wrap_job_script(job)
        if session.by_hand is not None:
            await session.ports.offload(session.make_folders)
        await session.journal.store_secrets()
        await session.ports.offload(
            write_script, session.ports.files, self.script_path(job), os.fsencode(text)
        )
        if session.mirror is not None:
            await session.mirror.publish(job)
        return job.metadir / f"job.wrapped.{self.name}"

    async def submit_job_and_update_status(self, job: Job) -> None:
        """Submit the job unless it is submitted or running already, and move it accordingly."""
        by_hand = await self._opened_by_hand()
        if not await self.job_is_submitted_or_running(job):
            await self.session.submitter.submit([job])
        if by_hand is not None:
            await by_hand.raise_what_stopped()

    async def retry_job(self, job: Job) -> None:
        """Keep the files of the failed attempt and put the job into the queue again."""
        await self.session.retries.retry(job)

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
        await self._kill([job])

    async def count_running_jobs(self, jobs: Iterable[Job]) -> int:
        """Count the jobs that are submitted, running or being killed; asks nobody."""
        return sum(job.status.active for job in jobs)

    async def check_all_done(self, jobs: Iterable[Job], polling_counter: int) -> bool:
        """Find out what became of the jobs, fire their hooks, and tell whether all have ended."""
        jobs = list(jobs)
        by_hand = await self._opened_by_hand()
        if by_hand is not None:
            await by_hand.go_round()
        await self.session.reconciler.reconcile([job for job in jobs if job.status.active])
        await self.session.reconciler.poll_hooks(jobs, polling_counter)
        if by_hand is not None:
            await by_hand.raise_what_stopped()  # which only that look may have seen
        return all(job.status.final for job in jobs)

    async def kill_running_jobs(self, jobs: Iterable[Job]) -> None:
        """Kill those of the jobs that are submitted or running."""
        await self._kill([job for job in jobs if job.status.active])

    async def _kill(self, jobs: list[Job]) -> None:
        by_hand = await self._opened_by_hand()
        await self.session.killer.kill(jobs)
        if by_hand is not None:
            await by_hand.settle(jobs)

    async def job_is_submitted_or_running(self, job: Job) -> bool:
        """Tell whether the engine has the job's present attempt."""
        return job.status.active and await self.job_is_running(job)

    async def job_fails_before_running(self, job: Job) -> bool:
        """Tell whether the job, though submitted, has ended without ever having started."""
        await self._opened_by_hand()
        await self.session.reconciler.reconcile([job])
        return job.status is JobStatus.FAILED and job.started is None
