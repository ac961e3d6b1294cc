"""Jobs for which there is no machine yet: why is said, and the wait may have an end."""

from __future__ import annotations

import pytest

from sched_core import Failure, JobStatus, Runner, read_run

from . import batch_words as words
from .cloud import Cloud, batch_of, gated, until


async def waits(cloud: Cloud, runner: Runner, text: str, state: str) -> None:
    cloud.batch.hold_next(text, state=state)
    job = await runner.feed(gated("exit 0"))
    await until(lambda: bool(job.reason))


@pytest.mark.parametrize(
    "text, state, said",
    [
        (words.QUOTA_WAIT, "QUEUED", "inadequate quotas [Quota: CPUS, limit: 24"),
        (words.QUOTA_EXCEEDED, "SCHEDULED", "Quota 'N2_CPUS' exceeded"),
        (words.ZONE_EXHAUSTED, "SCHEDULED", "does not have enough resources available"),
    ],
    ids=["quota", "quota-scheduled", "zone"],
)
async def test_why_a_job_waits_is_shown(
    cloud: Cloud, caplog: pytest.LogCaptureFixture, text: str, state: str, said: str
) -> None:
    async with cloud.run() as runner:
        await waits(cloud, runner, text, state)
        (job,) = runner.jobs
        assert said in job.reason
        assert job.status is JobStatus.SUBMITTED
        (warning,) = [r.getMessage() for r in caplog.records if said in r.getMessage()]
        assert batch_of(job) in warning
        told = await runner.scheduler.explain(job)
        assert said in told
        assert f"Batch job {batch_of(job)} is {state}" in told
        # Another process reads it in the run's folder.
        await runner.scheduler.session.journal.flush()
        view = await cloud.do(read_run, runner.scheduler.workdir)
        assert said in view.jobs[0].reason
        cloud.batch.release(batch_of(job))
        await runner.wait(job)
    assert (job.status, job.reason, job.attempt) == (JobStatus.FINISHED, "", 1)


async def test_a_wait_may_have_an_end(cloud: Cloud) -> None:
    async with cloud.run(start_timeout="1s", infrastructure_retries=0) as runner:
        await waits(cloud, runner, words.QUOTA_WAIT, "QUEUED")
        (job,) = runner.jobs
        await runner.wait(job)
    assert (job.status, job.failure) == (JobStatus.FAILED, Failure.UNAVAILABLE)
    assert job.reason.startswith("it did not start within start_timeout: Quota checking")
    assert list(cloud.jobs().values()) == ["CANCELLED"]
    assert cloud.calls("CancelJob") == 1


async def test_the_end_of_a_wait_is_for_jobs_of_which_none_has_begun(cloud: Cloud) -> None:
    async with cloud.run(forks=1, start_timeout="15s") as runner:
        jobs = await runner.feed_all([gated("sleep 16"), gated("exit 0")])
        await cloud.begun(jobs[0])
        cloud.open_gate()
    assert [job.status for job in jobs] == [JobStatus.FINISHED] * 2


async def test_explain_tells_of_a_running_and_an_ended_task(cloud: Cloud) -> None:
    async with cloud.run() as runner:
        job = await runner.feed(gated("exit 4", gate="x"))
        other = await runner.feed(gated())
        await runner.wait(job)
        await cloud.begun(other)
        running = await runner.scheduler.explain(other)
        assert "its task is RUNNING" in running
        ended = await runner.scheduler.explain(job)
        assert "its task is FAILED" in ended
        assert "exit code 4" in ended
        await cloud.do(cloud.batch.delete, batch_of(job))
        assert "it was deleted" in await runner.scheduler.explain(job)
