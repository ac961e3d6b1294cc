"""Calls that fail: what may pass is asked again, what will not is said at once with the next step."""

from __future__ import annotations

import logging
import time

import pytest

from sched_core import EngineUnavailable, Failure, JobStatus

from .cloud import Cloud, gated, until

PASSING = ("UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "INTERNAL", "ABORTED")
CALLS = ("ListJobs", "CreateJob", "GetJob", "ListTasks", "CancelJob")


def be_hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait a second for an answer; not before a run is open, which takes as long as it takes."""
    monkeypatch.setattr("sched_gbatch.service._PATIENCE", 1.0)


def counts(cloud: Cloud) -> list[int]:
    """Return how often each job has started."""
    return sorted(cloud.counted().values())


# --- a job is made once -----------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["UNAVAILABLE", "INTERNAL", "DEADLINE_EXCEEDED"])
async def test_t04_an_answer_to_create_that_is_lost_makes_no_second_job(
    cloud: Cloud, code: str
) -> None:
    cloud.batch.fault("CreateJob", code, applied=True, count=2)
    async with cloud.run() as runner:
        jobs = await runner.feed_all([gated("exit 0")] * 3)
    assert [job.status for job in jobs] == [JobStatus.FINISHED] * 3
    assert [job.attempt for job in jobs] == [1] * 3
    assert len(cloud.jobs()) == 1
    assert counts(cloud) == [1, 1, 1]


async def test_t04_an_answer_to_create_that_stays_lost_is_looked_up(cloud: Cloud) -> None:
    cloud.batch.fault("CreateJob", "UNAVAILABLE", applied=True, count=-1)
    async with cloud.run() as runner:
        (job,) = await runner.feed_all([gated()])
        await until(lambda: cloud.calls("CreateJob") >= 4)
        cloud.open_gate()
    assert (job.status, job.attempt, counts(cloud)) == (JobStatus.FINISHED, 1, [1])
    assert len(cloud.jobs()) == 1


async def test_t04_an_answer_to_create_that_never_comes(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.batch.fault("CreateJob", hang=True, applied=True)
    async with cloud.run() as runner:
        be_hasty(monkeypatch)
        (job,) = await runner.feed_all([gated("exit 0")])
    assert (job.status, job.attempt, counts(cloud)) == (JobStatus.FINISHED, 1, [1])
    assert len(cloud.jobs()) == 1


@pytest.mark.parametrize("code", ["RESOURCE_EXHAUSTED", "PERMISSION_DENIED", "INVALID_ARGUMENT"])
async def test_a_refusal_after_an_answer_that_was_lost_is_no_word_on_the_first_call(
    cloud: Cloud, code: str
) -> None:
    cloud.batch.fault("CreateJob", "UNAVAILABLE", applied=True, count=1)
    cloud.batch.fault("CreateJob", code, count=1)
    async with cloud.run() as runner:
        (job,) = await runner.feed_all([gated()])
        await until(lambda: cloud.calls("CreateJob") >= 2 and job.status.active)
        cloud.open_gate()
    assert (job.status, job.attempt, counts(cloud)) == (JobStatus.FINISHED, 1, [1])
    assert len(cloud.jobs()) == 1


async def test_t04_a_repeated_create_is_the_same_request(cloud: Cloud) -> None:
    cloud.batch.fault("CreateJob", "UNAVAILABLE", count=2)
    async with cloud.run() as runner:
        await runner.feed_all([["true"]])
    asked = [(r["job_id"], r["request_id"]) for r in cloud.batch.requests("CreateJob")]
    assert len(asked) == 3
    assert len(set(asked)) == 1


async def test_a_create_that_never_arrived_is_submitted_again(cloud: Cloud) -> None:
    cloud.batch.fault("CreateJob", "UNAVAILABLE", count=4)
    async with cloud.run() as runner:
        (job,) = await runner.feed_all([gated("exit 0")])
    assert (job.status, job.trial_count, counts(cloud)) == (JobStatus.FINISHED, 0, [1])


# --- what passes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", PASSING)
async def test_t33_what_may_pass_on_any_call_fails_no_job(cloud: Cloud, code: str) -> None:
    times = 1 if code == "RESOURCE_EXHAUSTED" else 2  # each has all drivers pause
    for call in CALLS:
        cloud.batch.fault(call, code, "try again", count=times)
    async with cloud.run(num_retries=0, infrastructure_retries=0, error_strategy="retry") as runner:
        jobs = await runner.feed_all([gated("exit 3"), gated("exit 0")])
    assert [job.rc for job in jobs] == [3, 0]
    assert [job.attempt for job in jobs] == [1, 1]
    assert counts(cloud) == [1, 1]
    cloud.batch.freeze()
    async with cloud.run(cloud.scheduler(cloud.workdir("killed"))) as runner:
        job = await runner.feed(["true"])
        await until(lambda: job.status is JobStatus.SUBMITTED)
        await runner.kill(job)
    assert job.status is JobStatus.KILLED
    assert cloud.calls("CancelJob") >= times + 1


async def test_t18_a_quota_of_calls_says_how_long_to_wait(cloud: Cloud) -> None:
    detail = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1.500s"}
    cloud.batch.fault("CreateJob", "RESOURCE_EXHAUSTED", "Quota exceeded", details=[detail])
    began = time.monotonic()
    async with cloud.run() as runner:
        (job,) = await runner.feed_all([["true"]])
    assert job.status is JobStatus.FINISHED
    assert time.monotonic() - began >= 1.5


async def test_t01_a_service_that_is_away_is_waited_for(
    cloud: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    async with cloud.run() as runner:
        job = await runner.feed(gated())
        await cloud.begun(job)
        cloud.batch.fault(".*", "UNAVAILABLE", "the service is away", count=-1)
        await until(lambda: "the service is away" in caplog.text)
        assert job.status is JobStatus.RUNNING
        cloud.open_gate()
        await runner.wait(job)  # the bucket tells of it
    assert (job.status, job.attempt) == (JobStatus.FINISHED, 1)


async def test_a_service_that_hangs_is_not_waited_for_without_end(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with cloud.run() as runner:
        job = await runner.feed(gated())
        await cloud.begun(job)
        be_hasty(monkeypatch)
        cloud.batch.fault("GetJob|ListTasks|CancelJob", hang=True, count=3)
        await until(lambda: cloud.calls("GetJob") > 4)
        await runner.kill(job)
    assert job.status is JobStatus.KILLED


# --- what does not pass -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code, step",
    [
        ("PERMISSION_DENIED", "roles/batch.jobsEditor"),
        ("NOT_FOUND", "project and location"),
        ("UNAUTHENTICATED", "gcloud auth application-default login"),
        ("INVALID_ARGUMENT", "Google Batch: no such project"),
    ],
)
async def test_a_service_that_refuses_is_told_of_before_anything_is_run(
    cloud: Cloud, code: str, step: str
) -> None:
    cloud.batch.fault("ListJobs", code, "no such project", count=-1)
    with pytest.raises(EngineUnavailable, match=step):
        async with cloud.run():
            raise AssertionError("it was opened")
    assert cloud.calls("ListJobs") == 1


@pytest.mark.parametrize(
    "code, step",
    [
        ("PERMISSION_DENIED", "roles/batch.jobsEditor"),
        ("NOT_FOUND", "project and location"),
        ("INVALID_ARGUMENT", "Google Batch: it is wrong"),
        ("FAILED_PRECONDITION", "Google Batch: it is wrong"),
    ],
)
async def test_t18_a_job_that_is_refused_is_not_tried_again(
    cloud: Cloud, code: str, step: str
) -> None:
    cloud.batch.fault("CreateJob", code, "it is wrong", count=-1)
    async with cloud.run(error_strategy="retry") as runner:
        (job,) = await runner.feed_all([["true"]])
    assert (job.status, job.failure, job.attempt) == (JobStatus.FAILED, Failure.REJECTED, 1)
    assert step in job.reason
    assert cloud.calls("CreateJob") == 1


async def test_a_bad_field_is_named(cloud: Cloud) -> None:
    async with cloud.run(labels={"goog-mine": "x"}) as runner:
        (job,) = await runner.feed_all([["true"]])
    assert (job.status, job.failure) == (JobStatus.FAILED, Failure.REJECTED)
    assert "goog-mine" in job.reason or "labels" in job.reason


async def test_no_credentials(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, "google.auth")
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG", "HOME"):
        monkeypatch.setenv(name, "/nowhere")
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS")
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    scheduler = cloud.scheduler(api_endpoint=f"https://{cloud.batch.endpoint}")
    with pytest.raises(EngineUnavailable, match="gcloud auth application-default login"):
        async with cloud.run(scheduler):
            raise AssertionError("it was opened")


async def test_a_bucket_that_is_not_there_or_not_ours(cloud: Cloud) -> None:
    with pytest.raises(OSError, match="gcloud storage buckets create gs://nowhere"):
        async with cloud.run(cloud.scheduler("gs://nowhere/run")):
            raise AssertionError("it was opened")
    cloud.storage.deny({"runs": ["storage.objects.create"]})
    with pytest.raises(PermissionError, match=r"roles/storage\.objectAdmin"):
        async with cloud.run():
            raise AssertionError("it was opened")
