"""A scheduler that no runner drives, by the reference's methods, as code written for it does."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import anyio
import pytest

from sched_core import Failure, Job, JobStatus, RunHalted, Runner
from sched_local import LocalScheduler

from .running import PATIENCE

HELD = ["/bin/sh", "-c", 'while [ ! -e "$SCHED_WORKDIR/gate" ]; do sleep 0.02; done']


class Overriding(LocalScheduler):
    """As a host's own scheduler is: jobs go one by one through what it overrides."""

    async def submit_job(self, job: Job, _mounted: bool = False) -> int:
        return await super().submit_job(job, _mounted)


@pytest.fixture(params=[LocalScheduler, Overriding])
async def make(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Any]:
    made: list[LocalScheduler] = []

    def make(**options: Any) -> LocalScheduler:
        made.append(request.param(tmp_path / "run", **options))
        return made[-1]

    yield make
    if made:
        (tmp_path / "run/gate").touch()  # nothing goes on behind a test that fails
    for scheduler in made:
        await scheduler.aclose()


async def polled(scheduler: LocalScheduler, jobs: Iterable[Job]) -> None:
    """Poll as the reference's consumer does."""
    counter = 0
    with anyio.fail_after(PATIENCE):
        while not await scheduler.check_all_done(jobs, counter):
            counter += 1
            await anyio.sleep(0.05)


async def running(scheduler: LocalScheduler, job: Job) -> None:
    with anyio.fail_after(PATIENCE):
        while job.status is not JobStatus.RUNNING:
            await scheduler.check_all_done([job], 0)
            await anyio.sleep(0.02)


async def test_jobs_are_submitted_and_polled(make: Any) -> None:
    scheduler = make(forks=3)
    jobs = [
        await scheduler.create_job(n, ["/bin/sh", "-c", f"echo {n}; exit {n}"]) for n in range(3)
    ]
    for job in jobs:
        await scheduler.submit_job_and_update_status(job)
        assert job.status is JobStatus.SUBMITTED
        assert await job.get_jid() is not None
    assert await scheduler.count_running_jobs(jobs) == 3
    await polled(scheduler, jobs)
    assert [job.status for job in jobs] == [JobStatus.FINISHED, *[JobStatus.FAILED] * 2]
    assert [await job.get_rc() for job in jobs] == [0, 1, 2]
    assert [await job.stdout_file.read_text() for job in jobs] == ["0\n", "1\n", "2\n"]
    assert await scheduler.count_running_jobs(jobs) == 0


async def test_a_job_that_runs_is_not_submitted_again(make: Any) -> None:
    scheduler = make()
    job = await scheduler.create_job(0, HELD)
    await scheduler.submit_job_and_update_status(job)
    assert await scheduler.job_is_running(job)  # it may not have claimed its attempt yet
    await running(scheduler, job)
    jid = job.jid
    assert await scheduler.job_is_running(job)
    assert await scheduler.job_is_submitted_or_running(job)
    await scheduler.submit_job_and_update_status(job)
    assert (job.attempt, job.jid) == (1, jid)
    await (scheduler.workdir / "gate").write_text("")
    await polled(scheduler, [job])
    assert not await scheduler.job_is_submitted_or_running(job)


async def test_a_job_that_runs_is_killed(make: Any) -> None:
    scheduler = make()
    job = await scheduler.create_job(0, HELD)
    await scheduler.submit_job_and_update_status(job)
    await running(scheduler, job)
    await scheduler.kill_job_and_update_status(job)
    assert (job.status, job.failure) == (JobStatus.KILLED, Failure.CANCELLED)
    assert not await scheduler.job_is_running(job)


async def test_a_job_that_was_just_submitted_is_killed(make: Any) -> None:
    scheduler = make(forks=2)
    jobs = [await scheduler.create_job(n, HELD) for n in range(2)]
    for job in jobs:
        await scheduler.submit_job_and_update_status(job)
    await scheduler.kill_running_jobs(jobs)
    assert [job.status for job in jobs] == [JobStatus.KILLED] * 2


async def test_a_job_that_was_never_submitted_is_killed(make: Any) -> None:
    scheduler = make()
    job = await scheduler.create_job(0, HELD)
    await scheduler.kill_job_and_update_status(job)
    assert (job.status, job.failure) == (JobStatus.KILLED, Failure.CANCELLED)


async def test_a_failed_job_is_retried_by_itself(make: Any) -> None:
    scheduler = make(error_strategy="retry", num_retries=2)
    job = await scheduler.create_job(0, ["/bin/sh", "-c", '[ "$SCHED_ATTEMPT" = 2 ]'])
    await scheduler.submit_job_and_update_status(job)
    await polled(scheduler, [job])
    assert (job.status, job.attempt, job.trial_count) == (JobStatus.FINISHED, 2, 1)


async def test_a_failed_job_is_retried_on_request(make: Any) -> None:
    scheduler = make()
    job = await scheduler.create_job(0, ["/bin/sh", "-c", 'echo "$SCHED_ATTEMPT"; exit 1'])
    await scheduler.submit_job_and_update_status(job)
    await polled(scheduler, [job])
    await scheduler.retry_job(job)
    await polled(scheduler, [job])
    assert (job.status, job.attempt, job.trial_count) == (JobStatus.FAILED, 2, 1)
    assert await job.stdout_file.read_text() == "2\n"
    assert await (job.retry_dir / "1" / "job.stdout").read_text() == "1\n"


async def test_a_failure_halts(make: Any) -> None:
    scheduler = make(forks=2, error_strategy="halt")
    held = await scheduler.create_job(0, HELD)
    failing = await scheduler.create_job(1, ["/bin/sh", "-c", "exit 4"])
    await scheduler.submit_job_and_update_status(held)
    await running(scheduler, held)
    await scheduler.submit_job_and_update_status(failing)
    with pytest.raises(RunHalted) as raised:
        await polled(scheduler, [held, failing])
    assert raised.value.job is failing
    assert held.status is JobStatus.KILLED


async def test_a_failure_that_halts_soon_lets_end_what_runs(make: Any) -> None:
    scheduler = make(forks=2, error_strategy="halt", halt="soon")
    held = await scheduler.create_job(0, HELD)
    failing = await scheduler.create_job(1, ["/bin/sh", "-c", "exit 4"])
    await scheduler.submit_job_and_update_status(held)
    await running(scheduler, held)
    await scheduler.submit_job_and_update_status(failing)
    await polled(scheduler, [failing])
    await (scheduler.workdir / "gate").write_text("")
    with pytest.raises(RunHalted):
        await polled(scheduler, [held, failing])
    assert held.status is JobStatus.FINISHED


class Unheard(LocalScheduler):
    """What its slots say is not heard: ends are seen by a look at the claims alone."""

    async def poll(self) -> None: ...


async def test_a_failure_that_only_a_look_has_seen_halts(tmp_path: Path) -> None:
    scheduler = Unheard(tmp_path / "run", error_strategy="halt")
    job = await scheduler.create_job(0, ["/bin/sh", "-c", "exit 4"])
    await scheduler.submit_job_and_update_status(job)
    with pytest.raises(RunHalted):
        await polled(scheduler, [job])
    assert job.status is JobStatus.FAILED
    await scheduler.aclose()


async def test_a_job_is_moved_by_hand(make: Any) -> None:
    scheduler = make()
    job = await scheduler.create_job(0, "true")
    await scheduler.transition_job_status(job, JobStatus.QUEUED)
    await scheduler.transition_job_status(job, 3)
    await scheduler.transition_job_status(job, JobStatus.FAILED, rc="7", error_msg="no room")
    assert (job.status, job.rc, await job.get_rc()) == (JobStatus.FAILED, 7, 7)
    assert await job.rc_file.read_text() == "7\n"
    assert await job.stderr_file.read_text() == "no room\n"
    other = await scheduler.create_job(1, "true")
    await scheduler.transition_job_status(other, JobStatus.FINISHED, is_killed=True)
    assert other.status is JobStatus.KILLED


async def test_a_job_that_runs_has_not_failed_before(make: Any) -> None:
    scheduler = make()
    job = await scheduler.create_job(0, HELD)
    await scheduler.submit_job_and_update_status(job)
    await running(scheduler, job)
    assert not await scheduler.job_fails_before_running(job)
    await scheduler.kill_job_and_update_status(job)


async def test_a_wrapper_is_written_and_can_be_run_by_hand(make: Any) -> None:
    scheduler = make()
    job = await scheduler.create_job(0, ["/bin/echo", "by hand"])
    path = await scheduler.wrapped_job_script(job)
    assert os.fsencode(await path.read_text()) == os.fsencode(scheduler.wrap_job_script(job))
    assert path.name == "job.wrapped.local"
    await anyio.run_process(["bash", os.fspath(path)])
    assert await job.stdout_file.read_text() == "by hand\n"
    assert await job.get_rc() == 0


async def test_a_runner_takes_over_from_use_by_hand(make: Any) -> None:
    scheduler = make()
    job = await scheduler.create_job(0, ["/bin/true"])
    await scheduler.submit_job_and_update_status(job)
    await polled(scheduler, [job])
    async with Runner(scheduler, plugins=[]) as runner:
        after = await runner.wait(await runner.feed(["/bin/true"]))
        assert after.status is JobStatus.FINISHED
