"""An engine that for a while names none of its jobs, and one that is told to end hundreds of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import anyio
import pytest

from sched_core import AttemptId, EngineUnavailable, Job, JobStatus, Observation
from sched_core.testing.simulator import (
    Backend,
    Fault,
    SimulatedScheduler,
    run_in_virtual_time,
)

from .world import World

BACKENDS = ["asyncio", "trio"]


async def _name_none_for(
    seconds: float, monkeypatch: pytest.MonkeyPatch
) -> tuple[World, list[Job]]:
    """Have 42 jobs, of which 20 run, and an engine whose answers are empty for so long."""
    world = World({}, nodes=20)
    query = SimulatedScheduler.query_jobs
    since: list[float] = []

    async def nothing_first(
        self: SimulatedScheduler, jobs: Sequence[Job]
    ) -> Mapping[AttemptId, Observation]:
        seen = await query(self, jobs)
        running = sum(job.status is JobStatus.RUNNING for job in jobs)
        if not since and (running < 20 or len(jobs) < 42):
            return seen
        since.append(anyio.current_time())
        return {} if since[-1] - since[0] <= seconds else seen

    monkeypatch.setattr(SimulatedScheduler, "query_jobs", nothing_first)
    async with anyio.create_task_group() as group:
        group.start_soon(world.engine.run)
        async with world.runner(world.ports(), forks=42, error_strategy="retry") as runner:
            await runner.feed_all([["block", "300", "0"]] * 42)
            await runner.stop_feeding()
        group.cancel_scope.cancel()
    assert since[-1] - since[0] > seconds
    return world, list(runner.jobs)


@pytest.mark.parametrize("seconds", [0.0, 90.0], ids=["once", "for a minute and a half"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_t19_what_an_engine_does_not_name_is_not_submitted_again(
    seconds: float, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, jobs = run_in_virtual_time(_name_none_for, seconds, monkeypatch, backend=backend)

    assert {job.status for job in jobs} == {JobStatus.FINISHED}
    assert {job.attempt for job in jobs} == {1}
    assert len(world.engine.executions) == 42


async def _kill_all(
    count: int, deaf: int, monkeypatch: pytest.MonkeyPatch
) -> tuple[World, list[Job], list[int]]:
    world = World({}, nodes=20)
    kill, told = SimulatedScheduler.kill_jobs, list[int]()

    async def counted(self: SimulatedScheduler, jobs: Sequence[Job]) -> None:
        told.append(len(jobs))
        if len(told) <= deaf:
            # A part of them is told all the same.
            await kill(self, jobs[: len(jobs) // 2])
            raise EngineUnavailable("the rest was not heard")
        await kill(self, jobs)

    monkeypatch.setattr(SimulatedScheduler, "max_batch", 1000)
    monkeypatch.setattr(SimulatedScheduler, "kill_jobs", counted)
    async with anyio.create_task_group() as group:
        group.start_soon(world.engine.run)
        async with world.runner(world.ports(), forks=count) as runner:
            jobs = await runner.feed_all([["runs", "5000", "0"]] * count)
            await anyio.sleep(60)  # by then twenty run
            async with anyio.create_task_group() as killers:
                for job in jobs[1:]:
                    killers.start_soon(runner.kill, job)
            assert jobs[0].status is JobStatus.RUNNING
            await runner.kill(jobs[0])
        group.cancel_scope.cancel()
    return world, list(runner.jobs), told


@pytest.mark.parametrize("deaf", [0, 2])
@pytest.mark.parametrize("backend", BACKENDS)
def test_t20_hundreds_of_kills_are_few_orders(
    deaf: int, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, jobs, told = run_in_virtual_time(_kill_all, 500, deaf, monkeypatch, backend=backend)

    assert {job.status for job in jobs} == {JobStatus.KILLED}
    assert len({execution.index for execution in world.engine.executions}) == 20
    assert len(told) <= 3 + deaf


async def _stop_waiting_for_a_kill(monkeypatch: pytest.MonkeyPatch) -> tuple[Job, bool]:
    world, left = World({}), [1, 2, 3]
    kill = SimulatedScheduler.kill_jobs

    async def away_at_first(self: SimulatedScheduler, jobs: Sequence[Job]) -> None:
        if left:
            left.pop()
            raise EngineUnavailable("away", retry_after=5)
        await kill(self, jobs)

    monkeypatch.setattr(SimulatedScheduler, "kill_jobs", away_at_first)
    async with anyio.create_task_group() as group:
        group.start_soon(world.engine.run)
        async with world.runner(world.ports()) as runner:
            job = await runner.feed(["long", "5000", "0"])
            await anyio.sleep(60)  # by then it runs
            with anyio.move_on_after(1) as scope:
                await runner.kill(job)
            gave_up = scope.cancelled_caught
        group.cancel_scope.cancel()
    return job, gave_up


@pytest.mark.parametrize("backend", BACKENDS)
def test_t24_a_kill_that_nobody_waits_for_any_longer_is_carried_out(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, gave_up = run_in_virtual_time(_stop_waiting_for_a_kill, monkeypatch, backend=backend)

    assert gave_up
    assert job.status is JobStatus.KILLED


async def _give_an_id_again() -> tuple[World, list[Job], list[str]]:
    world = World({Fault.FORGOTTEN: 1})
    ids: list[str] = []
    async with anyio.create_task_group() as group:
        group.start_soon(world.engine.run)
        async with world.runner(world.ports(), forks=4, error_strategy="retry") as runner:
            first = await runner.feed(["first", "100", "0"])
            await anyio.sleep(2)
            ids.append(str(first.jid))
            second = await runner.feed(["second", "400", "0"])
            await anyio.sleep(2)
            ids.append(str(second.jid))
            await runner.stop_feeding()
        group.cancel_scope.cancel()
    return world, [first, second], ids


@pytest.mark.parametrize("backend", BACKENDS)
def test_t27_an_id_that_is_another_jobs_by_now_is_not_taken_for_the_first_ones(
    backend: Backend,
) -> None:
    world, jobs, ids = run_in_virtual_time(_give_an_id_again, backend=backend)

    assert ids[0] == ids[1]
    assert [(job.status, job.trial_count) for job in jobs] == [(JobStatus.FINISHED, 0)] * 2
    assert sorted(execution.index for execution in world.engine.executions) == [0, 1]
