"""Runs Snakemake's jobs on the schedulers of sched: `snakemake --executor sched`.

The interface is that of snakemake-interface-executor-plugins 9. Snakemake calls it from threads;
the run is driven by an event loop in a thread of its own, and what Snakemake asks is answered from
memory.
"""

import os
import re
import time
from collections.abc import AsyncGenerator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from anyio.from_thread import start_blocking_portal
from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor
from snakemake_interface_executor_plugins.settings import CommonSettings, ExecutorSettingsBase

from sched_core import Job, JobStatus, Runner, SchedError
from sched_meta import get_scheduler

__all__ = ["Executor", "ExecutorSettings", "common_settings"]

common_settings = CommonSettings(
    non_local_exec=True,
    implies_no_shared_fs=False,
    job_deploy_sources=False,
    auto_deploy_default_storage_provider=False,
    init_seconds_before_status_checks=0,
)

_LOOK_EVERY = 0.2  # seconds; it costs nobody a call


@dataclass
class ExecutorSettings(ExecutorSettingsBase):
    """What the command line of Snakemake takes as --sched-..."""

    scheduler: str = field(
        default="local", metadata={"help": "What runs the jobs: local, slurm, sge, ssh, ..."}
    )
    options: str = field(
        default="", metadata={"help": "The scheduler's options: 'partition=main account=lab'"}
    )
    forks: int = field(default=1000, metadata={"help": "Jobs at a time, besides --jobs"})
    workdir: str = field(
        default="", metadata={"help": "Folder of the run, by default in .snakemake/sched/"}
    )


class Executor(RemoteExecutor):
    """One run of sched, as long as Snakemake lives."""

    def __post_init__(self) -> None:
        """Open the run. Raises WorkflowError for what sched refuses."""
        self.next_seconds_between_status_checks = _LOOK_EVERY
        settings = self.workflow.executor_settings
        with ExitStack() as opened:
            self._portal = opened.enter_context(start_blocking_portal())
            try:
                runner = Runner(_scheduler(settings))
                opened.enter_context(self._portal.wrap_async_context_manager(runner))
            except (SchedError, OSError, TypeError) as error:
                raise WorkflowError(f"sched: {error}") from error
            self._runner = runner
            self._opened = opened.pop_all()

    def run_job(self, job: Any) -> None:
        """Hand a job to the run: a shell line that calls Snakemake once more, as it says."""
        command = ["/bin/bash", "-c", self.format_job_exec(job)]
        feed = partial(self._runner.feed, command, name=job_name(job), resources=wishes(job))
        try:
            fed = self._portal.call(feed)
        except SchedError as error:
            raise WorkflowError(f"sched cannot run {job_name(job)}: {error}") from error
        info = SubmittedJobInfo(job, external_jobid=str(fed.index), aux={"job": fed})
        self.report_job_submission(info)

    async def check_active_jobs(
        self, active_jobs: list[SubmittedJobInfo]
    ) -> AsyncGenerator[SubmittedJobInfo, None]:
        """Report those that have ended, and yield the others."""
        for info in active_jobs:
            job: Job = info.aux["job"]
            if not job.status.final or job.will_retry:
                yield info
            elif job.status is JobStatus.FINISHED:
                self.report_job_success(info)
            else:
                self.report_job_error(info, msg=f"{outcome(job)}. ")

    def cancel_jobs(self, active_jobs: list[SubmittedJobInfo]) -> None:
        """Kill all that runs, with all its processes."""
        self._portal.call(self._runner.cancel)

    def shutdown(self) -> None:
        """Close the run."""
        super().shutdown()
        self._opened.close()


def _scheduler(settings: ExecutorSettings) -> Any:
    pairs = (option.partition("=") for option in settings.options.split())
    options = {name: value for name, _, value in pairs}
    folder = settings.workdir or f".snakemake/sched/{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    folder = str(Path(folder).absolute())
    return get_scheduler(settings.scheduler)(workdir=folder, forks=settings.forks, **options)


def job_name(job: Any) -> str:
    """The rule, or the group of rules, and Snakemake's number."""
    return re.sub(r"[^\w.-]", "_", f"{job.name}.{job.jobid}")


def wishes(job: Any) -> dict[str, Any]:
    """What a rule asks for, in sched's words: threads, mem_mb, runtime (minutes), gpu.

    Not disk_mb, which Snakemake guesses at 50 GB.
    """
    asked = job.resources
    found = {
        "cpus": job.threads,
        "memory": _amount(asked.get("mem_mb"), "MB"),
        "time": _amount(asked.get("runtime"), "m"),
        "gpus": asked.get("gpu"),
    }
    return {name: value for name, value in found.items() if value is not None}


def _amount(number: Any, unit: str) -> str | None:
    return f"{number}{unit}" if isinstance(number, int | float) else None


def outcome(job: Job) -> str:
    """How a job failed, and where its words are."""
    rc = f", rc {job.rc}" if job.rc else ""
    reason = f": {job.reason}" if job.reason else ""
    return f"{job.status.name} {job.failure or ''}{rc}{reason}; see {job.stderr_file}"
