"""The scheduler: what is submitted, how it is killed, how it is known what became of it."""

from __future__ import annotations

import math
import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from sched_core import (
    AttemptId,
    EngineState,
    EngineUnavailable,
    Job,
    Observation,
    OptionError,
    PreviewPart,
    Scheduler,
    Submission,
    SubmitOutcomeUnknown,
    attempt_id,
)

from .answers import read_id, read_list
from .commands import cancel_command, list_command, submit_command
from .doctor import Finding, check_engine
from .tool import run_tool

__all__ = ["TemplateScheduler"]

_PATIENCE = 60.0
"""Seconds after which a tool that has not ended is given up."""


class TemplateScheduler(Scheduler):
    """Runs jobs by a toy engine, until yours is in its place.

    Options are those of Scheduler, and

    - `queue`: the engine's queue, a folder; by default `~/.cache/sched-template`.
    """

    name: ClassVar[str] = "template"
    # By this variable the engine tells a job its id; others have $SLURM_JOB_ID or $PBS_JOBID.
    wrapper_jid: ClassVar[str] = "$TOYQUEUE_JOB_ID"
    # Seconds between two questions for all jobs: at least, and while nothing changes.
    poll_interval: ClassVar[tuple[float, float]] = (1.0, 30.0)

    # --- options ---------------------------------------------------------------------------------

    @classmethod
    def option_names(cls) -> frozenset[str]:
        """Return the name of every option that is taken."""
        return super().option_names() | {"queue"}

    def take_native_options(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return the engine's own options, as they are recorded. Raises OptionError."""
        cache = Path.home() / ".cache"
        queue = options.pop("queue", None) or cache / "sched-template"
        if not isinstance(queue, str | os.PathLike):
            raise OptionError(f"queue {queue!r}: give the folder of the engine's queue")
        super().take_native_options(options)  # which refuses all others
        return {"queue": os.path.abspath(queue)}

    def can_take_over(self, options: Mapping[str, Any]) -> bool:
        """Tell whether an earlier driver's jobs are in the queue that this one asks."""
        return bool(options.get("queue") == self.config["queue"])

    # --- submitting ------------------------------------------------------------------------------

    async def submit_job(self, job: Job) -> str:
        """Hand a job's script to the engine, and return the engine's id."""
        # Here stands sbatch, bsub or condor_submit, or the call of a library that creates a job.
        argv = self._submit_command(job)
        try:
            return read_id(await run_tool(argv, _PATIENCE))
        except (TimeoutError, ValueError) as error:
            # It may have come through all the same: the job's claim tells whether it starts.
            raise SubmitOutcomeUnknown(f"no answer to a submission: {error}") from error

    def preview_submission(self, jobs: Sequence[Job], submission: Submission) -> list[PreviewPart]:
        """Return the command that would be run, and the script of the first job."""
        command = PreviewPart("command", shlex.join(self._submit_command(jobs[0])))
        return [command, *super().preview_submission(jobs, submission)]

    def _submit_command(self, job: Job) -> list[str]:
        cpus = math.ceil(self.job_resources(job).cpus or 1)
        name = f"{self.jobname_prefix}-{job.index}"
        return submit_command(self.config["queue"], name, cpus, self.mounted_script_path(job))

    # --- asking ----------------------------------------------------------------------------------

    async def query_jobs(self, jobs: Sequence[Job]) -> Mapping[AttemptId, Observation]:
        """Ask about all these jobs at once; one that the engine does not know is left out."""
        # Here stands squeue, bjobs or condor_q, or one call of a library that lists many jobs.
        attempts = {str(job.jid): attempt_id(job) for job in jobs if job.jid is not None}
        try:
            printed = await run_tool(list_command(self.config["queue"], attempts), _PATIENCE)
            told = read_list(printed)
        except (TimeoutError, ValueError) as error:
            raise EngineUnavailable(f"no answer about {len(jobs)} jobs: {error}") from error
        return {attempts[jid]: seen for jid, seen in told.items() if jid in attempts}

    async def job_is_running(self, job: Job) -> bool:
        """Tell whether the engine has the job, waiting or running."""
        seen = (await self.query_jobs([job])).get(attempt_id(job))
        return seen is not None and seen.state in (EngineState.WAITING, EngineState.RUNNING)

    # --- killing ---------------------------------------------------------------------------------

    async def kill_jobs(self, jobs: Sequence[Job]) -> None:
        """End all processes of these jobs, by one order."""
        # Here stands scancel, bkill or condor_rm. TERM comes first, and KILL after `grace` seconds.
        ids = [str(job.jid) for job in jobs if job.jid is not None]
        try:
            argv = cancel_command(self.config["queue"], self.grace, ids)
            await run_tool(argv, self.grace + _PATIENCE)
        except TimeoutError as error:
            raise EngineUnavailable(f"no answer to a kill of {len(jobs)} jobs") from error

    async def kill_job(self, job: Job) -> None:
        """End all processes of a job."""
        await self.kill_jobs([job])

    # --- for people ------------------------------------------------------------------------------

    async def explain(self, job: Job) -> str:
        """Return what the engine says about the job."""
        seen = (await self.query_jobs([job])).get(attempt_id(job))
        return f"its state in the queue: {'unknown' if seen is None else seen.state.value}"

    async def doctor(self) -> Sequence[Finding]:
        """Check the tools, and whether the engine answers."""
        return await check_engine(self.config["queue"], _PATIENCE)
