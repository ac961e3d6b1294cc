"""A controller that is down, hangs, or loses what it had taken: nothing lost, nothing twice."""

from __future__ import annotations

import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from sched_core import Job, JobStatus
from sched_core.runfolder import read_run

from .cluster import Saved, SlurmCluster
from .helpers import (
    ONCE,
    Asked,
    Watched,
    begun,
    most_at_once,
    pending,
    ran,
    running,
    until,
    waiting,
)

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(200)]

Struck = Callable[
    [SlurmCluster], tuple[Callable[[], Awaitable[None]], Callable[[], Awaitable[None]]]
]


def down(
    slurm: SlurmCluster,
) -> tuple[Callable[[], Awaitable[None]], Callable[[], Awaitable[None]]]:
    """Stop it before a tool is run, and start it again when that has failed."""

    async def before() -> None:
        await anyio.to_thread.run_sync(slurm.controller.stop)

    return before, lambda: up_again(slurm)


def hung(
    slurm: SlurmCluster,
) -> tuple[Callable[[], Awaitable[None]], Callable[[], Awaitable[None]]]:
    """Have it stand still while a tool waits for its answer: the request is in its socket."""

    async def before() -> None:
        slurm.controller.signal(signal.SIGSTOP)

    return before, lambda: up_again(slurm)


def killed(
    slurm: SlurmCluster,
) -> tuple[Callable[[], Awaitable[None]], Callable[[], Awaitable[None]]]:
    """Kill it just after its answer, before it has saved anything that the tool was run for."""
    known: dict[Path, bytes] = {}

    async def before() -> None:
        known.update(await saved_now(slurm))

    async def after() -> None:
        slurm.crash(known)
        await up_again(slurm)

    return before, after


async def saved_now(slurm: SlurmCluster) -> Saved:
    """Return what the controller has saved, once that is all that it knows now."""
    now = time.time()
    job = slurm.run(
        "sbatch", "--parsable", "--hold", "--output=/dev/null", "--wrap", "true"
    ).strip()
    slurm.run("scancel", job)
    saved = slurm.root / "state" / "job_state"
    await until(lambda: saved.exists() and saved.stat().st_mtime > now)
    return slurm.saved()


async def up_again(slurm: SlurmCluster) -> None:
    if slurm.controller.alive:
        slurm.controller.signal(signal.SIGCONT)
    slurm.controller.start()  # by this thread: it ends with it
    await anyio.to_thread.run_sync(slurm.until_ready)


def _cases() -> list[Any]:
    in_ci = [(hung, "sbatch"), (down, "scancel")]
    return [
        pytest.param(
            trouble, tool, id=f"{trouble.__name__}-{tool}",
            marks=() if (trouble, tool) in in_ci else pytest.mark.full,
        )
        for trouble in (down, hung, killed)
        for tool in ("sbatch", "squeue", "scancel", "scontrol update")
    ]  # fmt: skip


@pytest.mark.parametrize("trouble, tool", _cases())
async def test_trouble_at_any_step(
    frail_slurm: SlurmCluster, tmp_path: Path, trouble: Struck, tool: str
) -> None:
    scheduler = Asked(tmp_path / "run", forks=4)
    watched = Watched(scheduler)
    watched.before, watched.after = trouble(frail_slurm)
    async with running(scheduler) as runner:
        first = await runner.feed_all([waiting("first")] * 2)
        for job in first:
            await begun(job)
        if tool in ("sbatch", "squeue"):
            watched.tool = tool
        rest = await runner.feed_all([waiting("rest")] * 8)  # beside the first, two at once
        if tool == "squeue":
            await watched.struck.wait()
        for job in rest[:2]:
            await begun(job)
        if tool == "scancel":
            watched.tool = tool
        for job in (rest[0], rest[7]):
            await runner.kill(job)
        if tool == "scontrol update":
            watched.tool = tool
        await (scheduler.workdir / "first").write_text("")
        await until(lambda: sum(job.status is JobStatus.RUNNING for job in rest) == 4)
        assert watched.struck.is_set()
        await (scheduler.workdir / "rest").write_text("")
        await runner.stop_feeding()
    view = await anyio.to_thread.run_sync(read_run, scheduler.workdir)
    states = [view.jobs[job.index].status for job in [*first, *rest]]
    done = [JobStatus.FINISHED] * 2
    assert states == [*done, JobStatus.KILLED, *done * 3, JobStatus.KILLED]
    assert [len(ran(scheduler.workdir, job)) for job in [*first, *rest]] == [1] * 9 + [0]
    outputs = [await job.stdout_file.read_text() for job in [*first, *rest[1:7]]]
    assert most_at_once(outputs) <= scheduler.forks
    await until(lambda: frail_slurm.run("squeue", "--noheader") == "")


async def test_jobs_that_the_controller_has_forgotten_are_submitted_again(
    frail_slurm: SlurmCluster, tmp_path: Path
) -> None:
    """Their ids belong to other jobs by then: those are left alone."""
    slurm = frail_slurm
    scheduler = Asked(tmp_path / "run", begin="now+3")
    watched = Watched(scheduler)
    before = await saved_now(slurm)
    others = []

    async def forget() -> None:
        slurm.crash(before)
        await up_again(slurm)
        wrap = ("sbatch", "--parsable", "--output=/dev/null", "--wrap", "sleep 60")
        others.append(slurm.run(*wrap).strip())

    watched.after, watched.tool = forget, "sbatch"
    async with running(scheduler) as runner:
        job = await runner.feed(["/bin/sh", "-c", ONCE])
        await pending(job)
        assert others == [job.jid]
        await runner.wait(job)
        assert (job.status, job.attempt, job.trial_count) == (JobStatus.FINISHED, 2, 0)
        assert [job.jid] != others
    assert ran(scheduler.workdir, job) == ["2"]
    assert (
        slurm.run("squeue", "--noheader", "--jobs", others[0], "--format=%T").strip() == "RUNNING"
    )
    slurm.run("scancel", others[0])


async def test_jobs_run_on_while_nobody_is_there_to_be_asked(
    frail_slurm: SlurmCluster, tmp_path: Path
) -> None:
    scheduler = Asked(tmp_path / "run", forks=5)
    watched = Watched(scheduler)
    async with running(scheduler) as runner:
        first = await runner.feed(waiting())
        await begun(first)
        await anyio.to_thread.run_sync(frail_slurm.controller.stop)
        second = await runner.feed(waiting("never"))
        asked = {tool: watched.calls[tool] for tool in ("sbatch", "squeue")}
        await until(lambda: all(watched.calls[t] >= n + 2 for t, n in asked.items()))
        assert (first.status, second.status) == (JobStatus.RUNNING, JobStatus.QUEUED)
        # its end is known by its own record
        await (scheduler.workdir / "gate").write_text("")
        await runner.wait(first)
        await (scheduler.workdir / "never").write_text("")
        await up_again(frail_slurm)
        await runner.stop_feeding()
    assert [(job.status, job.attempt) for job in runner.jobs] == [(JobStatus.FINISHED, 1)] * 2
    assert ran(scheduler.workdir, first) == ran(scheduler.workdir, second) == ["1"]


@pytest.mark.full
async def test_a_run_may_begin_before_the_controller_does(
    frail_slurm: SlurmCluster, tmp_path: Path
) -> None:
    await anyio.to_thread.run_sync(frail_slurm.controller.stop)
    scheduler = Asked(tmp_path / "run", forks=3)
    watched = Watched(scheduler)
    async with running(scheduler) as runner:
        jobs = await runner.feed_all([["/bin/sh", "-c", ONCE]] * 6)
        # to submit an array it must be known how large one may be
        await until(lambda: watched.calls["scontrol"] >= 3)
        assert {job.status for job in jobs} == {JobStatus.QUEUED}
        await up_again(frail_slurm)
        await runner.stop_feeding()
    assert [ran(scheduler.workdir, job) for job in jobs] == [["1"]] * 6


@pytest.mark.full
async def test_a_controller_that_dies_again_and_again_while_jobs_run(
    frail_slurm: SlurmCluster, tmp_path: Path
) -> None:
    """Killed at any moment it may forget that jobs have started: what it ends then is tried again."""
    scheduler = Asked(tmp_path / "run", forks=10, error_strategy="retry", num_retries=5)
    async with running(scheduler) as runner:
        jobs = await runner.feed_all(
            [["/bin/sh", "-c", "sleep 1; echo >>$SCHED_JOB_METADIR/end"]] * 40
        )
        for number in range(3):
            await until(partial(some_have_ended, jobs, 3 * number))
            frail_slurm.crash()
            await up_again(frail_slurm)
        await runner.stop_feeding()
    assert {job.status for job in jobs} == {JobStatus.FINISHED}
    assert [(await (job.metadir / "end").read_text()).count("\n") for job in jobs] == [1] * 40


def some_have_ended(jobs: Sequence[Job], count: int) -> bool:
    return sum(job.status.final for job in jobs) > count
