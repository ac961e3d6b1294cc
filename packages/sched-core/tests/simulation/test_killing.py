from __future__ import annotations

import anyio
import pytest

from sched_core import Job, JobStatus
from sched_core.testing.simulator import Backend, Fault, run_in_virtual_time

from .world import World


async def _kill_two_of_which_one_fails_meanwhile() -> list[Job]:
    world = World({Fault.SUBMIT_SLOW: 2}, nodes=1)
    async with anyio.create_task_group() as group:
        group.start_soon(world.engine.run)
        async with world.runner(world.ports(), forks=2, error_strategy="retry") as runner:
            await runner.feed(["fails", "4", "1,0"])
            await anyio.sleep(3)
            await runner.feed(["is-on-its-way", "100", "0"])
            await anyio.sleep(0.2)
            world.ask("kill", 0, 1)
        group.cancel_scope.cancel()
    return runner.jobs


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_what_fails_while_others_are_waited_for_to_be_killed_is_not_tried_again(
    backend: Backend,
) -> None:
    jobs = run_in_virtual_time(_kill_two_of_which_one_fails_meanwhile, backend=backend)

    assert [(job.status.name, job.attempt) for job in jobs] == [("FAILED", 1), ("KILLED", 1)]


async def _kill_one_of_which_the_engine_forgets_the_order() -> tuple[Job, float]:
    world = World({Fault.KILL_FORGOTTEN: 1})
    async with anyio.create_task_group() as group:
        group.start_soon(world.engine.run)
        async with world.runner(world.ports()) as runner:
            job = await runner.feed(["long", "5000", "0"])
            await anyio.sleep(60)  # by then it runs
            asked = anyio.current_time()
            await runner.kill(job)
            took = anyio.current_time() - asked
        group.cancel_scope.cancel()
    return job, took


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_engine_that_has_forgotten_to_end_a_job_is_told_again(backend: Backend) -> None:
    job, took = run_in_virtual_time(
        _kill_one_of_which_the_engine_forgets_the_order, backend=backend
    )

    assert job.status is JobStatus.KILLED
    assert took < 60
