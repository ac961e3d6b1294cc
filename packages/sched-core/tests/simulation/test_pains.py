"""What users suffer from, each as one fault that strikes one job exactly once, in virtual time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NoReturn

import anyio
import pytest

from sched_core import EngineUnavailable, Failure, Job, JobStatus
from sched_core.testing.simulator import (
    Backend,
    Fault,
    SimulatedScheduler,
    run_in_virtual_time,
)

from .world import World

BACKENDS = ["asyncio", "trio"]


async def _run(faults: dict[Fault, int]) -> tuple[Job, int, float]:
    """Run a job of 50 seconds that may be tried again by the engine's fault only; return it, how often
    it started, and how long all took.
    """
    world = World(faults)
    options: dict[str, Any] = {"error_strategy": "retry", "num_retries": 0}
    async with anyio.create_task_group() as group:
        group.start_soon(world.engine.run)
        async with world.runner(world.ports(), **options) as runner:
            job = await runner.feed(["fifty", "50", "0"])
            await runner.wait(job)
            took = anyio.current_time()
        group.cancel_scope.cancel()
    assert set(world.chance.counts) == set(faults), "not all of it happened"
    return job, len(world.engine.executions), took


def struck(*faults: Fault, backend: Backend) -> tuple[Job, int, float]:
    return run_in_virtual_time(_run, dict.fromkeys(faults, 1), backend=backend)


def ended(job: Job) -> tuple[str, int, int]:
    return job.status.name, job.attempt, job.trial_count


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("fault", [Fault.QUERY_LOST, Fault.OUTAGE, Fault.RATE_LIMITED])
def test_t01_questions_without_an_answer_change_nothing(fault: Fault, backend: Backend) -> None:
    job, starts, _ = struck(fault, backend=backend)
    assert (job.status, job.trial_count, starts) == (JobStatus.FINISHED, 0, 1)


async def _run_for_long() -> Job:
    world = World({})
    async with anyio.create_task_group() as group:
        group.start_soon(world.engine.run)
        async with world.runner(world.ports()) as runner:
            job = await runner.feed(["long", "900", "0"])
        group.cancel_scope.cancel()
    return job


@pytest.mark.parametrize("backend", BACKENDS)
def test_t01_questions_without_an_answer_grow_rare(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[float] = []

    async def no_answer(self: SimulatedScheduler, jobs: Sequence[Job]) -> NoReturn:
        asked.append(anyio.current_time())
        raise EngineUnavailable("busy")

    monkeypatch.setattr(SimulatedScheduler, "query_jobs", no_answer)
    job = run_in_virtual_time(_run_for_long, backend=backend)
    gaps = [later - earlier for earlier, later in pairwise(asked)]
    assert ended(job) == ("FINISHED", 1, 0)
    assert gaps[0] < SimulatedScheduler.poll_interval[1] <= max(gaps)
    assert len(asked) < 900 / SimulatedScheduler.poll_interval[1] + 10
    assert "cannot be asked, nothing changes: busy" in caplog.text


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("fault", [Fault.QUERY_EMPTY, Fault.QUERY_PARTIAL])
def test_t02_an_answer_that_names_no_job_is_no_news(fault: Fault, backend: Backend) -> None:
    job, starts, _ = struck(fault, backend=backend)
    assert (ended(job), starts) == (("FINISHED", 1, 0), 1)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("found", [None, Fault.FIND_LOST, Fault.FIND_EMPTY, Fault.FIND_LATE])
@pytest.mark.parametrize("fault", [Fault.SUBMIT_TAKEN, Fault.SUBMIT_TAKEN_LATE])
def test_t04_a_submission_whose_answer_was_lost_is_found(
    fault: Fault, found: Fault | None, backend: Backend
) -> None:
    faults = [fault] if found is None else [fault, found]
    job, starts, _ = struck(*faults, backend=backend)
    assert (job.status, job.trial_count, starts) == (JobStatus.FINISHED, 0, 1)


@pytest.mark.parametrize("backend", BACKENDS)
def test_t06_a_job_that_ends_before_the_answer_to_its_submission(backend: Backend) -> None:
    job, starts, _ = struck(Fault.SUBMIT_SLOW, Fault.PURGED, backend=backend)
    assert (ended(job), starts) == (("FINISHED", 1, 0), 1)


async def _run_without_nodes(faults: dict[Fault, int]) -> tuple[Job, int, float]:
    """Run a job that no node ever takes, and that somebody else cancels; return it, how often it
    started, and how long it took to end from then on.
    """
    world = World(faults, nodes=0)
    async with anyio.create_task_group() as group:
        group.start_soon(world.engine.run)
        async with world.runner(world.ports()) as runner:
            job = await runner.feed(["waits", "1", "0"])
            while job.status is not JobStatus.SUBMITTED:  # noqa: ASYNC110  # as a host looks at it
                await anyio.sleep(1)
            (row,) = world.engine.rows()
            world.engine.cancel([(row.name, row.number)])
            cancelled = anyio.current_time()
            await runner.wait(job)
            took = anyio.current_time() - cancelled
        group.cancel_scope.cancel()
    assert set(world.chance.counts) == set(faults), "not all of it happened"
    return job, len(world.engine.executions), took


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "faults, failure",
    [({}, Failure.CANCELLED), ({Fault.PURGED: 1}, Failure.LOST)],
    ids=["listed", "purged at once"],
)
def test_t07_a_job_that_is_cancelled_while_it_waits(
    faults: dict[Fault, int], failure: Failure, backend: Backend
) -> None:
    job, starts, took = run_in_virtual_time(_run_without_nodes, faults, backend=backend)
    assert (ended(job), job.failure, starts) == (("FAILED", 1, 0), failure, 0)
    assert took < 10.0  # it is asked about every second or two, and one absence may be a slip


@pytest.mark.parametrize("backend", BACKENDS)
def test_t09_an_engine_that_lists_an_ended_job_as_running(backend: Backend) -> None:
    job, starts, _ = struck(Fault.ACCOUNTING_LAGS, backend=backend)
    assert (ended(job), starts) == (("FINISHED", 1, 0), 1)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "fault, attempts, restarts",
    [
        (Fault.PREEMPTED, 2, 0),
        (Fault.NODE_FAIL, 2, 0),
        (Fault.REQUEUED, 1, 1),
    ],
)
def test_t11_what_the_engine_takes_away_costs_no_retry(
    fault: Fault, attempts: int, restarts: int, backend: Backend
) -> None:
    job, starts, _ = struck(fault, backend=backend)
    assert (ended(job), job.restart, starts) == (("FINISHED", attempts, 0), restarts, 2)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("fault", [Fault.QUOTA, Fault.RATE_LIMITED, Fault.SUBMIT_UNAVAILABLE])
def test_t18_a_full_queue_is_waited_for(fault: Fault, backend: Backend) -> None:
    job, starts, _ = struck(fault, backend=backend)
    assert (ended(job), starts) == (("FINISHED", 1, 0), 1)


@pytest.mark.parametrize("backend", BACKENDS)
def test_t18_a_refused_job_fails_at_once(backend: Backend) -> None:
    job, starts, took = struck(Fault.SUBMIT_REJECTED, backend=backend)
    assert (job.status, job.failure, starts) == (JobStatus.FAILED, Failure.REJECTED, 0)
    assert took < SimulatedScheduler.poll_interval[1]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("fault", [Fault.CLOCK_JUMPS, Fault.NODE_CLOCK_JUMPS])
def test_t10_a_clock_that_is_set_changes_no_state(fault: Fault, backend: Backend) -> None:
    job, starts, _ = struck(fault, backend=backend)
    assert (ended(job), starts) == (("FINISHED", 1, 0), 1)
