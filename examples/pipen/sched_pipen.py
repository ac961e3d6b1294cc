"""Runs pipen's pipelines on the schedulers of sched: call `use()` once, and they stay as they are."""

import asyncio
from contextlib import suppress
from typing import Any

import pipen.proc
from pipen.job import Job as PipenJob
from pipen.pluginmgr import plugin
from xqute import JobStatus as PipenStatus
from xqute.path import SpecPath

from sched_core import Failure, Job, RunClosed, RunHalted, Runner, hookimpl
from sched_core.scheduler import XQUTE_ENV_ALIASES
from sched_meta import get_scheduler


class Host:
    """What pipen calls of a scheduler; mixed into each of sched's."""

    async def init_proc(self: Any, proc: Any) -> None:
        self.workdir = str(proc.workdir.absolute())
        proc.workdir = self.seen = SpecPath(str(self.workdir), mounted=str(self.mounted_workdir))
        if not proc.scheduler.fs_shared:
            folder = self.add_mount(str(proc._export_dir.absolute()))
            proc._export_dir = SpecPath(str(folder), mounted=str(folder.mounted))

    async def create_job(self: Any, index: int, cmd: str) -> PipenJob:
        job = PipenJob(index, cmd, self.seen, self.error_strategy == "retry", self.num_retries)
        await job.metadir.a_mkdir(parents=True, exist_ok=True)
        return job


class Bridge:
    """The plugin of sched that calls pipen's plugins about pipen's job."""

    def __init__(self) -> None:
        names = "_queued _submitting _submitted _started _killing _killed cmd_init cmd_prep cmd_end"
        for name in names.split():
            setattr(self, f"on_job{name}", hookimpl(self.asking(f"on_job{name}")))

    def asking(self, hook: str) -> Any:
        def ask(job: Job) -> Any:
            told: PipenJob = job.context
            told.trial_count, told._jid = job.trial_count, job.jid
            told._status = PipenStatus.FINISHED if "succeeded" in hook else int(job.status)
            answer = getattr(plugin.hooks, hook)(told)
            return "\n\n".join(answer or ()) if "jobcmd" in hook else answer

        return ask

    @hookimpl
    async def on_job_verify(self, job: Job) -> str | None:
        await self.asking("on_job_succeeded")(job)  # which looks for the outputs
        failed = job.context._status == PipenStatus.FAILED
        return (await job.stderr_file.read_text()).split("\n")[-1] if failed else None

    @hookimpl
    async def on_job_failed(self, job: Job) -> None:
        if job.failure is not Failure.OUTPUT:
            await self.asking("on_job_failed")(job)
        elif job.will_retry:  # pipen has counted the failure
            job.context.proc.pbar.update_job_retrying()


class Runs:
    """The jobs of one process: takes the place of what pipen calls Xqute."""

    def __init__(self, scheduler: Any, *, scheduler_opts: dict[str, Any], **options: Any) -> None:
        options |= {"env_aliases": XQUTE_ENV_ALIASES, **scheduler_opts}
        self.scheduler = type("Scheduler", (Host, get_scheduler(scheduler.name)), {})(**options)
        self.scheduler.subm_batch = 1  # how many jobs pipen prepares at a time
        self.jobs: list[PipenJob] = []

    async def run_until_complete(self, keep_feeding: bool) -> None:
        opened, self.fed = asyncio.get_running_loop().create_future(), asyncio.Event()
        self.driving = asyncio.create_task(self.drive(opened))
        await asyncio.wait({self.driving, opened}, return_when=asyncio.FIRST_COMPLETED)
        self.runner = opened.result() if opened.done() else self.driving.result()

    async def drive(self, opened: Any) -> None:
        async with Runner(self.scheduler, plugins=[Bridge()], existing="reuse") as runner:
            opened.set_result(runner)
            await self.fed.wait()

    async def feed(self, job: PipenJob, envs: dict[str, Any]) -> None:
        ours = self.scheduler.new_job(job.index, job.cmd, envs)
        ours.context = job
        self.jobs.append(job)
        with suppress(RunClosed, RunHalted):  # one has failed already: this one never starts
            await self.runner.feed(ours)

    async def stop_feeding(self) -> None:
        self.fed.set()
        with suppress(RunHalted):  # pipen sees by the failed job that it has to end
            await self.driving


def use() -> None:
    pipen.proc.Xqute = Runs
