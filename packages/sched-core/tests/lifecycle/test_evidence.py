"""What is recorded of engines that cannot be asked or start nothing, and taken back when they can."""

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
    containers = True
    pushes = True
    poll_interval = (60.0, 60.0)

    async def submit_job(self, job: Job) -> int:
        return 1

    async def kill_job(self, job: Job) -> None: ...

    async def job_is_running(self, job: Job) -> bool:
        return True


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(60):
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
    await runner.scheduler.session.journal.flush()
    record = read_run(runner.scheduler.workdir).jobs[job.index]
    assert (record.status, record.failure, record.reason) == (JobStatus.FINISHED, None, "")


async def test_a_job_that_failed_has_its_own_failure(runner: Runner) -> None:
    job = await a_silent_job(runner)
    report(runner, job, EngineState.RECORDED, rc=3)
    await runner.wait(job)
    assert (job.status, job.failure, job.reason) == (JobStatus.FAILED, Failure.EXIT, "")


async def refused(runner: Runner, failure: Failure, said: str | None, **job: Any) -> Job:
    """Return a job of which its record says that the engine started nothing."""
    found = await runner.feed(["true"], **job)
    await until(lambda: found.status is JobStatus.SUBMITTED)
    if said is not None:
        await found.stderr_file.write_text(said)
    report(runner, found, EngineState.RECORDED, rc=125, failure=failure)
    return found


async def test_a_refused_job_has_the_engines_words_and_the_next_step(runner: Runner) -> None:
    said = "docker: Error response from daemon: No such image: x\n\nRun 'docker run --help'\n"
    job = await refused(runner, Failure.REJECTED, said, container="x")
    await runner.wait(job)
    assert (job.status, job.failure, job.rc) == (JobStatus.FAILED, Failure.REJECTED, 125)
    assert job.reason == (
        "docker: Error response from daemon: No such image: x; "
        "fetch it (pull), or name another image"
    )
    await runner.scheduler.session.journal.flush()
    assert read_run(runner.scheduler.workdir).jobs[job.index].reason == job.reason


async def test_a_refusal_without_words_has_a_reason_all_the_same(runner: Runner) -> None:
    job = await refused(runner, Failure.REJECTED, None, container="x")
    await runner.wait(job)
    assert job.reason.startswith("docker started nothing and said nothing; ")


async def test_the_stderr_of_a_job_without_a_container_is_no_reason(runner: Runner) -> None:
    job = await refused(runner, Failure.REJECTED, "said\n")
    await runner.wait(job)
    assert (job.failure, job.reason) == (Failure.REJECTED, "")


async def test_a_job_whose_engine_was_away_is_tried_again_whatever_the_strategy(
    runner: Runner,
) -> None:
    scheduler = runner.scheduler
    assert (scheduler.error_strategy, scheduler.num_retries) == ("ignore", 3)
    scheduler.infrastructure_retries = 1
    said = "docker: Cannot connect to the Docker daemon at unix:///x. Is the daemon running?\n"
    job = await refused(runner, Failure.UNAVAILABLE, said, container="x")
    await until(lambda: job.attempt == 2 and job.status is JobStatus.SUBMITTED)
    assert (job.trial_count, job.infrastructure_retries) == (0, 1)
    await job.stderr_file.write_text(said)
    report(runner, job, EngineState.RECORDED, rc=125, failure=Failure.UNAVAILABLE)
    await runner.wait(job)
    assert (job.status, job.failure, job.attempt) == (JobStatus.FAILED, Failure.UNAVAILABLE, 2)
    assert job.reason.endswith(
        "; start it (systemctl start docker), or use another engine: podman, apptainer"
    )


async def test_a_job_whose_host_is_given_up_is_tried_again_only_where_that_is_wanted(
    runner: Runner,
) -> None:
    job = await a_silent_job(runner)
    report(runner, job, EngineState.FAILED, failure=Failure.UNAVAILABLE, reason="away for long")
    await runner.wait(job)
    assert (job.status, job.attempt, job.reason) == (JobStatus.FAILED, 1, "away for long")


@pytest.mark.parametrize("rc, max_rss", [(137, 5000), (121, None)])  # 121: it was another start
async def test_the_engine_tells_the_memory_of_what_has_a_record(
    runner: Runner, rc: int, max_rss: int | None
) -> None:
    job = await a_silent_job(runner)
    await job.metadir.mkdir(parents=True, exist_ok=True)
    claim = "1 0 vm boot 4700 123456 10.5\nE 137 EXIT 12.5\n"
    await (job.metadir / "job.claim.1").write_text(claim)
    short = Failure.OUT_OF_MEMORY
    report(runner, job, EngineState.FAILED, rc=rc, failure=short, reason="OOM", max_rss=5000)
    await runner.wait(job)
    assert (job.status, job.failure, job.rc) == (JobStatus.FAILED, short, 137)
    assert (job.max_rss, job.ended) == (max_rss, 12.5)
