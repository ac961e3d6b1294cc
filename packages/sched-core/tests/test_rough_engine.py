"""An engine that is rougher than it should be, and hooks that take their time."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import anyio

from sched_core import (
    AttemptId,
    EngineState,
    Failure,
    Job,
    JobStatus,
    Observation,
    Runner,
    Scheduler,
    hookimpl,
)

from .backend import session_scheduler

Session: Any = session_scheduler()
HELD = ["/bin/sh", "-c", "while :; do sleep 0.1; done"]


async def running(*jobs: Job) -> None:
    with anyio.fail_after(60):
        while not all(job.status is JobStatus.RUNNING for job in jobs):  # noqa: ASYNC110
            await anyio.sleep(0.02)


class KillsTheRecorder(Session):  # type: ignore[misc]  # the README's, known at run time
    """Ends a whole session at once, so that nothing is left to record it."""

    async def kill_job(self, job: Job) -> None:
        session = int(job.jid or 0)
        for pid in [int(name) for name in os.listdir("/proc") if name.isdigit()]:
            try:
                if os.getsid(pid) == session:
                    os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


async def test_a_killed_job_needs_no_record(tmp_path: Path) -> None:
    scheduler: Scheduler = KillsTheRecorder(tmp_path / "run")
    with anyio.fail_after(60):
        async with Runner(scheduler, plugins=[]) as runner:
            job = await runner.feed(HELD)
            await running(job)
            await runner.kill(job)
            assert (job.status, job.failure, job.rc) == (JobStatus.KILLED, Failure.CANCELLED, None)


async def test_stubborn_jobs_are_killed_at_the_same_time(tmp_path: Path) -> None:
    inside: list[int] = []
    most = 0
    all_in = anyio.Event()

    class Slow(Session):  # type: ignore[misc]  # the README's, known at run time
        async def kill_job(self, job: Job) -> None:
            nonlocal most
            inside.append(job.index)
            most = max(most, len(inside))
            if most == 3:
                all_in.set()
            with anyio.move_on_after(60):
                await all_in.wait()
            await super().kill_job(job)
            inside.remove(job.index)

    async with Runner(Slow(tmp_path / "run", forks=3), plugins=[]) as runner:
        jobs = [await runner.feed(HELD) for _ in range(3)]
        await running(*jobs)
        await runner.cancel()
    assert most == 3
    assert {job.status for job in jobs} == {JobStatus.KILLED}


async def test_t53_an_end_that_is_seen_twice_at_once_is_one_end(tmp_path: Path) -> None:
    calls: list[str] = []

    class Thoughtful:
        @hookimpl
        async def on_job_started(self, job: Job) -> None:
            calls.append("started")
            await anyio.sleep(0.2)

        @hookimpl
        async def on_job_succeeded(self, job: Job) -> None:
            calls.append("succeeded")

    class Chatty(Session):  # type: ignore[misc]  # the README's, known at run time
        events = "fallback"

        async def watch(self, report: Any) -> None:
            while not calls:
                (job,) = self.session.jobs.values() or (None,)
                if job is not None and job.status is JobStatus.SUBMITTED:
                    end = Observation(EngineState.RECORDED, rc=0, started=1.0, ended=2.0)
                    report(AttemptId(job.index, job.attempt), end)
                    report(AttemptId(job.index, job.attempt), end)
                    return
                await anyio.sleep(0.01)

    with anyio.fail_after(60):
        async with Runner(Chatty(tmp_path / "run"), plugins=[Thoughtful()]) as runner:
            job = await runner.wait(await runner.feed(["/bin/true"]))
            assert job.status is JobStatus.FINISHED
    assert calls == ["started", "succeeded"]


async def test_the_engines_id_is_not_replaced_by_the_wrappers_pid(tmp_path: Path) -> None:
    ids: list[str] = []

    class Named(Session):  # type: ignore[misc]  # the README's, known at run time
        wrapper_jid = ""

        async def submit_job(self, job: Job) -> str:
            ids.append(f"engine-{await super().submit_job(job)}")
            return ids[-1]

    async with Runner(Named(tmp_path / "run"), plugins=[]) as runner:
        job = await runner.wait(await runner.feed(["/bin/true"]))
        assert [job.jid] == ids
