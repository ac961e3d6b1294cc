"""What a driver may still do when another one has just taken the run over."""

from __future__ import annotations

import pytest

from sched_core import Job, JobStatus, RunLocked, Runner
from sched_core.scheduler import Scheduler

from .bucket import Bucket, Ports

RUN = "/bucket/run"


class Engine(Scheduler):
    """Remembers what it was given."""

    name = "engine"

    def __init__(self) -> None:
        super().__init__(RUN)
        self.given: list[int] = []

    async def submit_job(self, job: Job) -> int:
        self.given.append(job.index)
        return 1

    async def kill_job(self, job: Job) -> None: ...

    async def job_is_running(self, job: Job) -> bool:
        return True


class Contested(Bucket):
    """Has another driver take over when a submission is being recorded."""

    def create(self, path: str, data: bytes) -> bool:
        if "/submissions/" in path:
            self.objects[f"{RUN}/.sched/lease.2"] = b"{}\n"
        return super().create(path, data)


async def test_what_another_driver_may_not_have_found_is_not_submitted() -> None:
    ports = Ports()
    ports.bucket = ports.files = Contested()
    engine = Engine()
    with pytest.raises(RunLocked):
        async with Runner(engine, plugins=[], ports=ports) as runner:
            job = await runner.feed(["true"])
    assert engine.given == []
    assert job.status is JobStatus.QUEUED
