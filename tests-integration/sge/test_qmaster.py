"""A qmaster that is down, hangs, or loses what it had taken: nothing lost, nothing twice."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import anyio
import pytest

from sched_core import JobStatus
from sched_core.runfolder import read_run

from .cluster import SgeCluster
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

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(250)]

Step = Callable[[], Awaitable[None]]
Trouble = Callable[[SgeCluster], tuple[Step, Step]]


class Impatient(Asked):
    tool_patience: ClassVar[float] = 4.0


async def up_again(sge: SgeCluster) -> None:
    if sge.qmaster.alive:
        sge.qmaster.signal(signal.SIGCONT)
    sge.qmaster.start()  # by this thread: it ends with it
    await anyio.to_thread.run_sync(sge.start_qmaster)


def down(sge: SgeCluster) -> tuple[Step, Step]:
    """End it before a tool is run, and start it again when that has failed."""

    async def before() -> None:
        sge.qmaster.kill()

    return before, partial(up_again, sge)


def hung(sge: SgeCluster) -> tuple[Step, Step]:
    """Have it stand still while a tool waits for its answer: the request is in its socket."""

    async def before() -> None:
        sge.qmaster.signal(signal.SIGSTOP)

    return before, partial(up_again, sge)


def killed(sge: SgeCluster) -> tuple[Step, Step]:
    """Kill it just after its answer."""

    async def before() -> None:
        # Killed while it starts a task, 8.1.9 itself never starts another one of that array.
        sge.run("qmod", "-d", "all.q")

    async def after() -> None:
        sge.qmaster.kill()
        await up_again(sge)
        sge.run("qmod", "-e", "all.q")

    return before, after


def _cases() -> list[Any]:
    in_ci = [(hung, "qsub"), (killed, "qdel")]
    return [
        pytest.param(
            trouble, tool, id=f"{trouble.__name__}-{tool}",
            marks=() if (trouble, tool) in in_ci else pytest.mark.full,
        )
        for trouble in (down, hung, killed)
        for tool in ("qsub", "qstat", "qdel", "qalter")
    ]  # fmt: skip


@pytest.mark.parametrize("trouble, tool", _cases())
async def test_trouble_at_any_step(
    sge: SgeCluster, tmp_path: Path, trouble: Trouble, tool: str
) -> None:
    scheduler = Impatient(tmp_path / "run", forks=4)
    watched = Watched(scheduler)
    watched.before, watched.after = trouble(sge)
    async with running(scheduler, patience=200) as runner:
        first = await runner.feed_all([waiting("first")] * 2)
        for job in first:
            await begun(job)
        if tool in ("qsub", "qstat"):
            watched.tool = tool
        rest = await runner.feed_all([waiting("rest")] * 8)  # beside the first, two at once
        if tool == "qstat":
            await watched.struck.wait()
        await until(lambda: sum(job.status is JobStatus.RUNNING for job in rest) == 2, 100)
        if tool == "qdel":
            watched.tool = tool
        runs = next(job for job in rest if job.status is JobStatus.RUNNING)
        for job in (runs, rest[7]):
            await runner.kill(job)
        if tool == "qalter":
            watched.tool = tool
        await (scheduler.workdir / "first").write_text("")
        await until(lambda: sum(job.status is JobStatus.RUNNING for job in rest) == 4, 100)
        assert watched.struck.is_set()
        await (scheduler.workdir / "rest").write_text("")
        await runner.stop_feeding()
    view = await anyio.to_thread.run_sync(read_run, scheduler.workdir)
    ended = [job for job in [*first, *rest] if job not in (runs, rest[7])]
    assert {view.jobs[job.index].status for job in ended} == {JobStatus.FINISHED}
    assert {view.jobs[job.index].status for job in (runs, rest[7])} == {JobStatus.KILLED}
    assert [len(ran(scheduler.workdir, job)) for job in [*first, *rest]] == [1] * 9 + [0]
    outputs = [await job.stdout_file.read_text() for job in ended]
    assert most_at_once(outputs) <= scheduler.forks
    await until(lambda: not sge.run("qstat"))


@pytest.mark.parametrize("reused", [True, False])
async def test_jobs_that_the_qmaster_has_forgotten_are_submitted_again(
    sge: SgeCluster, tmp_path: Path, reused: bool
) -> None:
    """Their ids may belong to other jobs by then: those are left alone."""
    scheduler = Asked(tmp_path / "run", h=True)
    watched = Watched(scheduler)
    before = await anyio.to_thread.run_sync(sge.saved)
    others = []

    async def forget() -> None:
        sge.forget(before)
        if reused:
            others.append(sge.submit("other", "sleep 60"))

    watched.after, watched.tool = forget, "qsub"
    async with running(scheduler, patience=200) as runner:
        job = await runner.feed(["/bin/sh", "-c", ONCE])
        await pending(job)
        taken = job.jid
        await until(lambda: job.attempt == 2 and job.status is JobStatus.SUBMITTED)
        sge.run("qrls", str(job.jid))
        await runner.wait(job)
        assert (job.status, job.attempt, job.trial_count) == (JobStatus.FINISHED, 2, 0)
    assert ran(scheduler.workdir, job) == ["2"]
    if reused:
        assert others == [taken]
        assert sge.state(others[0]) in ("r", "qw", "t")
        sge.run("qdel", others[0])


@pytest.mark.full  # for half a minute the host does not come back to the qmaster
async def test_jobs_run_on_while_nobody_is_there_to_be_asked(
    sge: SgeCluster, tmp_path: Path
) -> None:
    scheduler = Asked(tmp_path / "run", forks=5)
    watched = Watched(scheduler)
    async with running(scheduler) as runner:
        first = await runner.feed(waiting())
        await begun(first)
        sge.qmaster.kill()
        second = await runner.feed(waiting("never"))
        asked = {tool: watched.calls[tool] for tool in ("qsub", "qstat")}
        await until(lambda: all(watched.calls[t] >= n + 2 for t, n in asked.items()))
        assert (first.status, second.status) == (JobStatus.RUNNING, JobStatus.QUEUED)
        # its end is known by its own record
        await (scheduler.workdir / "gate").write_text("")
        await runner.wait(first)
        await (scheduler.workdir / "never").write_text("")
        await up_again(sge)
        await runner.stop_feeding()
    assert [(job.status, job.attempt) for job in runner.jobs] == [(JobStatus.FINISHED, 1)] * 2
    assert ran(scheduler.workdir, first) == ran(scheduler.workdir, second) == ["1"]
