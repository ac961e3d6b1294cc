from __future__ import annotations

from contextlib import suppress

import anyio
import pytest

from sched_core import Job, JobStatus, RunLocked
from sched_core.testing.simulator import Backend, Fault, SimulatedPorts, run_in_virtual_time

from .world import World


async def _resume_after_a_lost_submission() -> tuple[list[int], list[Job], int]:
    world = World({Fault.SUBMIT_DROPPED: 1})
    async with anyio.create_task_group() as group:
        group.start_soon(world.engine.run)
        first = world.ports()
        world.die_at_submit(first)
        with suppress(BaseException), anyio.CancelScope() as scope:
            first.on_end = scope.cancel
            async with world.runner(first) as runner:
                await runner.feed(["job", "1", "0"])
        async with world.runner(world.ports()) as runner:
            pass
        group.cancel_scope.cancel()
    return world.taken, list(runner.jobs), len(world.engine.executions)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_number_of_an_attempt_that_follows_a_lost_one_is_not_used_again(
    backend: Backend,
) -> None:
    taken, (job,), executions = run_in_virtual_time(
        _resume_after_a_lost_submission, backend=backend
    )

    assert taken == [2]
    assert (job.status, job.attempt) == (JobStatus.FINISHED, 2)
    assert executions == 1


async def _wake_up_after_a_take_over() -> tuple[float, float, list[Job], int]:
    world = World({})
    left = 0.0

    async def hang(ports: SimulatedPorts) -> None:
        nonlocal left
        with pytest.raises(RunLocked):
            async with world.runner(ports) as runner:
                await runner.feed(["long", "500", "0"])
                await anyio.sleep(5)
                ports.hangs = True
        left = anyio.current_time()

    async with anyio.create_task_group() as group:
        group.start_soon(world.engine.run)
        first = world.ports("here")
        group.start_soon(hang, first)
        await anyio.sleep(10)
        async with world.runner(world.ports("there")) as runner:
            woken = anyio.current_time()
            first.wake()
        group.cancel_scope.cancel()
    return woken, left, runner.jobs, len(world.engine.executions)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_t54_a_driver_that_was_taken_over_leaves_at_once_and_ends_nothing(backend: Backend) -> None:
    woken, left, (job,), executions = run_in_virtual_time(
        _wake_up_after_a_take_over, backend=backend
    )

    assert woken <= left < woken + 20
    assert (job.status, job.attempt, executions) == (JobStatus.FINISHED, 1, 1)
