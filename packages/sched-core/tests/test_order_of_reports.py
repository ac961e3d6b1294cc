"""What is seen of a job counts in its order, however many jobs are looked at side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio

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
