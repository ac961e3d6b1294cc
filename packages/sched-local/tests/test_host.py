"""A host like a pipeline framework: its own jobs and scheduler, its own plugin, its own folders."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

import anyio
import pytest

from sched_core import (
    XQUTE_ENV_ALIASES,
    CommandError,
    Failure,
    Job,
    JobStatus,
    Runner,
    SchedulerPostInit,
    SpecPath,
    hookimpl,
    read_run,
)
from sched_local import LocalScheduler


class HostJob(Job):
    """A job of the host's: with slots, and what the host keeps beside it."""

    __slots__ = ("outdir", "proc")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.proc: Process | None = None
        self.outdir: str | None = None


class HostPostInit(SchedulerPostInit):
    """What the host mixes into all of its schedulers."""

    job_class = HostJob

    async def init_proc(self, proc: Process) -> None:
        scheduler: Any = self
        scheduler.workdir = proc.folder
        scheduler.cwd = proc.cwd
        proc.inputs = scheduler.add_mount(f"{proc.source}:{proc.source}")


class HostScheduler(HostPostInit, LocalScheduler):
    """The host's scheduler for this machine."""

    name = "host-local"
    submitted: ClassVar[list[int]] = []

    async def submit_job(self, job: Job, _mounted: bool = False) -> int:
        self.submitted.append(job.index)
        return await super().submit_job(job, _mounted)

    def jobcmd_prep(self, job: Job) -> str:
        assert isinstance(job, HostJob)
        return f"{super().jobcmd_prep(job)}\nexport HOST_OUTDIR={job.outdir}"


class Process:
    """The host's own unit of work: many jobs of one kind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "work"
        self.cwd = folder / "cwd"
        self.cwd.mkdir(exist_ok=True)
        self.source = folder / "in"
        self.source.mkdir(exist_ok=True)
        self.inputs: SpecPath | None = None

    def job(self, scheduler: HostScheduler, index: int, script: str) -> HostJob:
        """Fill a job in, as a host does once it knows what it is to run."""
        job = scheduler.new_job(index, None)
        assert isinstance(job, HostJob)
        assert job.cmd == []
        job.proc, job.outdir = self, f"out-{index}"
        job.cmd = ["/bin/bash", "-c", script]
        return job


class HostPlugin:
    """What the host does at each step of a job."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int, int, str]] = []
        self.expected = "good"

    async def _read(self, hook: str, job: Job) -> None:
        stdout = await job.stdout_file.read_text()
        self.seen.append((hook, job.index, await job.get_rc(), stdout.strip()))

    @hookimpl
    async def on_job_verify(self, job: Job) -> str | None:
        found = (await job.stdout_file.read_text()).split()
        return None if self.expected in found else "no good output"

    @hookimpl
    async def on_job_succeeded(self, job: Job) -> None:
        await self._read("succeeded", job)

    @hookimpl
    async def on_job_failed(self, job: Job) -> None:
        await self._read("failed", job)
        # A host that knows better: what wrote nothing is not worth another attempt.
        if job.failure is Failure.OUTPUT and not (await job.stdout_file.read_text()).strip():
            job.will_retry = False


@pytest.fixture(autouse=True)
def _forget() -> None:
    HostScheduler.submitted.clear()


async def opened(folder: Path, **options: Any) -> tuple[HostScheduler, Process]:
    scheduler = HostScheduler(folder / "elsewhere", env_aliases=XQUTE_ENV_ALIASES, **options)
    process = Process(folder)
    await scheduler.init_proc(process)
    return scheduler, process


async def test_jobs_are_made_empty_and_out_of_order_and_filled_in(tmp_path: Path) -> None:
    scheduler, process = await opened(tmp_path, forks=2)
    script = (
        'echo good "$HOST_OUTDIR" "$XQUTE_JOB_INDEX" "$XQUTE_METADIR" "$XQUTE_JOB_METADIR"; pwd'
    )
    jobs = [process.job(scheduler, index, script) for index in (9, 3, 5)]
    plugin = HostPlugin()
    async with Runner(scheduler, plugins=[plugin]) as runner:
        for job in jobs:
            assert await runner.feed(job) is job
        await runner.run_until_complete()
    work = str(process.folder)
    for job in jobs:
        assert job.status is JobStatus.FINISHED
        words, where = (await job.stdout_file.read_text()).splitlines()
        index = job.index
        assert words == f"good out-{index} {index} {work} {work}/{index}"
        assert where == str(process.cwd)
    assert sorted(HostScheduler.submitted) == [3, 5, 9]  # one by one, through what it overrides
    assert not (tmp_path / "elsewhere").exists()
    assert sorted(index for _, index, _, _ in plugin.seen) == [3, 5, 9]


async def test_an_empty_job_cannot_be_fed(tmp_path: Path) -> None:
    scheduler, _ = await opened(tmp_path)
    async with Runner(scheduler, plugins=[]) as runner:
        job = scheduler.new_job(0, None)
        with pytest.raises(CommandError, match="no command yet"):
            await runner.feed(job)
        job.cmd = ["/bin/true"]
        await runner.wait(await runner.feed(job))
        assert job.status is JobStatus.FINISHED


async def test_a_mount_maps_what_jobs_see(tmp_path: Path) -> None:
    scheduler, process = await opened(tmp_path)
    (process.source / "a file").write_text("good")
    assert process.inputs is not None
    seen = scheduler.map_path(tmp_path / "in" / "a file")
    assert seen == process.inputs / "a file"
    async with Runner(scheduler, plugins=[]) as runner:
        job = process.job(scheduler, 0, f"cat '{seen.mounted}'")
        await runner.wait(await runner.feed(job))
        assert await job.stdout_file.read_text() == "good"


async def test_a_work_directory_serves_three_generations(tmp_path: Path) -> None:
    kept: dict[int, str] = {}
    for generation, indexes in ((1, (0, 4)), (2, (4, 7)), (3, (0, 7))):
        scheduler, process = await opened(tmp_path, forks=2)
        plugin = HostPlugin()
        async with Runner(scheduler, plugins=[plugin], existing="reuse") as runner:
            jobs = []
            for index in indexes:
                made = process.job(scheduler, index, f"echo good {generation}")
                jobs.append(await runner.feed(made))
        for job in jobs:
            assert job.status is JobStatus.FINISHED
            assert await job.stdout_file.read_text() == f"good {generation}\n"
            await (job.metadir / "job.signature.toml").write_text(f"of {generation}")
            await (job.metadir / "output").mkdir(exist_ok=True)
            kept[job.index] = f"of {generation}"
    for index, text in kept.items():
        assert (process.folder / str(index) / "job.signature.toml").read_text() == text
        assert (process.folder / str(index) / "output").is_dir()
    view = read_run(process.folder)
    assert view.run.generation == 3
    assert {i: record.generation for i, record in view.jobs.items()} == {0: 3, 4: 2, 7: 3}
    # The records of earlier generations are not overwritten: their attempts are counted on.
    assert {i: record.attempt for i, record in view.jobs.items()} == {0: 2, 4: 2, 7: 2}


async def test_several_tasks_feed_while_jobs_run(tmp_path: Path) -> None:
    scheduler, process = await opened(tmp_path, forks=3)
    plugin = HostPlugin()

    async def feed(runner: Runner, first: int) -> None:
        for index in range(first, first + 5):
            job = await runner.feed(process.job(scheduler, index, "echo good"))
            if index % 2:
                await runner.wait(job)

    async with Runner(scheduler, plugins=[plugin]) as runner:
        await runner.run_until_complete(keep_feeding=True)
        async with anyio.create_task_group() as group:
            for first in (100, 0, 50):
                group.start_soon(feed, runner, first)
        await runner.stop_feeding()
    assert len(plugin.seen) == 15
    assert {hook for hook, *_ in plugin.seen} == {"succeeded"}
    assert [job.index for job in runner.jobs] == [*range(5), *range(50, 55), *range(100, 105)]


async def test_outputs_are_verified_and_retries_are_the_hosts_to_decide(tmp_path: Path) -> None:
    scheduler, process = await opened(tmp_path, error_strategy="retry", num_retries=2, forks=2)
    plugin = HostPlugin()
    async with Runner(scheduler, plugins=[plugin]) as runner:
        late = await runner.feed(
            process.job(scheduler, 0, '[ "$SCHED_ATTEMPT" = 3 ] && echo good || echo bad')
        )
        silent = await runner.feed(process.job(scheduler, 1, "true"))
        broken = await runner.feed(process.job(scheduler, 2, "echo broken; exit 5"))
    assert (late.status, late.attempt, late.trial_count) == (JobStatus.FINISHED, 3, 2)
    assert (silent.status, silent.failure, silent.attempt) == (JobStatus.FAILED, Failure.OUTPUT, 1)
    assert (broken.status, broken.failure, broken.attempt) == (JobStatus.FAILED, Failure.EXIT, 3)
    of_late = [(hook, rc, out) for hook, index, rc, out in plugin.seen if index == 0]
    assert of_late == [("failed", 0, "bad"), ("failed", 0, "bad"), ("succeeded", 0, "good")]
    assert [rc for _, index, rc, _ in plugin.seen if index == 2] == [5, 5, 5]


async def test_the_hosts_jobs_come_back_when_a_run_is_resumed(tmp_path: Path) -> None:
    scheduler, process = await opened(tmp_path)
    async with Runner(scheduler, plugins=[]) as runner:
        await runner.feed(process.job(scheduler, 2, "echo good"))
    scheduler, _ = await opened(tmp_path)
    async with Runner(scheduler, plugins=[], existing="resume") as runner:
        (job,) = runner.jobs
        assert isinstance(job, HostJob)
        assert (job.index, job.status, job.rc) == (2, JobStatus.FINISHED, 0)
    assert HostScheduler.submitted == [2]


async def test_a_job_of_another_work_directory_is_refused(tmp_path: Path) -> None:
    scheduler, process = await opened(tmp_path)
    job = process.job(scheduler, 0, "echo good")
    scheduler.workdir = tmp_path / "changed"
    async with Runner(scheduler, plugins=[]) as runner:
        with pytest.raises(CommandError, match="made for the run in"):
            await runner.feed(job)


async def test_a_job_has_only_the_attributes_that_are_named(tmp_path: Path) -> None:
    scheduler, process = await opened(tmp_path)
    job = process.job(scheduler, 0, "true")
    with pytest.raises(AttributeError):
        job.outdri = "misspelt"  # type: ignore[attr-defined]  # that is the point
    assert os.fspath(job.metadir) == f"{process.folder}/0"
