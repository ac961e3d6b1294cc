from __future__ import annotations

from itertools import pairwise

import anyio
import pytest

from sched_core.testing.simulator import Backend, SimulatedScheduler, run_in_virtual_time

from .world import World


async def _ask(count: int) -> tuple[list[float], float]:
    """Have jobs that run for long, and one that ends before; return the questions, and its end."""
    world = World({})
    async with anyio.create_task_group() as group:
        group.start_soon(world.engine.run)
        async with world.runner(world.ports()) as runner:
            first, *_ = await runner.feed_all(
                [["shorter", "300", "0"]] + [["long", "900", "0"]] * count
            )
            await runner.wait(first)
            ended = anyio.current_time()
            await anyio.sleep(100)
            assert isinstance(runner.scheduler, SimulatedScheduler)
            asked = list(runner.scheduler.questions)
            await runner.cancel()
        group.cancel_scope.cancel()
    return asked, ended


@pytest.mark.parametrize("count", [1, 19])
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_t03_questions_grow_rare_while_nothing_changes(backend: Backend, count: int) -> None:
    asked, ended = run_in_virtual_time(_ask, count, backend=backend)

    shortest, longest = SimulatedScheduler.poll_interval
    late = 2 * SimulatedScheduler.spool_interval
    gaps = [later - earlier for earlier, later in pairwise(asked) if later < ended]
    growing = [gap for gap in gaps if gap < longest]
    rare = gaps[len(growing) :]
    assert growing == sorted(growing)
    assert shortest <= growing[0] <= 2 * shortest
    assert 5 <= len(growing) <= 10
    assert len(rare) >= 3
    assert all(longest <= gap <= longest + late for gap in rare)
    after = [later - earlier for earlier, later in pairwise(asked) if earlier > ended]
    assert after[0] <= shortest + late
    assert after == sorted(after)
