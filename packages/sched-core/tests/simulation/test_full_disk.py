"""A driver without room for its records: it waits where it can, and else says so and ends."""

from __future__ import annotations

import anyio
import pytest

from sched_core import JobStatus
from sched_core.testing.simulator import Backend, Fault, Scenario, SimulatedDriver, simulate


async def _lose_a_submission(driver: SimulatedDriver) -> None:
    async with driver.runner() as runner:
        await runner.feed(["lost"])
        await anyio.sleep(5)
        driver.world.disk.full_until = 100.0


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_lost_submission_is_given_up_when_there_is_room_again(backend: Backend) -> None:
    scenario = Scenario(faults=frozenset(), at={Fault.SUBMIT_DROPPED: 1}, backend=backend)

    outcome = simulate(scenario, _lose_a_submission)

    assert outcome.violations == []
    assert [(job.status, job.attempt) for job in outcome.jobs] == [(JobStatus.FINISHED, 2)]
    assert [execution.attempt for execution in outcome.executions] == [2]
    assert outcome.executions[0].started > 100


async def _lose_one_and_stop_at_another(driver: SimulatedDriver) -> None:
    async with driver.runner() as runner:
        await runner.feed(["lost"])
        await anyio.sleep(3)
        if driver.number == 1:
            driver.world.disk.full_until = 12.0
        await runner.feed(["stops the run: there is no room for its files"])


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_run_that_stops_ends_when_what_it_waits_for_never_was_submitted(backend: Backend) -> None:
    scenario = Scenario(faults=frozenset(), at={Fault.SUBMIT_DROPPED: 1}, backend=backend)

    outcome = simulate(scenario, _lose_one_and_stop_at_another)

    assert outcome.violations == []
    assert "No space left on device" in next(line for line in outcome.story if "fails" in line)
    assert [job.status for job in outcome.jobs] == [JobStatus.FINISHED] * 2
    assert len(outcome.executions) == 2


async def _have_no_room_when_a_job_fails(driver: SimulatedDriver) -> None:
    async with driver.runner() as runner:
        await runner.feed(["fails", "20", "3"])
        if driver.number == 1:
            await anyio.sleep(10)
            driver.world.disk.full_until = 60.0


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_what_an_engine_may_start_again_is_left_open_where_it_cannot_be_sealed(
    backend: Backend,
) -> None:
    scenario = Scenario(faults=frozenset(), backend=backend)

    outcome = simulate(scenario, _have_no_room_when_a_job_fails)

    assert outcome.violations == []
    assert [(job.status, job.rc, job.attempt) for job in outcome.jobs] == [(JobStatus.FAILED, 3, 1)]
    assert not any("driver 1: job 0 is FAILED" in line for line in outcome.story)
    assert outcome.seconds < 60 + 30 + 400
