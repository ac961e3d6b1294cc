"""What users of other tools suffer from on Google Batch, each by its number."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from sched_core import Failure, JobStatus

from . import batch_words as words
from .batch_calls import calling
from .cloud import Cloud, Quick, gated, until

RETRYING: dict[str, Any] = {"error_strategy": "retry", "num_retries": 0}


async def test_t32_preemption_is_counted_for_nobody_and_leaves_a_clean_folder(
    cloud: Cloud,
) -> None:
    """50001 and then success is a success; after so many times a machine is a standard one."""
    cloud.batch.strike_next(count=2, after=1.5)
    spot: dict[str, Any] = {"provisioning_model": "SPOT", "spot_attempts": 2}
    left = 'ls "$SCHED_JOB_METADIR" >&2; echo "attempt $SCHED_ATTEMPT"; [ "$SCHED_ATTEMPT" = 3 ] && exit 0'
    async with cloud.run(cloud.scheduler(**spot, **RETRYING)) as runner:
        (job,) = await runner.feed_all([gated(left)])
    assert (job.status, job.rc, job.attempt, job.trial_count) == (JobStatus.FINISHED, 0, 3, 0)
    assert await job.stdout_file.read_text() == "attempt 3\n"
    assert "job.rc" not in await job.stderr_file.read_text()
    with calling(cloud.batch) as caller:
        made = [caller.get(batch).allocation_policy.instances[0].policy for batch in cloud.jobs()]
    assert [policy.provisioning_model.name for policy in made] == ["SPOT", "SPOT", "STANDARD"]


@pytest.mark.parametrize("code", words.ENGINE_CODES)
async def test_t32_each_reserved_code_has_its_class(cloud: Cloud, code: int) -> None:
    cloud.batch.strike_next(code=code)
    async with cloud.run(infrastructure_retries=0) as runner:
        (job,) = await runner.feed_all([gated()])
    classes = {50001: Failure.PREEMPTED, 50005: Failure.TIMEOUT}
    assert (job.status, job.failure) == (JobStatus.FAILED, classes.get(code, Failure.NODE_FAIL))


async def test_t33_a_quota_that_is_used_up_is_seen_and_may_have_an_end(
    cloud: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    cloud.batch.hold_next(words.QUOTA_WAIT, state="QUEUED")
    async with cloud.run(start_timeout=2, infrastructure_retries=0) as runner:
        job = await runner.feed(gated())
        await until(lambda: "inadequate quotas" in job.reason)
        assert "inadequate quotas" in caplog.text
        await runner.wait(job)
    assert job.failure is Failure.UNAVAILABLE


@pytest.mark.parametrize(
    "call, code",
    [
        ("ListJobs", "DEADLINE_EXCEEDED"),
        ("CreateJob", "RESOURCE_EXHAUSTED"),
        ("GetJob", "UNAVAILABLE"),
        ("ListTasks", "DEADLINE_EXCEEDED"),
    ],
)
async def test_t33_no_call_that_fails_for_a_while_fails_a_job(
    cloud: Cloud, call: str, code: str
) -> None:
    cloud.batch.fault(call, code, count=3)
    async with cloud.run(infrastructure_retries=0) as runner:
        (job,) = await runner.feed_all([gated("exit 0")])
    assert (job.status, job.attempt) == (JobStatus.FINISHED, 1)


@pytest.mark.timeout(900)
async def test_t34_many_tasks_are_few_jobs_and_are_asked_about_page_by_page(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, full: bool
) -> None:
    count, began = 3000 if full else 150, anyio.current_time()
    monkeypatch.setattr("sched_gbatch.service._PAGE", count // 3)
    async with cloud.run(forks=200, patience=600) as runner:
        await runner.feed_all([["true"]] * count)
        await runner.stop_feeding()
        await runner.scheduler.explain(runner.jobs[0])
    assert {job.status for job in runner.jobs} == {JobStatus.FINISHED}
    assert len(cloud.jobs()) == 1
    assert cloud.calls("GetTask") == 0
    assert cloud.calls("ListTasks.next") >= 2
    asked = cloud.calls("GetJob")
    assert asked <= (anyio.current_time() - began) / Quick.poll_interval[0] + 3
    assert cloud.calls("ListTasks") - cloud.calls("ListTasks.next") <= asked


async def test_t35_what_cannot_be_shown_meanwhile_changes_no_result(weak_cloud: Cloud) -> None:
    cloud, mount = weak_cloud, weak_cloud.mount
    assert mount is not None
    mount.fail_uploads("EIO", r"job\.std", count=1)
    async with cloud.run(infrastructure_retries=0) as runner:
        job = await runner.feed(gated("echo first"))
        await cloud.begun(job)
        await until((cloud.folder() / "0/job.stdout").exists)
        cloud.open_gate()
    assert (job.status, await job.stdout_file.read_text()) == (JobStatus.FINISHED, "first\n")


@pytest.mark.parametrize("error, empty", [("ESTALE", False), ("EIO", True)])
@pytest.mark.parametrize("name", [r"job\.stdout", r"events/.*FINISHED", r"job\.claim"])
async def test_t36_a_mount_that_loses_what_is_written_is_written_to_again(
    weak_cloud: Cloud, error: str, empty: bool, name: str
) -> None:
    cloud, mount = weak_cloud, weak_cloud.mount
    assert mount is not None
    mount.fail_uploads(error, name, count=2, empty=empty)
    async with cloud.run(infrastructure_retries=0) as runner:
        (job,) = await runner.feed_all([["/bin/echo", "hello"]])
        await runner.wait(job)
        assert await job.stdout_file.read_text() == "hello\n"
    assert (job.status, job.rc) == (JobStatus.FINISHED, 0)


async def test_t36_success_is_not_believed_before_all_is_there(weak_cloud: Cloud) -> None:
    """What a job has written is seen only when it has been uploaded, whatever its event says."""
    cloud, mount = weak_cloud, weak_cloud.mount
    assert mount is not None
    mount.set(upload_time=0.3)
    async with cloud.run(infrastructure_retries=0) as runner:
        jobs = await runner.feed_all([["/bin/sh", "-c", "seq 20000; seq 20000 >&2"]] * 4)
        for job in jobs:
            await runner.wait(job)
            assert (await job.stdout_file.read_text()).endswith("\n20000\n")
            assert (await job.stderr_file.read_text()).endswith("\n20000\n")
    mount.set(upload_time=0.01)
