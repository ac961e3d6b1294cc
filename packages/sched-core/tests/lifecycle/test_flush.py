from __future__ import annotations

from pathlib import Path

import anyio
import pytest
from anyio.lowlevel import checkpoint

from sched_core import Job, Scheduler, SpecPath
from sched_core.hooks import Hooks
from sched_core.lifecycle.session import Session
from sched_core.ports import system_ports
from sched_core.runfolder import Journal, Layout, RunFile, read_journal


class Idle(Scheduler):
    name = "idle"

    async def submit_job(self, job: Job) -> int:
        raise AssertionError("nothing is submitted here")

    async def kill_job(self, job: Job) -> None:
        raise AssertionError("nothing is killed here")

    async def job_is_running(self, job: Job) -> bool:
        return False


@pytest.mark.parametrize("steps", range(4))
async def test_nothing_noted_is_lost_when_a_flush_is_cancelled(tmp_path: Path, steps: int) -> None:
    scheduler = Idle(tmp_path)
    ports = system_ports(str(tmp_path))
    run = RunFile("r", 1, 0.0, "idle", "", {}, "")
    journal = Journal(ports.files, Layout(str(tmp_path)), 1)
    session = Session(scheduler, ports, Hooks(), run, journal)
    session.make_folders()
    session.journal.note_job(Job(index=0, cmd="true", workdir=SpecPath(tmp_path)))
    async with anyio.create_task_group() as group:
        group.start_soon(session.journal.flush)
        for _ in range(steps):
            await checkpoint()
        group.cancel_scope.cancel()
    await session.journal.flush()
    assert [entry["job"] for entry in read_journal(ports.files, session.layout)] == [0]
