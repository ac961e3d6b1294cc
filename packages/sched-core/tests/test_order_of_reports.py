"""What is seen of a job counts in its order, however many jobs are looked at side by side."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import anyio
import pytest

from sched_core import EngineState, Job, JobStatus, Observation, Runner, attempt_id
from sched_core.testing.contract.rig import HookRecorder

from .backend import session_scheduler

Session: Any = session_scheduler()


class Told(Session):  # type: ignore[misc]  # the README's, known at run time
    """Starts nothing: the test tells what becomes of jobs."""

    async def submit_job(self, job: Job) -> int:
        return job.index + 1

    async def job_is_running(self, job: Job) -> bool:
        return True


class Slow(Told):
    """Says that it has a job when that is over already."""

    async def submit_job(self, job: Job) -> int:
        started = time.time()
        await anyio.sleep(0.01)
        for state, rc in ((EngineState.RUNNING, None), (EngineState.RECORDED, 0)):
            said = Observation(state, rc=rc, started=started, ended=time.time())
            self.session.report(attempt_id(job), said)
        return job.index + 1


@pytest.mark.parametrize("by_hand", [False, True])
async def test_a_job_that_starts_before_the_engine_says_that_it_has_it(
    tmp_path: Path, by_hand: bool
) -> None:
    before, scheduler = time.time(), Slow(tmp_path / "run")
    with anyio.fail_after(60):
        if by_hand:
            job = await scheduler.create_job(0, ["/bin/true"])
            await scheduler.submit_job_and_update_status(job)
            while not await scheduler.check_all_done([job], 0):
                pass
            await scheduler.aclose()
        else:
            async with Runner(scheduler) as runner:
                job = await runner.feed(["/bin/true"])
                await runner.stop_feeding()
    assert job.status is JobStatus.FINISHED
    told = (job.queued, job.submitted, job.started, job.ended)
    times = [when for when in told if when is not None]
    assert len(times) == len(told)
    assert sorted(times) == times
    assert before - 0.001 < times[0]


async def test_t53_a_start_and_an_end_that_are_seen_at_once(tmp_path: Path) -> None:
    scheduler, hooks = Told(tmp_path / "run", forks=30), HookRecorder()
    with anyio.fail_after(60):
        async with Runner(scheduler, plugins=[hooks]) as runner:
            jobs = await runner.feed_all([["/bin/true"]] * 30)
            while {job.status for job in jobs} != {JobStatus.SUBMITTED}:
                await scheduler.session.change()
            for job in jobs:
                for state, rc in ((EngineState.RUNNING, None), (EngineState.RECORDED, 3)):
                    scheduler.session.report(attempt_id(job), Observation(state, rc=rc))
            await runner.stop_feeding()
    for job in jobs:
        assert (job.status, job.rc) == (JobStatus.FAILED, 3)
        assert hooks.of(job)[-2:] == ["on_job_started", "on_job_failed"]
