"""The scheduler of Slurm."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from math import ceil
from typing import ClassVar

from sched_core import (
    AttemptId,
    EngineState,
    EngineUnavailable,
    Job,
    Observation,
    Submission,
    SubmitOutcomeUnknown,
    SubmitRejected,
    attempt_id,
)

from . import slurm_commands as commands
from .accounted import Told
from .chunks import Tasks
from .cluster import ClusterScheduler
from .names import slurm_name
from .places import JobIds, Place, array_of, by_array, places_of
from .slurm_directives import RESERVED, SBATCH_OPTIONS, excluded, leave_out, sbatch_options
from .slurm_errors import BUSY, is_misconfigured, judge_submission, said
from .slurm_parsers import Config, Row, parse_config, parse_sacct, parse_sbatch, parse_squeue
from .slurm_states import failure_of, state_of
from .slurm_words import explain_row, is_held
from .tool import Answer

__all__ = ["SlurmScheduler"]

_LOOK_BACK = 2 * 86400
"""Seconds that the accounting is searched for."""
_ASKED_AT_ONCE = 200
"""Jobs, or arrays, about which the accounting is asked in one question."""
_MARGIN = 60
_TIMES = {"SLURM_TIME_FORMAT": "%s", "SLURM_BITSTR_LEN": "0", "LC_ALL": "C"}
"""Times as seconds since 1970, ranges of tasks in full."""
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

    # --- opening ---------------------------------------------------------------------------------

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Find the tools and how the site has set Slurm up.

        Raises EngineUnavailable where they, or Slurm's own configuration, are not there.
        """
        self.find_tools("sbatch", "squeue", "scancel", "scontrol")
        _check_place()
        self._config: Config | None = None
        self._missing: set[AttemptId] = set()
        self._booted: dict[str, str] = {}
        self._cluster_of: dict[str, str] = {}
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
        clusters = self._clusters() or os.environ.get("SLURM_CLUSTERS", "")
        return f"slurm {' '.join(place)} {clusters}"

    async def _configuration(self, *, fresh: bool = False) -> Config:
        if self._config is None or fresh:
            answer = await self._ask(
                commands.show_config(self.tools["scontrol"], self._one_cluster())
            )
            try:
                self._config = parse_config(answer.stdout)
            except ValueError as error:
                raise EngineUnavailable(str(error), command=answer.command) from error
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
            self._clusters(),
        )

    async def submit_tasks(
        self, tasks: Tasks, name: str, options: Sequence[str], limit: int | None
    ) -> str:
        """Submit an array, or a single job where `limit` is None, and return its id."""
        config = await self._configuration()
        if len(tasks) > self.largest_array:
            raise EngineUnavailable("arrays must be smaller than thought", retry_after=0.1)
        argv = self.submit_command(tasks, name, options, limit)
        answer = await self._sbatch(argv, self.task_script(tasks, name))
        try:
            submitted = parse_sbatch(answer.stdout)
        except ValueError as error:
            raise answer.error(SubmitOutcomeUnknown, str(error)) from error
        self._booted[submitted.id] = config.booted
        if submitted.cluster:
            self._cluster_of[submitted.id] = submitted.cluster
        return submitted.id

    async def _sbatch(self, argv: Sequence[str], script: bytes) -> Answer:
        _check_place()
        try:
            answer = await self.call_engine(argv, script, patient=True)
        except TimeoutError as error:
            raise SubmitOutcomeUnknown("sbatch did not return", command=argv) from error
        if answer.returncode == 0:
            return answer
        words = said(answer.stderr)
        if _INVALID_ARRAY in words and await self._arrays_are_smaller(argv):
            raise EngineUnavailable("arrays must be smaller now", retry_after=0.1)
        verdict = judge_submission(answer.stderr)
        if answer.returncode < 0 or verdict == "unknown":
            raise answer.error(SubmitOutcomeUnknown, words)
        if verdict == "unavailable":
            raise answer.error(EngineUnavailable, words)
        raise answer.error(SubmitRejected, words)

    async def _arrays_are_smaller(self, argv: Sequence[str]) -> bool:
        """Tell whether the site has lowered its limit since this driver has asked for it."""
        before = self.largest_array
        await self._configuration(fresh=True)
        return self.largest_array < before and any(word.startswith("--array=") for word in argv)

    def place_options(self, options: Sequence[str], bad: Sequence[str]) -> tuple[str, ...]:
        """Return the options of sbatch with bad nodes left out."""
        return leave_out(options, bad)

    async def keep_away(self, array: str, options: Sequence[str], bad: Sequence[str]) -> None:
        """Have the tasks of an array that wait keep away from bad nodes."""
        nodes = excluded(self.place_options(options, bad))
        place = array, nodes, self._cluster_with(array)
        await self._change(commands.set_excluded(self.tools["scontrol"], *place))

    # --- asking ----------------------------------------------------------------------------------

    async def query_tasks(self, jobs: Sequence[Job]) -> Mapping[AttemptId, Observation]:
        """Ask squeue once for all; for what it does not know, next time also for what has ended."""
        known = {attempt_id(job) for job in jobs}
        rows = await self._queue(ended=bool(self._missing & known))
        seen = self._match(jobs, rows)
        missing = [job for job in jobs if attempt_id(job) not in seen]
        asked_twice = [job for job in missing if attempt_id(job) in self._missing]
        if asked_twice:
            seen |= await self._look_back(asked_twice)
        # What has ended stays in question until its record is there.
        ended = {key for key, found in seen.items() if found.state in _ENDED}
        self._missing = ({attempt_id(job) for job in missing} - seen.keys()) | ended
        return seen

    async def job_is_running(self, job: Job) -> bool:
        """Tell whether Slurm has the job, waiting or running."""
        seen = self._match([job], await self._queue(ended=False))
        return attempt_id(job) in seen

    async def _queue(self, *, ended: bool) -> list[Row]:
        argv = commands.squeue(self.tools["squeue"], os.getuid(), self._clusters(), ended=ended)
        answer = await self._ask(argv)
        rows = list(parse_squeue(answer.stdout))
        for row in rows:
            if row.limit is not None and row.id in self._arrays:
                self.note_limit(row.id, row.limit)
        return rows

    def _match(self, jobs: Iterable[Job], rows: Iterable[Row]) -> dict[AttemptId, Observation]:
        """Find the jobs in what Slurm has told; ids alone are not trusted, they may be used again."""
        # Two clusters may use the same id.
        of_task: dict[tuple[str, int | None], list[Row]] = {}
        for row in rows:
            for key in places_of(row):
                of_task.setdefault(key, []).append(row)
        seen = {}
        for job in jobs:
            found = of_task.get(array_of(job.jid), []) if job.jid is not None else []
            if job.jid is None or not found:
                continue
            name = self.submission_name(job)
            own = [r for r in found if name is None or slurm_name(name) in (r.name, r.comment)]
            if own:
                seen[attempt_id(job)] = _observation(own[-1], job.jid)
                self._note_place(own[-1])
            else:
                reason = "Slurm has forgotten it: its id belongs to another job"
                seen[attempt_id(job)] = Observation(EngineState.FORGOTTEN, reason=reason)
        return seen

    def _note_place(self, row: Row) -> None:
        if row.cluster is not None:
            self._cluster_of[row.id] = row.cluster
        if not state_of(row.state).known:
            self.session.warn(f"Slurm tells of a state that is not known here: {row.state}")
        if is_held(row.reason) and not self.directives.get("hold"):
            # Slurm itself holds what it could not launch, for ever.
            self.session.warn(f"Slurm holds jobs ({row.reason}): scontrol release lets them go")

    async def _look_back(self, jobs: Sequence[Job]) -> dict[AttemptId, Observation]:
        """Ask the accounting about jobs that the queue does not know, not even as ended."""
        config = await self._configuration(fresh=True)
        seen: dict[AttemptId, Observation] = {}
        if config.accounting:
            asked = [job for job in jobs if job.jid is not None][:_ASKED_AT_ONCE]
            argv = commands.sacct_by_id(
                self.tools["sacct"],
                by_array(array_of(job.jid) for job in asked if job.jid),
                _LOOK_BACK,
                self._clusters(),
            )
            found = self._match(asked, await self._accounting(argv))
            # It may be late, but not early: what it says has ended has ended.
            seen = {key: o for key, o in found.items() if o.state in _ENDED}
        for job in jobs:
            booted = self._booted.get(array_of(job.jid)[0]) if job.jid else None
            if attempt_id(job) not in seen and booted is not None and booted != config.booted:
                reason = "Slurm's controller was started again and does not know it"
                seen[attempt_id(job)] = Observation(EngineState.FORGOTTEN, reason=reason)
        return seen

    async def query_memory(
        self, arrays: Sequence[str], since: float
    ) -> Mapping[Place, Told] | None:
        """Ask sacct once about all of them, where it has gathered what jobs use."""
        config = self._config
        if config is None or not (config.accounting and config.samples_usage):
            return None
        back = max(_LOOK_BACK, ceil(self.session.ports.now() - since) + _MARGIN)
        told: dict[Place, Told] = {}
        for first in range(0, len(arrays), _ASKED_AT_ONCE):
            ids = dict.fromkeys(arrays[first : first + _ASKED_AT_ONCE])
            argv = commands.sacct_by_id(self.tools["sacct"], ids, back, self._clusters())
            rows = parse_sacct((await self._ask(argv)).stdout)
            ended = (row for row in rows if state_of(row.state).state in _ENDED)
            told |= {place: row for row in ended for place in places_of(row)}
        return told

    async def _accounting(self, argv: Sequence[str]) -> list[Row]:
        try:
            answer = await self._ask(argv)
        except EngineUnavailable as error:
            self.session.warn(f"Slurm's accounting cannot be asked: {error}")
            return []
        return list(parse_sacct(answer.stdout))

    async def find_submissions(
        self, submissions: Sequence[Submission]
    ) -> Mapping[str, Mapping[AttemptId, str]]:
        """Look submissions up by their names, in the queue and in the accounting."""
        wanted = {slurm_name(submission.name): submission for submission in submissions}
        rows = await self._queue(ended=True)
        found = self._by_name(wanted, rows)
        lost = [name for name, submission in wanted.items() if submission.sid not in found]
        if lost and (await self._configuration()).accounting:
            argv = commands.sacct_by_name(self.tools["sacct"], lost, _LOOK_BACK, self._clusters())
            found |= self._by_name(wanted, await self._accounting(argv))
        return found

    def _by_name(
        self, wanted: Mapping[str, Submission], rows: Iterable[Row]
    ) -> dict[str, Mapping[AttemptId, str]]:
        found: dict[str, Mapping[AttemptId, str]] = {}
        for row in rows:
            submission = wanted.get(row.name) or wanted.get(row.comment)
            if submission is None or submission.sid in found:
                continue
            found[submission.sid] = self.ids_of_tasks(row.id, submission)
        return found

    async def _ask(self, argv: Sequence[str]) -> Answer:
        """Run a tool that changes nothing. Raises EngineUnavailable for anything but an answer."""
        _check_place()
        answer = await self.run_tool(argv, _TIMES)
        if answer.returncode != 0:
            raise answer.error(EngineUnavailable, said(answer.stderr))
        return answer

    # --- killing and limits ----------------------------------------------------------------------

    async def kill_tasks(self, jobs: Sequence[Job]) -> None:
        """Have Slurm end these tasks, by TERM, and KILL after the site's KillWait.

        It is asked first, so that no other job is hit.
        """
        present = self._present(jobs, await self._queue(ended=False))
        for cluster, ids in present.items():
            for words in commands.cancel_ids(ids):
                await self._cancel(commands.scancel(self.tools["scancel"], words, cluster))

    async def _cancel(self, argv: Sequence[str]) -> None:
        answer = await self.run_tool(argv)
        if judge_submission(answer.stderr) != "rejected":
            raise answer.error(EngineUnavailable, said(answer.stderr))

    def _present(self, jobs: Iterable[Job], rows: Iterable[Row]) -> dict[str | None, JobIds]:
        """Return the ids of those of the jobs that Slurm has, by cluster and array."""
        places: dict[str, dict[int | None, Row]] = {}
        for row in rows:
            for _, task in places_of(row):
                for own in {row.name, row.comment}:
                    places.setdefault(own, {})[task] = row
        found: dict[str | None, dict[Place, None]] = {}
        for job in jobs:
            name = self.submission_name(job)
            task = self.number_in_array(job)
            place = places.get(slurm_name(name), {}).get(task) if name else None
            if place is not None:
                found.setdefault(place.cluster, {})[place.id, task] = None
        return {cluster: by_array(ids) for cluster, ids in found.items()}

    def time_to_end(self) -> float:
        """Return how many seconds a job may take to end that was told to: the site may wait longer."""
        return max(self.grace, self._config.kill_wait if self._config else 0)

    async def set_limit(self, array: str, limit: int) -> None:
        """Change an array's throttle; one that has nothing left to start needs none."""
        place = array, limit, self._cluster_with(array)
        await self._change(commands.set_limit(self.tools["scontrol"], *place))

    async def _change(self, argv: Sequence[str]) -> None:
        """Change an array; Slurm complains of tasks that have started or ended, and changes the rest."""
        answer = await self.run_tool(argv, patient=True)
        if answer.returncode != 0 and judge_submission(answer.stderr) != "rejected":
            raise answer.error(EngineUnavailable, said(answer.stderr))

    # --- for people ------------------------------------------------------------------------------

    async def explain(self, job: Job) -> str:
        """Return what Slurm says about the job: its state, and why it waits or has failed."""
        if job.jid is None:
            return job.reason or "Slurm does not have it yet"
        key = array_of(job.jid)
        rows = await self._queue(ended=True)
        row = next((row for row in rows if key in places_of(row)), None)
        if row is None:
            argv = commands.sacct_by_id(
                self.tools["sacct"], by_array([key]), _LOOK_BACK, self._clusters()
            )
            row = next(iter(await self._accounting(argv)), None)
        return explain_row(job.jid, row) if row is not None else f"Slurm does not know {job.jid}"

    async def doctor(self) -> Sequence[tuple[str, bool | None, str]]:
        """Check the tools, the controller, the accounting and the partitions."""
        from .slurm_doctor import check_slurm

        found = await check_slurm(self.tools, self._ask, self._one_cluster())
        return [*found, *await self.session.budget_findings()]

    # --- clusters --------------------------------------------------------------------------------

    def _clusters(self) -> str | None:
        clusters = self.directives.get("clusters")
        if isinstance(clusters, list):
            return ",".join(map(str, clusters))
        return None if clusters is None else str(clusters)

    def _cluster_with(self, array: str) -> str | None:
        return self._cluster_of.get(array) or self._one_cluster()

    def _one_cluster(self) -> str | None:
        clusters = self._clusters()
        return clusters.split(",")[0] if clusters and clusters != "all" else None


_ENDED = (EngineState.SUCCEEDED, EngineState.FAILED)


def _check_place() -> None:
    """Raise EngineUnavailable where SLURM_CONF names nothing: the tools would wait a minute for it."""
    place = os.environ.get("SLURM_CONF")
    if place and not os.path.exists(place):
        raise EngineUnavailable(
            f"SLURM_CONF is {place}, which is not there: correct it or unset it"
        )


def _observation(row: Row, jid: str) -> Observation:
    meaning = state_of(row.state)
    return Observation(
        meaning.state,
        rc=_returned(row) if meaning.state is EngineState.FAILED else None,
        failure=failure_of(row.state, row.code, row.signal, row.reason),
        reason=_reason(row),
        jid=jid,
        host=row.nodes or None,
        restart=row.restarts,
        started=row.started,
        ended=row.ended if meaning.state in _ENDED else None,
        max_rss=row.max_rss if meaning.state in _ENDED else None,
    )


def _returned(row: Row) -> int | None:
    if row.signal:
        return 128 + row.signal
    return row.code or None


def _reason(row: Row) -> str:
    state = row.state.split()[0] if row.state else ""
    words = row.state if row.state.startswith("CANCELLED by") else state
    return f"Slurm: {words}" + (f" ({row.reason})" if row.reason else "")
