"""An engine that is down, hangs, or loses what it had taken: nothing lost, nothing twice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any

import anyio
import pytest

from sched_core import JobStatus
from sched_core.runfolder import read_run
from sched_hpc.cluster import ClusterScheduler

from ..jobs import Watched, begun, most_at_once, ran, running, until, waiting
from .engine import Engine

__all__ = ["Step", "cases", "is_survived", "run_on_unasked"]

Step = Callable[[], Awaitable[None]]


def cases(
    engine: type[Engine],
    troubles: Sequence[Callable[..., object]],
    in_ci: Collection[tuple[Callable[..., object], str]],
) -> list[Any]:
    """Return each trouble at each step, by its tool; only those `in_ci` are short enough for it."""
    return [
        pytest.param(
            trouble, tool, id=f"{trouble.__name__}-{tool}",
            marks=() if (trouble, tool) in in_ci else pytest.mark.full,
        )
        for trouble in troubles
        for tool in (engine.submits, engine.asks, engine.kills, engine.limits)
    ]  # fmt: skip


async def is_survived(
    engine: Engine, scheduler: ClusterScheduler, tool: str, before: Step, after: Step
) -> None:
    """Have these steps happen before and after one call of a tool, of a run with four forks."""
    watched = Watched(scheduler)
    watched.before, watched.after = before, after
    async with running(scheduler) as runner:
        first = await runner.feed_all([waiting("first")] * 2)
        for job in first:
            await begun(job)
        if tool in (engine.submits, engine.asks):
            watched.tool = tool
        rest = await runner.feed_all([waiting("rest")] * 8)  # beside the first, two at once
        if tool == engine.asks:
            await watched.struck.wait()
        await until(lambda: sum(job.status is JobStatus.RUNNING for job in rest) == 2)
        if tool == engine.kills:
            watched.tool = tool
        runs = next(job for job in rest if job.status is JobStatus.RUNNING)
        await begun(runs)
        for job in (runs, rest[7]):
            await runner.kill(job)
        if tool == engine.limits:
            watched.tool = tool
        await (scheduler.workdir / "first").write_text("")
        await until(lambda: sum(job.status is JobStatus.RUNNING for job in rest) == 4)
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
    await until(lambda: scheduler.session.run not in engine.queue())


async def run_on_unasked(
    engine: Engine, scheduler: ClusterScheduler, away: Step, back: Step
) -> None:
    """Have the engine away for a while: what runs goes on, what is fed waits."""
    calls = scheduler.toolbox.calls
    async with running(scheduler) as runner:
        first = await runner.feed(waiting())
        await begun(first)
        await away()
        second = await runner.feed(waiting())
        wanted = {tool: calls[tool] + 2 for tool in (engine.submits, engine.asks)}
        await until(lambda: all(calls[tool] >= count for tool, count in wanted.items()))
        assert (first.status, second.status) == (JobStatus.RUNNING, JobStatus.QUEUED)
        # its end is known by its own record
        await (scheduler.workdir / "gate").write_text("")
        await runner.wait(first)
        await back()
        await runner.stop_feeding()
    ends = [(job.status, job.reason, job.attempt) for job in runner.jobs]
    assert ends == [(JobStatus.FINISHED, "", 1)] * 2
    assert ran(scheduler.workdir, first) == ran(scheduler.workdir, second) == ["1"]
