"""The scheduler of Grid Engine."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar

from sched_core import (
    AttemptId,
    EngineState,
    EngineUnavailable,
    Job,
    JobStatus,
    Observation,
    OptionError,
    PreviewPart,
    Submission,
    SubmitRejected,
    attempt_id,
)

from ..cluster.accounted import Told
from ..cluster.chunks import Tasks
from ..cluster.places import Place, array_of, by_array, places_of
from ..cluster.scheduler import ClusterScheduler
from . import commands
from .absence import Absences
from .accounting import Record
from .carrying import CarriedEnvironment
from .cell import Config
from .client import USUAL_ENVIRONMENTS, SgeClient
from .directives import (
    QSUB_OPTIONS,
    RESERVED,
    has_soft_limit,
    leave_out,
    qsub_options,
    requests,
)
from .errors import BUSY, is_misplaced
from .judging import is_final, judge_record, judge_row
from .lookup import places_of_tasks, rows_of_jobs
from .names import sge_name
from .parsers import Row
from .prelude import render_prelude
from .states import state_of
from .words import explain_row, reason_of

__all__ = ["SgeScheduler"]

_LOOKS = 20
"""Jobs or arrays at most about which the accounting is asked in one round: each is a question."""
_MOST_ARRAYS = 50
"""Arrays at most about whose memory the accounting is asked: each is a question."""
_SPARE = 5.0
"""Seconds that the accounting may be later than its own flush time."""


class SgeScheduler(ClusterScheduler):
    """Runs jobs on Grid Engine.

    Options are those of Scheduler, and:

    - every option of qsub (`q="all.q"`, `l="h_vmem=4G,gpu=1"`, `P="project"`, `r=True`, `m="ea"`); they win
      over `resources`. `pe="smp"` takes its number of slots from `resources`, `pe="smp 4"` says it.
    - `chunk`: how many jobs with equal options share one task, one after the other.
    - `engine_rate`: how often these programs are run at most by all drivers of the user on this
      machine together: calls a second, "30/min", or "10/s:50" (50 of them at once).
    - `host_failures`: a host on which so many jobs in a row cannot even be started gets no more of them,
      as long as others do well.
    - `qsub`, `qstat`, `qdel`, `qacct`, `qalter`, `qconf`: where these programs lie, if not in PATH.

    Jobs whose options are equal are submitted as one job array, as large as the site allows. The
    environment goes along in a file that only the user can read (`V=False` keeps it back, `V=True`
    has Grid Engine show it to everybody), an end is announced to the job (`notify`) so that it has
    its `grace`, and what no host could ever run is refused (`w="n"` lets it wait).
    """

    name: ClassVar[str] = "sge"
    programs: ClassVar[tuple[str, ...]] = ("qsub", "qstat", "qdel", "qacct", "qalter", "qconf")
    legal_directives: ClassVar[Mapping[str, str]] = QSUB_OPTIONS
    reserved_directives: ClassVar[Mapping[str, str]] = RESERVED
    task_number: ClassVar[str] = "SGE_TASK_ID-1"
    wrapper_jid: ClassVar[str] = "${JOB_ID-}${SGE_TASK_ID+.$SGE_TASK_ID}"
    wrapper_host: ClassVar[str] = "${HOSTNAME-}"
    ends_jobs: ClassVar[bool] = True
    wrapper_restart: ClassVar[str] = "${SCHED_RESTARTS:-0}"
    busy_words: ClassVar[re.Pattern[str]] = BUSY

    def take_native_options(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return the engine's own options, and where its tools lie. Raises OptionError."""
        taken = super().take_native_options(options)
        self._sge = SgeClient(self)
        self._carried = CarriedEnvironment(self)
        self._config: Config | None = None
        self._parallel: str | None = USUAL_ENVIRONMENTS[0]  # until the site has been asked
        self._absent = Absences()
        return taken

    # --- opening ---------------------------------------------------------------------------------

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Find the tools and how the site has set Grid Engine up. Raises OptionError."""
        await self._sge.find_tools()
        self.find_tools("qsub", "qstat", "qdel", "qconf")
        self._absent.clear()
        self._parallel = None
        try:
            await self._configuration()
            self._parallel = await self._sge.environment_of_one_host()
        except EngineUnavailable as error:
            if is_misplaced(error.stderr or ""):
                raise OptionError(
                    f"{error}: read the settings.sh of your cell first, which sets SGE_ROOT"
                ) from error
            self.session.warn(f"Grid Engine cannot be asked now: {error}")
        yield

    def endpoint(self) -> str:
        """Return where Grid Engine's tools find their qmaster."""
        where = self._sge.environment
        place = [where.get(name, "") for name in ("SGE_ROOT", "SGE_CELL", "SGE_QMASTER_PORT")]
        return f"sge {' '.join(place)}"

    async def _configuration(self) -> Config:
        if self._config is None:
            self._config = await self._sge.config()
            self.set_largest_array(self._config.largest_array or self.usual_array)
        return self._config

    # --- the text of jobs ------------------------------------------------------------------------

    def prelude(self) -> str:
        """Return what a task does on Grid Engine alone."""
        return render_prelude(
            wants_usr1=has_soft_limit(self.directives), environment=self._carried.name
        )

    def submit_options(self, job: Job) -> tuple[str, ...]:
        """Return the options of qsub for the job."""
        return qsub_options(
            self.directives,
            self.job_resources(job),
            self.task_time(job),
            self.grace,
            self._parallel,
        )

    # --- submitting ------------------------------------------------------------------------------

    def task_id(self, array: str, number: int) -> str:
        """Return what Grid Engine calls a task of an array; `number` counts from 0."""
        return f"{array}.{number + 1}"

    def submit_command(
        self, tasks: Tasks, name: str, options: Sequence[str], limit: int | None
    ) -> list[str]:
        """Return qsub with its options."""
        return commands.qsub(
            self.tools["qsub"],
            sge_name(name),
            self.JOBCMD_WRAPPER_LANG,
            options,
            None if limit is None else len(tasks),
            limit,
        )

    def preview_submission(self, jobs: Sequence[Job], submission: Submission) -> list[PreviewPart]:
        """Return the command, what it gets, the first job's script, and how the environment goes along."""
        parts = super().preview_submission(jobs, submission) + self._carried.preview()
        if "pe" not in self.directives and "-pe" in self.submit_options(jobs[0]):
            text = f"{self._parallel} stands for the site's: it is asked when a run begins"
            parts.append(PreviewPart("parallel environment", text))
        return parts

    async def submit_tasks(
        self, tasks: Tasks, name: str, options: Sequence[str], limit: int | None
    ) -> str:
        """Submit an array, or a single job where `limit` is None, and return its id."""
        await self._configuration()
        await self._carried.write()
        if len(tasks) > self.largest_array:
            raise EngineUnavailable("arrays must be smaller than thought", retry_after=0.1)
        argv = self.submit_command(tasks, name, options, limit)
        qmaster = await self._sge.qmaster()
        try:
            submitted = await self._sge.submit(argv, self.task_script(tasks, name))
        except SubmitRejected as error:
            if await self._arrays_are_smaller(str(error)):
                raise EngineUnavailable(
                    str(error),
                    command=error.command,
                    returncode=error.returncode,
                    stderr=error.stderr,
                ) from error
            raise
        present = [attempt for task in tasks for attempt in task if attempt is not None]
        self._absent.known(present, qmaster)
        return submitted

    async def _arrays_are_smaller(self, words: str) -> bool:
        """Tell whether the site has lowered its limit since this driver has asked for it."""
        if "more than" not in words or "tasks" not in words:
            return False
        before, self._config = self.largest_array, None
        await self._configuration()
        return self.largest_array < before

    def place_options(self, options: Sequence[str], bad: Sequence[str]) -> tuple[str, ...]:
        """Return the options of qsub with bad hosts left out."""
        return leave_out(options, bad)

    async def keep_away(self, array: str, options: Sequence[str], bad: Sequence[str]) -> None:
        """Have the tasks of an array that wait keep away from bad hosts."""
        await self._sge.set_requests(array, requests(self.place_options(options, bad)))

    # --- asking ----------------------------------------------------------------------------------

    async def query_tasks(self, jobs: Sequence[Job]) -> Mapping[AttemptId, Observation]:
        """Ask qstat once for all; about what it does not know any more, the accounting as well."""
        qmaster = await self._sge.qmaster()
        seen = await self._match(jobs, await self._sge.queue())
        active = self.session.active
        self._absent.keep({AttemptId(index, entry.attempt) for index, entry in active.items()})
        self._absent.known(seen, qmaster)
        missing = [job for job in jobs if attempt_id(job) not in seen and job.jid is not None]
        again = self._absent.note(missing, self.session.ports.monotonic())
        # Taken for jobs that it names, those that ran would make it believed about those that wait.
        is_blank = not seen and len(missing) > 1
        if again:
            seen |= await self._look_back(again, is_blank)
            unseen = [job for job in again if attempt_id(job) not in seen]
            seen |= self._absent.forgotten(unseen, qmaster)
        return seen

    async def job_is_running(self, job: Job) -> bool:
        """Tell whether Grid Engine has the job, waiting or running."""
        return bool(places_of_tasks(self.numbered([job]), await self._sge.queue()))

    async def _match(
        self, jobs: Iterable[Job], rows: Iterable[Row]
    ) -> dict[AttemptId, Observation]:
        """Find the jobs in what qstat has told."""
        seen: dict[AttemptId, Observation] = {}
        stuck: list[tuple[Job, Row]] = []
        for job, row in rows_of_jobs(self.named(jobs), rows):
            if row is None:
                reason = "Grid Engine has forgotten it: its id belongs to another job"
                seen[attempt_id(job)] = Observation(EngineState.FORGOTTEN, reason=reason)
            elif state_of(row.state).state is EngineState.FAILED:
                stuck.append((job, row))
            else:
                seen[attempt_id(job)] = judge_row(job, row)
        if stuck:
            seen |= await self._withdraw(stuck)
        return seen

    async def _withdraw(self, stuck: Sequence[tuple[Job, Row]]) -> dict[AttemptId, Observation]:
        """Take what is in an error state, and would stay there, out of the queue; tell why it was."""
        why = await self._sge.reasons({row.id for _, row in stuck})
        places = [(job, row, array_of(str(job.jid))) for job, row in stuck]
        await self._sge.delete(by_array(place for _, _, place in places))
        return {
            attempt_id(job): judge_row(job, row, reason_of(row, why.get(row.id), place[1]))
            for job, row, place in places
        }

    async def _look_back(self, jobs: Sequence[Job], is_blank: bool) -> dict[AttemptId, Observation]:
        """Ask the accounting about jobs that the queue does not know, which may have named none at all."""
        config = await self._configuration()
        if not config.accounting:
            return {}
        wanted = {array_of(str(job.jid))[0]: None for job in jobs}
        records: list[Record] = []
        for id_ in [*wanted][:_LOOKS]:
            records += await self._records_or_none(id_)
        last = {(r.id, r.task): r for r in records if is_final(r)}
        seen: dict[AttemptId, Observation] = {}
        for job, name in self.named(jobs):
            key = array_of(str(job.jid))
            record = last.get(key)
            if record is not None and (name is None or sge_name(name) == record.name):
                seen[attempt_id(job)] = judge_record(record, str(job.jid), job.restart)
            elif not is_blank and self._may_be_late(job, config):
                seen[attempt_id(job)] = Observation(EngineState.RUNNING, restart=job.restart)
        return seen

    def _may_be_late(self, job: Job, config: Config) -> bool:
        """Tell whether the record of a job that has run may still come."""
        if job.started is None or job.status is JobStatus.KILLING:
            return False
        absent = self._absent.seconds(job, self.session.ports.monotonic())
        return absent < config.flush_time + _SPARE

    async def _records_or_none(self, job: str) -> list[Record]:
        """Return what the accounting answers; nothing, and a warning, where it cannot be asked."""
        try:
            return await self._sge.records(job)
        except EngineUnavailable as error:
            self.session.warn(f"Grid Engine's accounting cannot be asked: {error}")
            return []

    async def query_memory(
        self, arrays: Sequence[str], since: float
    ) -> Mapping[Place, Told] | None:
        """Ask qacct about each, unless they are many: it reads a file from its beginning each time."""
        config = self._config
        if config is None or not config.accounting or len(arrays) > _MOST_ARRAYS:
            return None
        told: dict[Place, Told] = {}
        for id_ in arrays:
            told |= {(r.id, r.task): r for r in await self._sge.records(id_) if is_final(r)}
        return told

    async def find_submissions(
        self, submissions: Sequence[Submission]
    ) -> Mapping[str, Mapping[AttemptId, str]]:
        """Look submissions up by their names, in the queue and in the accounting."""
        wanted = {sge_name(submission.name): submission for submission in submissions}
        ids = {row.name: row.id for row in await self._sge.queue()}
        for name in [name for name in wanted if name not in ids][:_LOOKS]:
            for record in await self._records_or_none(name):
                ids[name] = record.id
        return {
            submission.sid: self.ids_of_tasks(ids[name], submission)
            for name, submission in wanted.items()
            if name in ids
        }

    # --- killing and limits ----------------------------------------------------------------------

    async def kill_tasks(self, jobs: Sequence[Job]) -> None:
        """Have Grid Engine end these tasks, with few calls; asked first: no other job is hit."""
        await self._sge.delete(
            by_array(places_of_tasks(self.numbered(jobs), await self._sge.queue()))
        )

    async def set_limit(self, array: str, limit: int) -> None:
        """Change how many tasks of an array run at once; one that has ended needs no limit."""
        await self._sge.set_limit(array, limit)

    # --- for people ------------------------------------------------------------------------------

    async def explain(self, job: Job) -> str:
        """Return what Grid Engine says about the job: its state, and why it waits or has failed."""
        if job.jid is None:
            return job.reason or "Grid Engine does not have it yet"
        key = array_of(job.jid)
        row = next((row for row in await self._sge.queue() if key in places_of(row)), None)
        if row is not None:
            why = (await self._sge.reasons([row.id])).get(row.id)
            return explain_row(job.jid, row, why, key[1])
        records = [r for r in await self._records_or_none(key[0]) if (r.id, r.task) == key]
        if records:
            return f"Grid Engine job {job.jid}: {judge_record(records[-1], job.jid, 0).reason}"
        return f"Grid Engine does not know {job.jid}"

    async def doctor(self) -> Sequence[tuple[str, bool | None, str]]:
        """Check the tools, the qmaster, the accounting, the limits and the queues."""
        from .doctor import check_sge

        await self._sge.find_tools()
        found = await check_sge(self._sge.named, self.tools, self._sge.environment, self._sge.ask)
        return [*found, *await self.session.budget_findings()]
