"""The scheduler of Slurm."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from math import ceil
from typing import Any, ClassVar

from sched_core import (
    AttemptId,
    EngineState,
    EngineUnavailable,
    Job,
    Observation,
    Submission,
    SubmitRejected,
    attempt_id,
)

from ..cluster.accounted import Told
from ..cluster.chunks import Tasks
from ..cluster.places import Place, array_of, by_array, places_of
from ..cluster.scheduler import ClusterScheduler
from . import commands
from .client import ASKED_AT_ONCE, LOOK_BACK, SlurmClient, check_place
from .directives import RESERVED, SBATCH_OPTIONS, excluded, leave_out, sbatch_options
from .errors import BUSY, is_misconfigured
from .judging import has_ended, observation_of
from .lookup import ids_by_cluster, rows_by_submission, rows_of_jobs
from .names import slurm_name
from .parsers import Config, Row
from .states import state_of
from .words import explain_row, is_held

__all__ = ["SlurmScheduler"]

_MARGIN = 60
_INVALID_ARRAY = "Invalid job array specification"


class SlurmScheduler(ClusterScheduler):
    """Runs jobs on Slurm.

    Options are those of Scheduler, and:

    - every long option of sbatch, with underscores (`partition="main"`, `mem="4G"`, `exclusive=True`,
      `mail_type=["END", "FAIL"]`); they win over `resources`.
    - `host_failures`: a node on which so many jobs in a row cannot even be started gets no more of them,
      as long as others do well.
    - `clusters`: the clusters among which sbatch chooses.
    - `engine_rate`: how often Slurm's programs are run at most by all drivers of the user on this
      machine together: calls a second, "30/min", or "10/s:50" (50 of them at once).
    - `sbatch`, `squeue`, `scancel`, `scontrol`, `sacct`: where these programs lie, if not in PATH.

    Jobs whose options are equal are submitted as one job array, as large as the site allows. Slurm's
    KillWait stands in the place of `grace` where Slurm itself ends a job.
    """

    name: ClassVar[str] = "slurm"
    programs: ClassVar[tuple[str, ...]] = ("sbatch", "squeue", "scancel", "scontrol", "sacct")
    legal_directives: ClassVar[Mapping[str, str]] = SBATCH_OPTIONS
    reserved_directives: ClassVar[Mapping[str, str]] = RESERVED
    task_number: ClassVar[str] = "SLURM_ARRAY_TASK_ID"
    # Since 22.05 a step of the job gets one core unless this says otherwise.
    task_prelude: ClassVar[str] = (
        "[[ ! ${SLURM_CPUS_PER_TASK-} ]] || export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK\n"
    )
    wrapper_jid: ClassVar[str] = (
        "${SLURM_ARRAY_JOB_ID-${SLURM_JOB_ID-}}${SLURM_ARRAY_TASK_ID+_$SLURM_ARRAY_TASK_ID}"
    )
    wrapper_host: ClassVar[str] = "${SLURMD_NODENAME-}"
    ends_jobs: ClassVar[bool] = True
    wrapper_restart: ClassVar[str] = "${SLURM_RESTART_COUNT:-0}"
    busy_words: ClassVar[re.Pattern[str]] = BUSY

    def take_native_options(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return the engine's own options, and where its tools lie. Raises OptionError."""
        taken = super().take_native_options(options)
        self._slurm = SlurmClient(self)
        self._config: Config | None = None
        self._missing: set[AttemptId] = set()
        self._booted: dict[str, str] = {}
        return taken

    # --- opening ---------------------------------------------------------------------------------

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Find the tools and how the site has set Slurm up.

        Raises EngineUnavailable where they, or Slurm's own configuration, are not there.
        """
        self.find_tools("sbatch", "squeue", "scancel", "scontrol")
        check_place()
        self._config = None
        self._missing.clear()
        self._booted.clear()
        try:
            await self._configuration()
        except EngineUnavailable as error:
            if is_misconfigured(error.stderr or ""):
                raise EngineUnavailable(
                    f"{error}; have SLURM_CONF name the cluster's slurm.conf, or go to a machine of it",
                    command=error.command,
                    returncode=error.returncode,
                    stderr=error.stderr,
                ) from error
            self.session.warn(f"Slurm cannot be asked now: {error}")
        yield

    def endpoint(self) -> str:
        """Return where Slurm's tools find their controller."""
        place = [os.environ.get(name, "") for name in ("SLURM_CONF", "SLURM_CONF_SERVER")]
        clusters = self._slurm.clusters or os.environ.get("SLURM_CLUSTERS", "")
        return f"slurm {' '.join(place)} {clusters}"

    async def _configuration(self, *, fresh: bool = False) -> Config:
        if self._config is None or fresh:
            self._config = await self._slurm.config()
            self.set_largest_array(self._config.max_array_size)
        return self._config

    # --- submitting ------------------------------------------------------------------------------

    def submit_options(self, job: Job) -> tuple[str, ...]:
        """Return the options of sbatch for the job."""
        native = {name: value for name, value in self.directives.items() if name != "clusters"}
        return sbatch_options(native, self.job_resources(job), self.task_time(job), self.grace)

    def submit_command(
        self, tasks: Tasks, name: str, options: Sequence[str], limit: int | None
    ) -> list[str]:
        """Return sbatch with its options."""
        return commands.sbatch(
            self.tools["sbatch"],
            slurm_name(name),
            self.session.directory,
            options,
            None if limit is None else len(tasks),
            limit,
            self._slurm.clusters,
        )

    async def submit_tasks(
        self, tasks: Tasks, name: str, options: Sequence[str], limit: int | None
    ) -> str:
        """Submit an array, or a single job where `limit` is None, and return its id."""
        config = await self._configuration()
        if len(tasks) > self.largest_array:
            raise EngineUnavailable("arrays must be smaller than thought", retry_after=0.1)
        argv = self.submit_command(tasks, name, options, limit)
        try:
            submitted = await self._slurm.submit(argv, self.task_script(tasks, name))
        except SubmitRejected as error:
            is_array = limit is not None and _INVALID_ARRAY in str(error)
            if is_array and await self._arrays_are_smaller():
                raise EngineUnavailable("arrays must be smaller now", retry_after=0.1) from error
            raise
        self._booted[submitted.id] = config.booted
        return submitted.id

    async def _arrays_are_smaller(self) -> bool:
        """Tell whether the site has lowered its limit since this driver has asked for it."""
        before = self.largest_array
        await self._configuration(fresh=True)
        return self.largest_array < before

    def place_options(self, options: Sequence[str], bad: Sequence[str]) -> tuple[str, ...]:
        """Return the options of sbatch with bad nodes left out."""
        return leave_out(options, bad)

    async def keep_away(self, array: str, options: Sequence[str], bad: Sequence[str]) -> None:
        """Have the tasks of an array that wait keep away from bad nodes."""
        await self._slurm.set_excluded(array, excluded(self.place_options(options, bad)))

    # --- asking ----------------------------------------------------------------------------------

    async def query_tasks(self, jobs: Sequence[Job]) -> Mapping[AttemptId, Observation]:
        """Ask squeue once for all; for what it does not know, next time also for what has ended."""
        known = {attempt_id(job) for job in jobs}
        seen = self._match(jobs, await self._queue(ended=bool(self._missing & known)))
        missing = [job for job in jobs if attempt_id(job) not in seen]
        asked_twice = [job for job in missing if attempt_id(job) in self._missing]
        if asked_twice:
            seen |= await self._look_back(asked_twice)
        # What has ended stays in question until its record is there.
        ended = {key for key, found in seen.items() if has_ended(found.state)}
        self._missing = ({attempt_id(job) for job in missing} - seen.keys()) | ended
        return seen

    async def job_is_running(self, job: Job) -> bool:
        """Tell whether Slurm has the job, waiting or running."""
        seen = self._match([job], await self._queue(ended=False))
        return attempt_id(job) in seen

    async def _queue(self, *, ended: bool) -> list[Row]:
        rows = await self._slurm.queue(ended=ended)
        for row in rows:
            if row.limit is not None and row.id in self.array_limits:
                self.array_limits.note(row.id, row.limit)  # such as an earlier driver's
        return rows

    def _match(self, jobs: Iterable[Job], rows: Iterable[Row]) -> dict[AttemptId, Observation]:
        """Find the jobs in what Slurm has told."""
        seen = {}
        for job, row in rows_of_jobs(self.named(jobs), rows):
            if row is None:
                reason = "Slurm has forgotten it: its id belongs to another job"
                seen[attempt_id(job)] = Observation(EngineState.FORGOTTEN, reason=reason)
            else:
                seen[attempt_id(job)] = observation_of(row, str(job.jid))
                self._note(row)
        return seen

    def _note(self, row: Row) -> None:
        self._slurm.note_cluster(row.id, row.cluster)
        if not state_of(row.state).known:
            self.session.warn(f"Slurm tells of a state that is not known here: {row.state}")
        if is_held(row.reason) and not self.directives.get("hold"):
            # Slurm itself holds what it could not launch, for ever.
            self.session.warn(f"Slurm holds jobs ({row.reason}): scontrol release lets them go")

    async def _look_back(self, jobs: Sequence[Job]) -> dict[AttemptId, Observation]:
        """Ask the accounting about jobs that the queue does not know, not even as ended."""
        config = await self._configuration(fresh=True)
        seen = await self._look_into_accounting(jobs) if config.accounting else {}
        for job in jobs:
            booted = self._booted.get(array_of(job.jid)[0]) if job.jid else None
            if attempt_id(job) not in seen and booted is not None and booted != config.booted:
                reason = "Slurm's controller was started again and does not know it"
                seen[attempt_id(job)] = Observation(EngineState.FORGOTTEN, reason=reason)
        return seen

    async def _look_into_accounting(self, jobs: Sequence[Job]) -> dict[AttemptId, Observation]:
        asked = [job for job in jobs if job.jid is not None][:ASKED_AT_ONCE]
        ids = by_array(array_of(job.jid) for job in asked if job.jid)
        found = self._match(asked, await self._or_nothing(self._slurm.accounted(ids)))
        # It may be late, but not early: what it says has ended has ended.
        return {key: seen for key, seen in found.items() if has_ended(seen.state)}

    async def _or_nothing(self, question: Awaitable[list[Row]]) -> list[Row]:
        """Return what the accounting answers; nothing, and a warning, where it cannot be asked."""
        try:
            return await question
        except EngineUnavailable as error:
            self.session.warn(f"Slurm's accounting cannot be asked: {error}")
            return []

    async def query_memory(
        self, arrays: Sequence[str], since: float
    ) -> Mapping[Place, Told] | None:
        """Ask sacct once about all of them, where it has gathered what jobs use."""
        config = self._config
        if config is None or not (config.accounting and config.samples_usage):
            return None
        back = max(LOOK_BACK, ceil(self.session.ports.now() - since) + _MARGIN)
        told: dict[Place, Told] = {}
        for first in range(0, len(arrays), ASKED_AT_ONCE):
            ids = dict.fromkeys(arrays[first : first + ASKED_AT_ONCE])
            rows = await self._slurm.accounted(ids, back)
            ended = (row for row in rows if has_ended(state_of(row.state).state))
            told |= {place: row for row in ended for place in places_of(row)}
        return told

    async def find_submissions(
        self, submissions: Sequence[Submission]
    ) -> Mapping[str, Mapping[AttemptId, str]]:
        """Look submissions up by their names, in the queue and in the accounting."""
        found = self._by_name(submissions, await self._queue(ended=True))
        lost = [submission for submission in submissions if submission.sid not in found]
        if lost and (await self._configuration()).accounting:
            names = [slurm_name(submission.name) for submission in lost]
            found |= self._by_name(lost, await self._or_nothing(self._slurm.accounted_as(names)))
        return found

    def _by_name(
        self, submissions: Iterable[Submission], rows: Iterable[Row]
    ) -> dict[str, Mapping[AttemptId, str]]:
        return {
            submission.sid: self.ids_of_tasks(row.id, submission)
            for submission, row in rows_by_submission(submissions, rows)
        }

    # --- killing and limits ----------------------------------------------------------------------

    async def kill_tasks(self, jobs: Sequence[Job]) -> None:
        """Have Slurm end these tasks, by TERM, and KILL after the site's KillWait.

        It is asked first, so that no other job is hit.
        """
        rows = await self._queue(ended=False)
        await self._slurm.cancel(ids_by_cluster(self.numbered(jobs), rows))

    def time_to_end(self) -> float:
        """Return how many seconds a job may take to end that was told to: the site may wait longer."""
        return max(self.grace, self._config.kill_wait if self._config else 0)

    async def set_limit(self, array: str, limit: int) -> None:
        """Change an array's throttle; one that has nothing left to start needs none."""
        await self._slurm.set_limit(array, limit)

    # --- for people ------------------------------------------------------------------------------

    async def explain(self, job: Job) -> str:
        """Return what Slurm says about the job: its state, and why it waits or has failed."""
        if job.jid is None:
            return job.reason or "Slurm does not have it yet"
        place = array_of(job.jid)
        rows = await self._queue(ended=True)
        row = next((row for row in rows if place in places_of(row)), None)
        if row is None:
            told = await self._or_nothing(self._slurm.accounted(by_array([place])))
            row = next(iter(told), None)
        return explain_row(job.jid, row) if row is not None else f"Slurm does not know {job.jid}"

    async def doctor(self) -> Sequence[tuple[str, bool | None, str]]:
        """Check the tools, the controller, the accounting and the partitions."""
        from .doctor import check_slurm

        found = await check_slurm(self.tools, self._slurm.ask, self._slurm.one_cluster)
        return [*found, *await self.session.budget_findings()]
