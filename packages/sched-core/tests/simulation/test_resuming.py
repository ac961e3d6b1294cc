from __future__ import annotations

from contextlib import suppress

import anyio
import pytest

from sched_core import Job, JobStatus, RunLocked, hookimpl
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


async def _wake_up_in_the_middle_of_a_recovery() -> tuple[list[str], list[Job]]:
    """Have a driver stand still before it reads claims, until another one has gone on with the run."""
    world = World({})
    failures: list[str] = []

    class Notes:
        @hookimpl
        def on_job_failed(self, job: Job) -> None:
            failures.append(f"{job.failure} of attempt {job.attempt}")

    async def hang(ports: SimulatedPorts) -> None:
        names = ports.files.names

        def list_and_hang(folder: str) -> list[str]:
            ports.hangs = ports.hangs or folder.endswith("/submissions")
            return names(folder)

        ports.files.names = list_and_hang  # type: ignore[method-assign]
        with pytest.raises(RunLocked):
            async with world.runner(ports, plugins=[Notes()]):
                pass

    async with anyio.create_task_group() as group:
        group.start_soon(world.engine.run)
        first, second = world.ports("here"), world.ports("here")
        with suppress(BaseException), anyio.CancelScope() as scope:
            first.on_end = scope.cancel
            async with world.runner(first, error_strategy="retry") as runner:
                await runner.feed(["fails", "20", "1,0"])
                await anyio.sleep(5)
                first.die()
                await anyio.sleep_forever()
        group.start_soon(hang, second)
        await anyio.sleep(1)
        async with world.runner(world.ports("there"), error_strategy="retry") as runner:
            await runner.stop_feeding()
            second.wake()
        await anyio.sleep(60)
        group.cancel_scope.cancel()
    return failures, runner.jobs


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_driver_that_was_taken_over_in_its_recovery_takes_no_attempt_for_lost(
    backend: Backend,
) -> None:
    failures, (job,) = run_in_virtual_time(_wake_up_in_the_middle_of_a_recovery, backend=backend)

    assert failures == []
    assert (job.status, job.attempt) == (JobStatus.FINISHED, 2)
