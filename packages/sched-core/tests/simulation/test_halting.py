from __future__ import annotations

import anyio
import pytest

from sched_core import Job, RunHalted
from sched_core.testing.simulator import Backend, Fault, run_in_virtual_time

from .world import World

SOON = {"error_strategy": "halt", "halt": "soon"}


async def _halt_soon(faults: dict[Fault, int]) -> tuple[list[Job], list[tuple[str, int]]]:
    """One runs and one fails, while two are in the engine's queue."""
    world = World(faults, nodes=2)
    commands = [
        ["runs", "500", "0"],
        ["fails", "30", "1"],
        ["waits", "400", "0"],
        ["too", "9", "0"],
    ]
    async with anyio.create_task_group() as group:
        group.start_soon(world.engine.run)
        with pytest.raises(RunHalted):
            async with world.runner(world.ports(), forks=4, **SOON) as runner:
                await runner.feed_all(commands)
        ended = [(job.status.name, job.attempt) for job in runner.jobs]
        async with world.runner(world.ports()) as resumed:
            await resumed.stop_feeding()
        group.cancel_scope.cancel()
    return resumed.jobs, ended


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_what_is_in_the_engines_queue_is_taken_back_and_what_runs_ends(backend: Backend) -> None:
    jobs, ended = run_in_virtual_time(_halt_soon, {}, backend=backend)

    assert ended == [("FINISHED", 1), ("FAILED", 1), ("KILLED", 1), ("KILLED", 1)]
    assert [(job.status.name, job.attempt) for job in jobs] == [
        ("FINISHED", 1),
        ("FAILED", 1),
        ("FINISHED", 2),
        ("FINISHED", 2),
    ]


@pytest.mark.parametrize(
    "fault",
    [
        Fault.SUBMIT_TAKEN,
        Fault.SUBMIT_TAKEN_LATE,
        Fault.SUBMIT_DROPPED,
        Fault.SUBMIT_SLOW,
        Fault.KILL_REFUSED,
        Fault.KILL_FORGOTTEN,
        Fault.LATE_FILE,
        Fault.LISTING_LAGS,
    ],
)
def test_a_run_that_halts_soon_ends_whatever_goes_wrong(fault: Fault) -> None:
    jobs, ended = run_in_virtual_time(_halt_soon, {fault: 1}, backend="asyncio")

    assert "FAILED" in dict(ended)
    assert [job.status.name for job in jobs] == ["FINISHED", "FAILED", "FINISHED", "FINISHED"]
