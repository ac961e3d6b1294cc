"""What becomes of jobs that Batch ends, not they themselves: the right state and class within two polls."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from sched_core import Failure, Job, JobStatus
from sched_gbatch.states import JobNews

from . import batch_words as words
from .batch_calls import calling
from .cloud import Cloud, Quick, batch_of, gated, number_of, until
from .test_kills import lives

ONE_MORE: dict[str, Any] = {"taskGroups": [{"taskSpec": {"maxRetryCount": 1}}]}
"""Batch itself starts a task a second time."""

RETRYING: dict[str, Any] = {"error_strategy": "retry", "num_retries": 0}
"""No retry is charged to the job."""


def states_told(scheduler: Any) -> Counter[str]:
    """Return how often a driver will have been told of each state of Batch jobs; "" where one is gone."""
    states, ask = Counter[str](), scheduler.service.job

    def noted(batch: str) -> JobNews | None:
        news: JobNews | None = ask(batch)
        states["" if news is None else news.state] += 1
        return news

    scheduler.service.job = noted
    return states


async def failed_at_once(cloud: Cloud) -> list[Job]:
    """Run jobs whose Batch job fails without any task."""
    scheduler = cloud.scheduler(infrastructure_retries=0)
    told = states_told(scheduler)
    async with cloud.run(scheduler) as runner:
        jobs = await runner.feed_all([gated("exit 0")] * 2)
        await runner.stop_feeding()
        assert told["FAILED"] <= 2 * len(cloud.jobs())
    assert cloud.starts() == []
    return jobs


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for records for a second only."""
    monkeypatch.setattr("sched_gbatch.polling._RECORDS_ARE_LATE", 1.0)
    monkeypatch.setattr("sched_core.lifecycle.reconcile.EVENTS_ARE_LATE", 1.0)


# --- a Batch job that fails, or is ended, as a whole -------------------------------------------------


@pytest.mark.parametrize(
    "text, failure, said",
    [
        (words.QUOTA_EXCEEDED, Failure.UNAVAILABLE, "Quota 'N2_CPUS' exceeded"),
        (words.ZONE_EXHAUSTED, Failure.UNAVAILABLE, "does not have enough resources"),
        (words.IMAGE_MISSING, Failure.REJECTED, "was not found"),
        (words.MACHINE_TYPE_MISSING, Failure.REJECTED, "instance templates"),
        ("something else", Failure.SETUP, "something else"),
    ],
)
async def test_t07_a_batch_job_that_failed_without_any_task(
    cloud: Cloud, text: str, failure: Failure, said: str
) -> None:
    cloud.batch.fail_next(text)
    for job in await failed_at_once(cloud):
        assert (job.status, job.failure, job.rc) == (JobStatus.FAILED, failure, None)
        assert said in job.reason


async def test_a_lack_of_machines_is_no_fault_of_the_job(cloud: Cloud) -> None:
    cloud.batch.fail_next(words.ZONE_EXHAUSTED, count=2)
    async with cloud.run(**RETRYING) as runner:
        (job,) = await runner.feed_all([gated("exit 0")])
    assert (job.status, job.attempt, job.trial_count) == (JobStatus.FINISHED, 3, 0)
    assert job.infrastructure_retries == 2


@pytest.mark.parametrize("end", ["cancel", "delete"])
@pytest.mark.parametrize("waits", [True, False], ids=["waiting", "running"])
async def test_t07_a_batch_job_that_somebody_else_ends(cloud: Cloud, end: str, waits: bool) -> None:
    if waits:
        cloud.batch.freeze()
    scheduler = cloud.scheduler(error_strategy="retry", num_retries=3)
    told = states_told(scheduler)
    async with cloud.run(scheduler) as runner:
        jobs = await runner.feed_all([gated()] * 2)
        if waits:
            await until(lambda: all(job.status is JobStatus.SUBMITTED for job in jobs))
        else:
            await cloud.begun(*jobs)
        await cloud.do(getattr(cloud.batch, end), batch_of(jobs[0]))
        for job in jobs:
            await runner.wait(job)
        assert told["CANCELLED"] + told[""] <= 2
    for job in jobs:
        assert (job.status, job.failure, job.attempt) == (JobStatus.FAILED, Failure.CANCELLED, 1)
        assert ("cancelled" if end == "cancel" else "deleted") in job.reason


async def test_a_batch_job_that_is_deleted_when_its_jobs_have_ended(cloud: Cloud) -> None:
    async with cloud.run() as runner:
        first = await runner.feed(["true"])
        second = await runner.feed(gated())
        await runner.wait(first)
        await cloud.begun(second)
        await cloud.do(cloud.batch.delete, batch_of(second))
    assert (first.status, second.failure) == (JobStatus.FINISHED, Failure.CANCELLED)


@pytest.mark.usefixtures("hasty")
async def test_unexecuted_tasks_are_submitted_again(cloud: Cloud) -> None:
    scheduler = cloud.scheduler(forks=1, num_retries=0)
    told = states_told(scheduler)
    async with cloud.run(scheduler) as runner:
        jobs = await runner.feed_all([gated()] * 3)
        await cloud.begun(jobs[0])
        await cloud.do(cloud.batch.end, batch_of(jobs[0]), "FAILED", "the service gave up")
        # Not before: the next of them would start.
        cloud.open_gate()
        await until(lambda: all(job.attempt == 2 for job in jobs[1:]))
        assert told["FAILED"] <= 3
        await runner.stop_feeding()
        assert {job.status for job in jobs[1:]} == {JobStatus.FINISHED}
    assert all(cloud.counted()[job.index] == 1 for job in jobs[1:])
    assert all(job.trial_count == 0 for job in jobs)


async def test_the_failure_of_one_task_is_no_failure_of_others(cloud: Cloud) -> None:
    async with cloud.run() as runner:
        bad, good = await runner.feed_all([["/bin/sh", "-c", "exit 5"], gated("exit 0")])
    assert (bad.rc, bad.failure, good.status) == (5, Failure.EXIT, JobStatus.FINISHED)
    (state,) = cloud.jobs().values()
    assert state == "FAILED"  # as Batch has it


# --- tasks that are started again --------------------------------------------------------------------


async def test_a_task_that_succeeded_on_its_second_start(cloud: Cloud) -> None:
    text = 'echo "start $BATCH_TASK_RETRY_ATTEMPT"; [ "$BATCH_TASK_RETRY_ATTEMPT" = 0 ] || exit 0'
    async with cloud.run(num_retries=0, **ONE_MORE) as runner:
        job = await runner.feed(gated(text))
        await cloud.begun(job)
        out = cloud.folder() / str(job.index) / "job.stdout"
        await until(lambda: out.exists() and out.read_text() == "start 0\n")
        await cloud.do(cloud.batch.strike, batch_of(job), 0, again=True)
        await runner.wait(job)
    assert (job.status, job.rc, job.failure) == (JobStatus.FINISHED, 0, None)
    assert (job.attempt, job.restart, job.trial_count) == (1, 1, 0)
    assert await job.stdout_file.read_text() == "start 1\n"
    assert (cloud.folder() / "0/job.retry/1.r0/job.stdout").read_text() == "start 0\n"
    assert len(cloud.starts()) == 2


async def test_t32_the_exit_code_of_a_first_start_does_not_stick(cloud: Cloud) -> None:
    """The user has Batch start a task again; where it has done so before the driver looks, that counts."""
    text = 'echo "start $BATCH_TASK_RETRY_ATTEMPT"; exit $((3 - 3 * BATCH_TASK_RETRY_ATTEMPT))'
    cloud.storage.delay_files(1000)
    async with cloud.run(num_retries=0, **ONE_MORE) as runner:
        (job,) = await runner.feed_all([["/bin/bash", "-c", text]])
        await until(lambda: "SUCCEEDED" in cloud.jobs().values())
        cloud.storage.delay_files(0)
    assert (job.status, job.rc, job.failure) == (JobStatus.FINISHED, 0, None)
    assert (cloud.folder() / "0/job.retry/1.r0/job.stdout").read_text() == "start 0\n"


@pytest.mark.usefixtures("hasty")
async def test_an_attempt_that_was_given_up_is_not_started_again_by_batch(cloud: Cloud) -> None:
    async with cloud.run(num_retries=0, **ONE_MORE) as runner:
        (job,) = await runner.feed_all([gated("exit 3")])
        await runner.wait(job)
        await cloud.do(cloud.batch.wait, batch_of(job))
    assert (job.rc, job.failure) == (3, Failure.EXIT)
    assert sum(cloud.counted().values()) <= job.restart + 1  # none that is not known of


# --- machines that are lost --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code, failure",
    [
        (50001, Failure.PREEMPTED),
        (50002, Failure.NODE_FAIL),
        (50003, Failure.NODE_FAIL),
        (50004, Failure.NODE_FAIL),
        (50006, Failure.NODE_FAIL),
    ],
)
async def test_t11_t45_t50_a_lost_machine_is_charged_to_nobody(
    cloud: Cloud, code: int, failure: Failure
) -> None:
    command = gated('echo "attempt $SCHED_ATTEMPT"; [ "$SCHED_ATTEMPT" = 1 ] || exit 0')
    async with cloud.run(**RETRYING) as runner:
        job = await runner.feed(command)
        await cloud.begun(job)
        batch = batch_of(job)
        await cloud.do(cloud.batch.strike, batch, number_of(job), code)
        await runner.wait(job)
    assert (job.status, job.attempt, job.trial_count) == (JobStatus.FINISHED, 2, 0)
    assert (job.infrastructure_retries, await job.stdout_file.read_text()) == (1, "attempt 2\n")
    assert batch_of(job) != batch


@pytest.mark.parametrize(
    "code, failure",
    [(50001, Failure.PREEMPTED), (50003, Failure.NODE_FAIL), (50005, Failure.TIMEOUT)],
)
async def test_the_class_of_a_reserved_exit_code(cloud: Cloud, code: int, failure: Failure) -> None:
    cloud.batch.strike_next(code=code)
    async with cloud.run(infrastructure_retries=0, **RETRYING) as runner:
        (job,) = await runner.feed_all([gated()])
    assert (job.status, job.failure, job.rc) == (JobStatus.FAILED, failure, None)
    assert str(code) in job.reason
    assert cloud.counted() == {}


async def test_the_files_of_a_lost_attempt_are_kept(cloud: Cloud) -> None:
    text = 'echo "attempt $SCHED_ATTEMPT"; [ "$SCHED_ATTEMPT" = 1 ] || exit 0'
    async with cloud.run(**RETRYING) as runner:
        job = await runner.feed(gated(text))
        await cloud.begun(job)
        out = cloud.folder() / str(job.index) / "job.stdout"
        await until(lambda: out.exists() and out.read_text() == "attempt 1\n")
        await cloud.do(cloud.batch.strike, batch_of(job), number_of(job))
        await runner.wait(job)
    assert job.status is JobStatus.FINISHED
    assert await (job.retry_dir / "1" / "job.stdout").read_text() == "attempt 1\n"
    assert await job.stdout_file.read_text() == "attempt 2\n"


async def test_t32_spot_machines_some_times_then_standard_ones(cloud: Cloud) -> None:
    cloud.batch.strike_next(count=3)
    options: dict[str, Any] = {
        "provisioning_model": "SPOT",
        "spot_attempts": 2,
        "infrastructure_retries": 5,
    }
    async with cloud.run(**RETRYING, **options) as runner:
        (job,) = await runner.feed_all([gated("exit 0")])
    assert (job.status, job.attempt, job.trial_count) == (JobStatus.FINISHED, 4, 0)
    with calling(cloud.batch) as caller:
        models = [
            caller.get(batch).allocation_policy.instances[0].policy.provisioning_model.name
            for batch in cloud.jobs()
        ]
    assert models == ["SPOT", "SPOT", "STANDARD", "STANDARD"]


async def test_a_machine_that_is_lost_when_its_job_has_ended(cloud: Cloud) -> None:
    """The job's own record is the last word."""

    class Slow(Quick):
        spool_interval = 3.0

    async with cloud.run(cloud.scheduler(cls=Slow, num_retries=0)) as runner:
        job = await runner.feed(gated())
        await cloud.begun(job, known=False)
        cloud.open_gate()
        events = cloud.folder() / ".sched" / "events"
        await until(lambda: any("FINISHED" in path.name for path in events.glob("*")))
        await runner.wait(job)
    assert (job.status, job.attempt) == (JobStatus.FINISHED, 1)


async def test_a_machine_that_was_given_up_and_lives_on_changes_nothing(cloud: Cloud) -> None:
    """Batch has lost sight of a machine: what its task writes later is not put over what the next has written."""
    text = 'echo "attempt $SCHED_ATTEMPT"; [ "$SCHED_ATTEMPT" = 1 ] || exit 0'
    async with cloud.run(**RETRYING) as runner:
        job = await runner.feed(gated(text))
        await cloud.begun(job)
        batch = batch_of(job)
        await cloud.do(cloud.batch.strike, batch, number_of(job), 50002, lives_on=True)
        await runner.wait(job)
        assert (job.status, job.attempt) == (JobStatus.FINISHED, 2)
        cloud.open_gate()
        script = f"{batch.rpartition('-')[2]}.bash"
        await until(lambda: not lives(script))
        assert (cloud.folder() / "0/job.stdout").read_text() == "attempt 2\n"
        assert len((cloud.folder() / "0/job.claim.2").read_text().splitlines()) > 1
