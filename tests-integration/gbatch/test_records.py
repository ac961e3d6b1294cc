"""What jobs write into the bucket comes late, broken, or not at all: nothing is believed that is not there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest

from sched_core import Failure, Job, JobStatus

from .cloud import Cloud, Quick, batch_of, gated, until

FOR_EVER = 1000.0
ATTEMPTS: dict[str, Any] = {
    "error_strategy": "retry",
    "num_retries": 0,
    "infrastructure_retries": 0,
}


class Listener(Quick):
    """Asks Batch so seldom that only the bucket tells of the jobs."""

    poll_interval = (FOR_EVER, FOR_EVER)


def of(cloud: Cloud, job: Job, name: str) -> Path:
    return cloud.folder() / str(job.index) / name


async def ended_there(cloud: Cloud, job: Job, status: str = "FINISHED") -> Path:
    """Wait until the job's event lies in the bucket, whether or not it can be seen, and return it."""
    pattern = f".sched/events/{job.index}.{job.attempt}.*.{status}.*"
    await until(lambda: any(path.stat().st_size for path in cloud.folder().glob(pattern)))
    (event,) = cloud.folder().glob(pattern)
    return event


# --- late --------------------------------------------------------------------------------------------


async def test_t08_records_that_are_late_are_waited_for(cloud: Cloud) -> None:
    cloud.storage.delay_files(FOR_EVER)
    async with cloud.run(**ATTEMPTS) as runner:
        job = await runner.feed(["/bin/sh", "-c", "echo out; echo err >&2"])
        await ended_there(cloud, job)
        await until(lambda: "SUCCEEDED" in cloud.jobs().values())
        polls = cloud.calls("GetJob")
        await until(lambda: cloud.calls("GetJob") > polls + 2)
        assert not job.status.final
        cloud.storage.delay_files(0)
        await runner.wait(job)
        assert await job.stdout_file.read_text() == "out\n"
        assert await job.stderr_file.read_text() == "err\n"
    assert (job.status, job.rc, job.attempt) == (JobStatus.FINISHED, 0, 1)


async def test_the_code_of_a_failure_is_the_records(cloud: Cloud) -> None:
    cloud.storage.delay_files(1.5)
    async with cloud.run() as runner:
        (job,) = await runner.feed_all([["/bin/sh", "-c", "exit 7"]])
    assert (job.status, job.rc, job.failure) == (JobStatus.FAILED, 7, Failure.EXIT)
    assert job.ended is not None


async def test_a_failure_whose_record_never_comes_has_batchs_code(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sched_gbatch.polling._RECORDS_ARE_LATE", 1.0)
    cloud.storage.delay_files(FOR_EVER)
    async with cloud.run() as runner:
        (job,) = await runner.feed_all([["/bin/sh", "-c", "exit 7"]])
    assert (job.status, job.rc, job.failure) == (JobStatus.FAILED, 7, Failure.EXIT)


async def test_a_success_without_a_record_is_lost_in_the_end(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sched_core.lifecycle.reconcile.EVENTS_ARE_LATE", 1.0)
    cloud.storage.delay_files(FOR_EVER)
    scheduler = cloud.scheduler(**ATTEMPTS)
    scheduler.lost_after = 2.0  # the least that may be asked for is longer
    async with cloud.run(scheduler) as runner:
        (job,) = await runner.feed_all([["true"]])
    assert (job.status, job.failure) == (JobStatus.FAILED, Failure.LOST)


# --- missing, empty, other ---------------------------------------------------------------------------


async def held(cloud: Cloud, job: Job) -> Path:
    """Wait until what the job wrote lies in the bucket, where the driver does not see it yet."""
    await ended_there(cloud, job)
    return of(cloud, job, "job.stdout")


@pytest.mark.parametrize("cls", [Quick, Listener])
@pytest.mark.parametrize("instead", [None, "", "something else\n"], ids=["none", "empty", "other"])
async def test_an_output_that_is_not_what_was_written_is_not_believed(
    cloud: Cloud, cls: type[Quick], instead: str | None
) -> None:
    cloud.storage.delay_files(FOR_EVER)
    scheduler = cloud.scheduler(cls=cls, **ATTEMPTS)
    scheduler.lost_after = 2.0
    async with cloud.run(scheduler) as runner:
        job = await runner.feed(["/bin/echo", "hello"])
        (await held(cloud, job)).unlink()
        if instead is not None:
            cloud.put(f"{job.index}/job.stdout", instead)
        cloud.storage.delay_files(0)
        await runner.wait(job)
    assert (job.status, job.failure) == (JobStatus.FAILED, Failure.LOST)
    assert job.reason == "what it wrote did not arrive as it was written"


@pytest.mark.parametrize("cls", [Quick, Listener])
async def test_t08_an_output_that_comes_later_is_waited_for(cloud: Cloud, cls: type[Quick]) -> None:
    cloud.storage.delay_files(FOR_EVER)
    async with cloud.run(cloud.scheduler(cls=cls, **ATTEMPTS)) as runner:
        job = await runner.feed(["/bin/echo", "hello"])
        out = await held(cloud, job)
        out.unlink()
        cloud.put(f"{job.index}/job.stdout")
        cloud.storage.delay_files(0)
        before = cloud.storage.counts().get("list", 0)
        await until(lambda: cloud.storage.counts().get("list", 0) > before + 10)
        assert not job.status.final
        cloud.put(f"{job.index}/job.stdout", "hello\n")
        await runner.wait(job)
    assert (job.status, job.attempt) == (JobStatus.FINISHED, 1)


async def test_t08_an_empty_claim_is_no_record(cloud: Cloud) -> None:
    async with cloud.run(**ATTEMPTS) as runner:
        job = await runner.feed(gated())
        await cloud.begun(job)
        cloud.put(f"{job.index}/job.claim.1")
        cloud.open_gate()
        await runner.wait(job)
    assert (job.status, job.rc) == (JobStatus.FINISHED, 0)


async def test_an_object_that_is_no_event_is_passed_over(cloud: Cloud) -> None:
    async with cloud.run(**ATTEMPTS) as runner:
        job = await runner.feed(gated())
        await cloud.begun(job)
        for name in (
            "0.1.0.FINISHED.",
            "0.1.0.FINISHED.0,",
            "0.9.0.FINISHED.0",
            "7.1.0.FAILED.1",
            "x",
        ):
            cloud.put(f".sched/events/{name}", "x")
        await anyio.sleep(0.5)
        assert not job.status.final
        cloud.open_gate()
    assert job.status is JobStatus.FINISHED


# --- what the service of the bucket does --------------------------------------------------------------


@pytest.mark.parametrize("kind", ["status", "reset", "lost", "cut"])
async def test_a_bucket_that_fails_now_and_then(cloud: Cloud, kind: str) -> None:
    for skip in range(0, 60, 6):
        cloud.storage.fault(kind, skip=skip)  # type: ignore[arg-type]  # one of them
    async with cloud.run(**ATTEMPTS) as runner:
        jobs = await runner.feed_all([gated("exit 0")] * 5)
    assert {job.status for job in jobs} == {JobStatus.FINISHED}
    assert sorted(cloud.counted().values()) == [1] * 5


async def test_a_bucket_that_is_away_for_a_while(cloud: Cloud) -> None:
    async with cloud.run(**ATTEMPTS) as runner:
        job = await runner.feed(gated())
        await cloud.begun(job)
        cloud.storage.fault(count=12)
        cloud.open_gate()
        await runner.wait(job)
    assert (job.status, job.attempt) == (JobStatus.FINISHED, 1)


# --- logs --------------------------------------------------------------------------------------------


async def test_what_a_job_writes_is_in_the_bucket_while_it_runs(cloud: Cloud) -> None:
    async with cloud.run() as runner:
        job = await runner.feed(gated("echo first", "echo wrong >&2"))
        await cloud.begun(job)

        async def written() -> bool:
            files = (job.stdout_file, job.stderr_file)
            # One comes after the other.
            return all([await file.exists() and bool(await file.read_text()) for file in files])

        await until(written)
        assert await job.stdout_file.read_text() == "first\n"
        assert await job.stderr_file.read_text() == "wrong\n"
        assert not job.status.final
        cloud.open_gate()
    assert job.status is JobStatus.FINISHED


async def test_t35_no_cloud_logging_is_asked_for_what_jobs_have_written(cloud: Cloud) -> None:
    async with cloud.run() as runner:
        (job,) = await runner.feed_all([["/bin/sh", "-c", "echo out"]])
        await runner.wait(job)
        assert cloud.batch.printed(batch_of(job), 0) == ""
    assert await job.stdout_file.read_text() == "out\n"


async def test_t41_what_is_left_in_the_bucket(cloud: Cloud) -> None:
    """At most seven files a job, and nothing of what only tasks were for."""
    async with cloud.run(**ATTEMPTS) as runner:
        good = await runner.feed(["/bin/echo", "out"])
        bad = await runner.feed(["/bin/sh", "-c", "exit 2"])
        slow = await runner.feed(gated())
        await cloud.begun(slow)
        cloud.open_gate()
    for job in (good, bad, slow):
        files = [path for path in (cloud.folder() / str(job.index)).rglob("*") if path.is_file()]
        assert len(files) <= 7, files
    home = cloud.folder() / ".sched"
    for name in ("events", "kills", "bundles", "tasks", "submissions", "requests"):
        assert not list(home.glob(f"{name}/*"))
