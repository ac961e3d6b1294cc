"""What is recorded while a job's host cannot be asked, and taken back when it can."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from sched_core import (
    AttemptId,
    EngineState,
    Failure,
    Job,
    JobStatus,
    Observation,
    Runner,
    Scheduler,
    read_run,
)


class Silent(Scheduler):
    """Takes jobs and tells nothing by itself."""

    name = "silent"
    pushes = True
    poll_interval = (60.0, 60.0)

    async def submit_job(self, job: Job) -> int:
        return 1

    async def kill_job(self, job: Job) -> None: ...

    async def job_is_running(self, job: Job) -> bool:
        return True


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(20):
        while not condition():  # noqa: ASYNC110  # there is no event for it
            await anyio.sleep(0.01)


@pytest.fixture
async def runner(tmp_path: Path) -> AsyncIterator[Runner]:
    async with Runner(Silent(tmp_path / "run"), plugins=[]) as runner:
        yield runner


async def a_silent_job(runner: Runner) -> Job:
    job = await runner.feed(["true"])
    await until(lambda: job.status is JobStatus.SUBMITTED)
    runner.scheduler.session.evidence.cannot_be_asked(job, "the host is away")
    assert (job.status, job.failure) == (JobStatus.SUBMITTED, Failure.UNAVAILABLE)
    return job


def report(runner: Runner, job: Job, state: EngineState, **seen: Any) -> None:
    attempt = AttemptId(job.index, job.attempt)
    runner.scheduler.session.report(attempt, Observation(state, **seen))


async def test_a_sign_of_life_takes_it_back(runner: Runner) -> None:
    job = await a_silent_job(runner)
    report(runner, job, EngineState.RUNNING)
    await until(lambda: job.status is JobStatus.RUNNING)
    assert (job.failure, job.reason) == (None, "")
    report(runner, job, EngineState.RECORDED, rc=0)
    await runner.wait(job)


async def test_a_job_that_finished_has_no_failure(runner: Runner) -> None:
    job = await a_silent_job(runner)
    report(runner, job, EngineState.RECORDED, rc=0)
    await runner.wait(job)
    assert (job.status, job.rc, job.failure, job.reason) == (JobStatus.FINISHED, 0, None, "")
    await runner.scheduler.session.flush()
    record = read_run(runner.scheduler.workdir).jobs[job.index]
    assert (record.status, record.failure, record.reason) == (JobStatus.FINISHED, None, "")


async def test_a_job_that_failed_has_its_own_failure(runner: Runner) -> None:
    job = await a_silent_job(runner)
    report(runner, job, EngineState.RECORDED, rc=3)
    await runner.wait(job)
    assert (job.status, job.failure, job.reason) == (JobStatus.FAILED, Failure.EXIT, "")
