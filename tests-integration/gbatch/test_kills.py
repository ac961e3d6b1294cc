"""Single tasks, which Batch itself cannot end, and whole Batch jobs."""

from __future__ import annotations

import uuid
from pathlib import Path

import anyio
import pytest

from sched_core import Failure, JobStatus

from .cloud import Cloud, batch_of, gated, until

TRAPPED = "trap 'echo ended in peace; exit 3' TERM"
STUBBORN = "trap '' TERM"


def lives(marker: str) -> bool:
    """Tell whether a process has that word in its command line."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if marker.encode() in path.read_bytes():
                return True
        except OSError:
            continue
    return False


@pytest.fixture
def marker() -> str:
    return f"marker-{uuid.uuid4().hex}"


async def test_one_running_task_is_killed_and_others_go_on(cloud: Cloud) -> None:
    async with cloud.run(grace=60) as runner:
        jobs = await runner.feed_all([gated(TRAPPED)] * 3)
        await cloud.begun(*jobs)
        await runner.kill(jobs[1])
        assert (jobs[1].status, jobs[1].failure) == (JobStatus.KILLED, Failure.CANCELLED)
        assert await jobs[1].stdout_file.read_text() == "ended in peace\n"
        assert jobs[0].status is jobs[2].status is JobStatus.RUNNING
        cloud.open_gate()
    assert [job.rc for job in (jobs[0], jobs[2])] == [0, 0]
    assert cloud.calls("CancelJob") == 0
    assert len(cloud.jobs()) == 1


async def test_t25_what_does_not_hear_term_is_killed_after_the_grace_period(
    cloud: Cloud, marker: str
) -> None:
    scattered = f"setsid /bin/bash -c '{STUBBORN}; while :; do sleep 0.1; done' {marker} &"
    async with cloud.run(grace=0.5) as runner:
        job = await runner.feed(gated(f"{STUBBORN}; {scattered} true"))
        other = await runner.feed(gated())
        await cloud.begun(job, other)
        await until(lambda: lives(marker))
        await runner.kill(job)
        assert job.status is JobStatus.KILLED
        await until(lambda: not lives(marker))
        cloud.open_gate()
    assert other.status is JobStatus.FINISHED


async def test_one_waiting_task_is_killed_and_never_starts(cloud: Cloud) -> None:
    async with cloud.run(forks=1) as runner:
        jobs = await runner.feed_all([gated(gate="first"), gated("exit 0"), gated("exit 0")])
        await cloud.begun(jobs[0])
        await runner.kill(jobs[1])
        assert (jobs[1].status, jobs[1].failure) == (JobStatus.KILLED, Failure.CANCELLED)
        cloud.open_gate("first")
    assert [jobs[n].status for n in (0, 2)] == [JobStatus.FINISHED] * 2
    assert cloud.counted() == {0: 1, 2: 1}
    assert cloud.calls("CancelJob") == 0


async def test_t20_a_batch_job_that_waits_is_cancelled_by_one_call(cloud: Cloud) -> None:
    cloud.batch.freeze()
    async with cloud.run(forks=100) as runner:
        jobs = await runner.feed_all([gated()] * 100)
        await until(lambda: all(job.status is JobStatus.SUBMITTED for job in jobs))
        cloud.storage.reset_counts()
        await runner.cancel()
    assert {job.status for job in jobs} == {JobStatus.KILLED}
    assert cloud.calls("CancelJob") == 1
    # What people read of each, too; the folder is listed as often as time passes.
    assert cloud.storage.requests() - cloud.storage.counts()["list"] < 240
    assert list(cloud.jobs().values()) == ["CANCELLED"]
    assert cloud.starts() == []


async def test_a_batch_job_that_runs_ends_in_peace(cloud: Cloud, marker: str) -> None:
    async with cloud.run(forks=3, grace=60) as runner:
        jobs = await runner.feed_all([[*gated(TRAPPED), marker]] * 20)
        await cloud.begun(*jobs[:3])
        await runner.cancel()
        assert not lives(marker)
    assert {job.status for job in jobs} == {JobStatus.KILLED}
    for job in jobs[:3]:
        assert await job.stdout_file.read_text() == "ended in peace\n"
    assert set(cloud.counted()) == {0, 1, 2}
    assert cloud.calls("CancelJob") <= 1
    await until(lambda: not any(cloud.folder().glob(".sched/kills/*")))


async def test_a_task_that_cannot_hear_is_ended_with_its_batch_job(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a task's own script is stopped, nothing but Batch can end it."""
    monkeypatch.setattr("sched_gbatch.kills._MARGIN", 1.0)
    stop = 'kill -STOP "$(ps -o ppid= $(ps -o ppid= $PPID))"'
    async with cloud.run(grace=1) as runner:
        job = await runner.feed(gated(stop))
        await cloud.begun(job, known=False)
        await runner.kill(job)
    assert job.status is JobStatus.KILLED


async def test_a_kill_that_the_bucket_does_not_take_is_repeated(cloud: Cloud) -> None:
    async with cloud.run(grace=1) as runner:
        jobs = [await runner.feed(gated()) for _ in range(2)]
        await cloud.begun(*jobs)
        cloud.storage.fault(method="POST", path="kills", count=2)
        await runner.kill(jobs[0])
        assert jobs[0].status is JobStatus.KILLED
        cloud.open_gate()
    assert jobs[1].status is JobStatus.FINISHED


async def test_a_cancel_whose_answer_is_lost(cloud: Cloud) -> None:
    cloud.batch.freeze()
    cloud.batch.fault("CancelJob", "UNAVAILABLE", applied=True)
    async with cloud.run() as runner:
        job = await runner.feed(gated())
        await until(lambda: job.status is JobStatus.SUBMITTED)
        await runner.kill(job)
        assert cloud.jobs()[batch_of(job)] == "CANCELLED"
    assert job.status is JobStatus.KILLED


async def test_a_job_that_ended_before_it_was_killed(cloud: Cloud) -> None:
    cloud.storage.delay_files(1000)
    async with cloud.run() as runner:
        job = await runner.feed(["true"])
        await until(lambda: "SUCCEEDED" in cloud.jobs().values())
        async with anyio.create_task_group() as group:
            group.start_soon(runner.kill, job)
            await until(lambda: job.status is JobStatus.KILLING)
            cloud.storage.delay_files(0)
    assert job.status in (JobStatus.FINISHED, JobStatus.KILLED)
    assert job.status.final
