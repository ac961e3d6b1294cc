"""The scheduler of Grid Engine."""

from __future__ import annotations

import os
import pwd
import re
import shlex
from collections.abc import (
    AsyncIterator,
    Collection,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from functools import cache
from importlib.resources import files
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
    SubmitOutcomeUnknown,
    SubmitRejected,
    attempt_id,
)

from . import sge_commands as commands
from .accounted import Told
from .chunks import Tasks
from .cluster import ClusterScheduler
from .environment import environment_file, environment_name
from .names import sge_name
from .places import JobIds, Place, array_of, by_array, places_of
from .sge_directives import (
    QSUB_OPTIONS,
    RESERVED,
    has_soft_limit,
    leave_out,
    qsub_options,
    requests,
)
from .sge_errors import BUSY, is_misplaced, judge_submission, said
from .sge_parsers import (
    Config,
    Record,
    Row,
    Why,
    parse_config,
    parse_qacct,
    parse_qstat,
    parse_qsub,
    parse_reasons,
)
from .sge_states import state_of
from .sge_tools import find_tools
from .sge_words import explain_row, is_final, judge_record, reason_of
from .tool import GRID_ENGINE_JOB, Answer, clean_environment

__all__ = ["SgeScheduler"]

_LOOKS = 20
"""Jobs or arrays at most about which the accounting is asked in one round: each is a question."""
_MOST_ARRAYS = 50
"""Arrays at most about whose memory the accounting is asked: each is a question."""
_SPARE = 5.0
"""Seconds that the accounting may be later than its own flush time."""
_FORM = {"TZ": "UTC0", "LC_ALL": "C", "SGE_SINGLE_LINE": "1"}
"""Times in universal time, settings in one line."""
_OF_EACH_JOB = GRID_ENGINE_JOB | {"HOSTNAME", "TMP", "TMPDIR", "SGE_ROOT", "SGE_CELL", "SGE_ARCH"}
"""What Grid Engine sets for each job."""
_ONE_HOST = "$pe_slots"
_ENVIRONMENTS = ("smp", "shm", "threads", "thread", "threaded", "openmp", "make")


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
        self._named = dict(self.tools)
        self._where: dict[str, str] = {}
        self._found = False
        self._carried = ""
        self._config: Config | None = None
        self._parallel: str | None = _ENVIRONMENTS[0]  # until the site has been asked
        self._missing: dict[AttemptId, float] = {}
        self._known_by: dict[AttemptId, int | None] = {}
        return taken

    # --- opening ---------------------------------------------------------------------------------

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Find the tools and how the site has set Grid Engine up. Raises OptionError."""
        await self._find_tools()
        self.find_tools("qsub", "qstat", "qdel", "qconf")
        self._missing.clear()
        self._known_by.clear()
        self._parallel = None
        try:
            await self._configuration()
            self._parallel = await self._environment_of_one_host()
        except EngineUnavailable as error:
            if is_misplaced(error.stderr or ""):
                raise OptionError(
                    f"{error}: read the settings.sh of your cell first, which sets SGE_ROOT"
                ) from error
            self.session.warn(f"Grid Engine cannot be asked now: {error}")
        yield

    def endpoint(self) -> str:
        """Return where Grid Engine's tools find their qmaster."""
        where = {**os.environ, **self._where}
        place = [where.get(name, "") for name in ("SGE_ROOT", "SGE_CELL", "SGE_QMASTER_PORT")]
        return f"sge {' '.join(place)}"

    async def _find_tools(self) -> None:
        if not self._found:
            found = await find_tools(self._named, self.toolbox.run)
            self.tools.update(found.programs)
            self._where = dict(found.environment)
            self._found = True

    async def _configuration(self) -> Config:
        if self._config is None:
            answer = await self._ask(commands.show_config(self.tools["qconf"]))
            try:
                self._config = parse_config(answer.stdout)
            except ValueError as error:
                raise EngineUnavailable(str(error), command=answer.command) from error
            self.set_largest_array(self._config.largest_array or self.usual_array)
        return self._config

    async def _qmaster(self) -> int | None:
        """Return when the qmaster was started: it says so in a file that all tools read."""
        where = {**os.environ, **self._where}
        cell = where.get("SGE_CELL") or "default"
        path = os.path.join(where.get("SGE_ROOT", ""), cell, "common", "act_qmaster")
        return await self.session.ports.offload(_changed, path)

    async def _environment_of_one_host(self) -> str | None:
        """Return a parallel environment whose slots are on one host, the usual names first."""
        try:
            answer = await self._ask(commands.show_environments(self.tools["qconf"]))
        except EngineUnavailable:
            return None  # with rc 1 where there is none
        names = answer.stdout.split()
        usual = [name for name in _ENVIRONMENTS if name in names]
        for name in [*usual, *(n for n in names if n not in usual)][:8]:
            told = await self._ask(commands.show_environment(self.tools["qconf"], name))
            if _ONE_HOST in told.stdout.split():
                return name
        return None

    # --- the text of jobs ------------------------------------------------------------------------

    def prelude(self) -> str:
        """Return what a task does on Grid Engine alone."""
        wants = "1" if has_soft_limit(self.directives) else "''"
        carried = self._carried
        if not carried and (content := self._inherited()) is not None:
            carried = environment_name(content)  # of what is only shown, nothing was written
        carried = shlex.quote(carried)
        return f"_sched_wants_usr1={wants} _sched_environment={carried}\n{_task_text()}"

    async def _carry_environment(self) -> None:
        """Put the driver's environment where tasks read it, unless the user has said what goes along."""
        content = self._inherited()
        if content is None:
            return
        session, name = self.session, environment_name(content)
        if name != self._carried:
            path = f"{session.layout.home}/{name}"
            await session.ports.offload(session.ports.files.write, path, content)
            self._carried = name

    def _inherited(self) -> bytes | None:
        """Return what tasks are to read, None where the user has said what goes along."""
        if "V" in self.directives:
            return None
        return environment_file(clean_environment(self.inherited()), _OF_EACH_JOB)

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

    def ids_of_tasks(self, array: str, submission: Submission) -> dict[AttemptId, str]:
        """Return what Grid Engine calls the tasks of a submission that it calls `array`."""
        if len(submission.tasks) <= submission.chunk:
            return dict.fromkeys(submission.tasks, array)
        numbered = enumerate(submission.tasks)
        return {attempt: f"{array}.{n // submission.chunk + 1}" for n, attempt in numbered}

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
        parts = super().preview_submission(jobs, submission)
        if (carried := self._inherited()) is not None:
            count = carried.count(b"\0")
            where = f"{self.session.layout.home}/{environment_name(carried)}"
            text = f"{count} variables, in a file of mode {self.mode:04o}: {where}"
            parts.append(PreviewPart("environment", text))
        if "pe" not in self.directives and "-pe" in self.submit_options(jobs[0]):
            text = f"{self._parallel} stands for the site's: it is asked when a run begins"
            parts.append(PreviewPart("parallel environment", text))
        return parts

    async def submit_tasks(
        self, tasks: Tasks, name: str, options: Sequence[str], limit: int | None
    ) -> str:
        """Submit an array, or a single job where `limit` is None, and return its id."""
        await self._configuration()
        await self._carry_environment()
        if len(tasks) > self.largest_array:
            raise EngineUnavailable("arrays must be smaller than thought", retry_after=0.1)
        argv = self.submit_command(tasks, name, options, limit)
        qmaster = await self._qmaster()
        answer = await self._qsub(argv, self.task_script(tasks, name))
        try:
            submitted = parse_qsub(answer.stdout)
        except ValueError as error:
            raise answer.error(SubmitOutcomeUnknown, str(error)) from error
        present = [attempt for task in tasks for attempt in task if attempt is not None]
        self._known_by |= dict.fromkeys(present, qmaster)
        return submitted

    async def _qsub(self, argv: Sequence[str], script: bytes) -> Answer:
        try:
            answer = await self.call_engine(argv, script, self._where, patient=True)
        except TimeoutError as error:
            raise SubmitOutcomeUnknown("qsub did not return", command=argv) from error
        if answer.returncode == 0:
            return answer
        words = said(answer.stderr or answer.stdout)
        verdict = judge_submission(answer.stderr)
        if answer.returncode < 0 or verdict == "unknown":
            raise answer.error(SubmitOutcomeUnknown, words)
        if verdict == "unavailable" or await self._arrays_are_smaller(words):
            raise answer.error(EngineUnavailable, words)
        raise answer.error(SubmitRejected, words)

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
        wanted = requests(self.place_options(options, bad))
        argv = commands.set_requests(self.tools["qalter"], array, wanted)
        await self._change(argv, patient=True)

    # --- asking ----------------------------------------------------------------------------------

    async def query_tasks(self, jobs: Sequence[Job]) -> Mapping[AttemptId, Observation]:
        """Ask qstat once for all; about what it does not know any more, the accounting as well."""
        qmaster = await self._qmaster()
        seen = await self._match(jobs, await self._queue())
        self._note_known(seen, qmaster)
        missing = [job for job in jobs if attempt_id(job) not in seen and job.jid is not None]
        again = [job for job in missing if attempt_id(job) in self._missing]
        # Taken for jobs that it names, those that ran would make it believed about those that wait.
        is_blank = not seen and len(missing) > 1
        now = self.session.ports.monotonic()
        self._missing = {
            attempt_id(job): self._missing.get(attempt_id(job), now) for job in missing
        }
        if again:
            seen |= await self._look_back(again, is_blank)
            seen |= self._forgotten((job for job in again if attempt_id(job) not in seen), qmaster)
        return seen

    def _note_known(self, seen: Collection[AttemptId], qmaster: int | None) -> None:
        active = self.session.active
        current = {AttemptId(index, entry.attempt) for index, entry in active.items()}
        kept = {key: by for key, by in self._known_by.items() if key in current}
        self._known_by = kept | dict.fromkeys(seen, qmaster)

    def _forgotten(self, jobs: Iterable[Job], qmaster: int | None) -> dict[AttemptId, Observation]:
        """Find what a qmaster that was started since had not saved; it keeps no record of what is
        deleted before it starts, so that only its own end tells one from the other.
        """
        reason = "Grid Engine's qmaster was started again and does not know it"
        lost = Observation(EngineState.FORGOTTEN, reason=reason)
        keys = [attempt_id(job) for job in jobs if job.started is None]
        return {
            key: lost for key in keys if self._known_by.get(key, qmaster) not in (None, qmaster)
        }

    async def job_is_running(self, job: Job) -> bool:
        """Tell whether Grid Engine has the job, waiting or running."""
        return bool(self._present([job], await self._queue()))

    async def _queue(self) -> list[Row]:
        await self._find_tools()
        answer = await self._ask(commands.qstat(self.tools["qstat"], _user()))
        try:
            return parse_qstat(answer.stdout)
        except ValueError as error:
            raise EngineUnavailable(str(error), command=answer.command) from error

    async def _match(
        self, jobs: Iterable[Job], rows: Iterable[Row]
    ) -> dict[AttemptId, Observation]:
        """Find the jobs in what qstat has told; ids alone are not trusted, they may be used again."""
        of_task = {key: row for row in rows for key in places_of(row)}
        seen: dict[AttemptId, Observation] = {}
        stuck: list[tuple[Job, Row]] = []
        for job in jobs:
            row = of_task.get(array_of(job.jid)) if job.jid is not None else None
            if row is None:
                continue
            name = self.submission_name(job)
            if name is not None and sge_name(name) != row.name:
                reason = "Grid Engine has forgotten it: its id belongs to another job"
                seen[attempt_id(job)] = Observation(EngineState.FORGOTTEN, reason=reason)
            elif state_of(row.state).state is EngineState.FAILED:
                stuck.append((job, row))
            else:
                seen[attempt_id(job)] = _observation(job, row)
        if stuck:
            seen |= await self._withdraw(stuck)
        return seen

    async def _withdraw(self, stuck: Sequence[tuple[Job, Row]]) -> dict[AttemptId, Observation]:
        """Take what is in an error state, and would stay there, out of the queue; tell why it was."""
        why = await self._reasons({row.id for _, row in stuck})
        await self._delete(by_array(array_of(job.jid) for job, _ in stuck if job.jid))
        return {
            attempt_id(job): _observation(
                job, row, reason_of(row, why.get(row.id), array_of(str(job.jid))[1])
            )
            for job, row in stuck
        }

    async def _reasons(self, ids: Collection[str]) -> dict[str, Why]:
        if not ids:
            return {}
        argv = commands.qstat_reasons(self.tools["qstat"], sorted(ids))
        try:
            answer = await self._ask(argv)
        except EngineUnavailable as error:
            if "do not exist" in (error.stderr or "") + str(error):
                return {}
            raise
        return parse_reasons(answer.stdout)

    async def _look_back(self, jobs: Sequence[Job], is_blank: bool) -> dict[AttemptId, Observation]:
        """Ask the accounting about jobs that the queue does not know, which may have named none at all."""
        config = await self._configuration()
        if not config.accounting:
            return {}
        wanted = {array_of(str(job.jid))[0]: None for job in jobs}
        records: list[Record] = []
        for id_ in [*wanted][:_LOOKS]:
            records += await self._accounting(id_)
        last = {(r.id, r.task): r for r in records if is_final(r)}
        seen: dict[AttemptId, Observation] = {}
        for job in jobs:
            key, name = array_of(str(job.jid)), self.submission_name(job)
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
        now = self.session.ports.monotonic()
        return now - self._missing.get(attempt_id(job), now) < config.flush_time + _SPARE

    async def _accounting(self, job: str) -> list[Record]:
        try:
            return await self._records(job)
        except EngineUnavailable as error:
            self.session.warn(f"Grid Engine's accounting cannot be asked: {error}")
            return []

    async def _records(self, job: str) -> list[Record]:
        """Return what the accounting tells of a job's id, or name; nothing of one that it does not know."""
        try:
            answer = await self._ask(commands.qacct(self.tools["qacct"], job))
        except EngineUnavailable as error:
            if "not found" in str(error):
                return []
            raise
        return list(parse_qacct(answer.stdout))

    async def query_memory(
        self, arrays: Sequence[str], since: float
    ) -> Mapping[Place, Told] | None:
        """Ask qacct about each, unless they are many: it reads a file from its beginning each time."""
        config = self._config
        if config is None or not config.accounting or len(arrays) > _MOST_ARRAYS:
            return None
        told: dict[Place, Told] = {}
        for id_ in arrays:
            told |= {(r.id, r.task): r for r in await self._records(id_) if is_final(r)}
        return told

    async def find_submissions(
        self, submissions: Sequence[Submission]
    ) -> Mapping[str, Mapping[AttemptId, str]]:
        """Look submissions up by their names, in the queue and in the accounting."""
        wanted = {sge_name(submission.name): submission for submission in submissions}
        ids = {row.name: row.id for row in await self._queue()}
        for name in [name for name in wanted if name not in ids][:_LOOKS]:
            for record in await self._accounting(name):
                ids[name] = record.id
        return {
            submission.sid: self.ids_of_tasks(ids[name], submission)
            for name, submission in wanted.items()
            if name in ids
        }

    async def _ask(self, argv: Sequence[str]) -> Answer:
        """Run a tool that changes nothing. Raises EngineUnavailable for anything but an answer."""
        answer = await self.run_tool(argv, {**self._where, **_FORM})
        if answer.returncode != 0:
            raise answer.error(EngineUnavailable, said(answer.stderr or answer.stdout))
        return answer

    # --- killing and limits ----------------------------------------------------------------------

    async def kill_tasks(self, jobs: Sequence[Job]) -> None:
        """Have Grid Engine end these tasks, with few calls; asked first: no other job is hit."""
        await self._delete(by_array(self._present(jobs, await self._queue())))

    def _present(self, jobs: Iterable[Job], rows: Iterable[Row]) -> list[Place]:
        """Return where those of the jobs are that Grid Engine has, by their submissions' names."""
        ids = {(row.name, task): row.id for row in rows for _, task in places_of(row)}
        found: list[Place] = []
        for job in jobs:
            name, task = self.submission_name(job), self.number_in_array(job)
            id_ = ids.get((sge_name(name), task)) if name else None
            if id_ is not None:
                found.append((id_, task))
        return found

    async def _delete(self, ids: JobIds) -> None:
        for words in commands.delete_ids(ids):
            await self._change(commands.qdel(self.tools["qdel"], words))

    async def set_limit(self, array: str, limit: int) -> None:
        """Change how many tasks of an array run at once; one that has ended needs no limit."""
        argv = commands.set_limit(self.tools["qalter"], array, limit)
        await self._change(argv, patient=True)

    async def _change(self, argv: Sequence[str], *, patient: bool = False) -> None:
        """Run a tool that changes jobs; of those that have ended it complains, and does the rest."""
        answer = await self.run_tool(argv, self._where, patient=patient)
        if answer.returncode < 0 or judge_submission(answer.stderr) != "rejected":
            raise answer.error(EngineUnavailable, said(answer.stderr))

    # --- for people ------------------------------------------------------------------------------

    async def explain(self, job: Job) -> str:
        """Return what Grid Engine says about the job: its state, and why it waits or has failed."""
        if job.jid is None:
            return job.reason or "Grid Engine does not have it yet"
        key = array_of(job.jid)
        row = next((row for row in await self._queue() if key in places_of(row)), None)
        if row is not None:
            why = (await self._reasons([row.id])).get(row.id)
            return explain_row(job.jid, row, why, key[1])
        records = [r for r in await self._accounting(key[0]) if (r.id, r.task) == key]
        if records:
            return f"Grid Engine job {job.jid}: {judge_record(records[-1], job.jid, 0).reason}"
        return f"Grid Engine does not know {job.jid}"

    async def doctor(self) -> Sequence[tuple[str, bool | None, str]]:
        """Check the tools, the qmaster, the accounting, the limits and the queues."""
        from .sge_doctor import check_sge

        await self._find_tools()
        where = {**os.environ, **self._where}
        found = await check_sge(self._named, self.tools, where, self._ask)
        return [*found, *await self.session.budget_findings()]


@cache
def _task_text() -> str:
    return files(__package__).joinpath("sge_task.bash").read_text(encoding="utf-8")


def _changed(path: str) -> int | None:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return None


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _observation(job: Job, row: Row, reason: str = "") -> Observation:
    meaning = state_of(row.state)
    # It tells that it was started again, not how often: the job's own claim does.
    restart = max(job.restart, 1) if meaning.restarted else job.restart
    return Observation(
        meaning.state,
        failure=meaning.failure,
        reason=reason or f"Grid Engine: {row.state}",
        jid=job.jid,
        host=row.host or None,
        restart=restart,
        started=row.started,
    )
