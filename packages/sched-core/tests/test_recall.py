"""A new driver, and an engine that keeps what it knows of jobs to itself."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import anyio

from sched_core import AttemptId, EngineState, Job, JobStatus, Observation, Runner, attempt_id

from .backend import session_scheduler

Session: Any = session_scheduler()


class Silent(Session):  # type: ignore[misc]  # the README's, known at run time
    """Has its claims where the driver cannot see them, and does not answer at once."""

    outlives_driver = False

    async def recall_jobs(self, jobs: Sequence[Job]) -> Collection[AttemptId]:
        self.adopted: list[int] = []
        for job in jobs:
            for claim in Path(job.metadir).glob("job.claim.*"):
                claim.unlink()
        return {attempt_id(job) for job in jobs}

    async def adopt_jobs(self, jobs: Sequence[Job]) -> None:
        self.adopted += [job.index for job in jobs]

    async def job_is_running(self, job: Job) -> bool:
        return True


async def test_what_cannot_be_known_stays_open(tmp_path: Path) -> None:
    workdir = tmp_path / "run"
    async with Runner(Session(workdir), plugins=[]) as runner:
        await runner.feed(["/bin/true"])
    # as if that driver had died while the job ran
    (workdir / ".sched/journal/9-0.jsonl").write_text('{"state":0,"to":4,"at":1.0,"attempt":1}\n')
    for event in (workdir / ".sched/events").iterdir():
        event.unlink()
    scheduler = Silent(workdir)
    async with Runner(scheduler, plugins=[], existing="resume") as runner:
        (job,) = runner.jobs
        assert scheduler.adopted == [0]
        assert (job.status, job.attempt) == (JobStatus.RUNNING, 1)
        scheduler.session.report(attempt_id(job), Observation(EngineState.RECORDED, rc=3))
        with anyio.fail_after(60):
            await runner.wait(job)
    assert (job.status, job.rc, job.attempt) == (JobStatus.FAILED, 3, 1)
