"""The engine's tools: what they are given, what they answer for a while, and what they leave behind."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import pytest

from sched_core import EngineUnavailable, JobStatus
from sched_hpc.cluster.tool import Answer, Toolbox

from ..jobs import ONCE, Watched, begun, pending, ran, running, until, waiting
from ..leftovers import leaves_nothing
from .engine import Engine

__all__ = ["Calls"]

_NOBODY = "nobody"


class _OfNobody(Toolbox):
    """Asks for another user's queue, while it is told to: all jobs seem to be gone."""

    asks = ""

    async def run(
        self, argv: Sequence[str], stdin: bytes = b"", extra: Mapping[str, str] | None = None
    ) -> Answer:
        if self.asks and os.path.basename(argv[0]) == self.asks:
            argv = [_NOBODY if word == _user(argv) else word for word in argv]
            argv = [f"--user={_NOBODY}" if word.startswith("--user=") else word for word in argv]
        return await super().run(argv, stdin, extra)


def _user(argv: Sequence[str]) -> str:
    return argv[argv.index("-u") + 1] if "-u" in argv else ""


class Calls:
    pytestmark = pytest.mark.timeout(300)

    async def test_t19_an_empty_queue_has_nothing_submitted_again(
        self, small_arrays: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sched_core.lifecycle.reconcile._CONFIRM_AFTER", 0.2)
        options: dict[str, Any] = {"forks": 4, "error_strategy": "retry"}
        scheduler = small_arrays.scheduler_class(tmp_path / "run", **options)
        toolbox = scheduler.toolbox = _OfNobody(scheduler.tools, scheduler.tool_patience)
        async with running(scheduler) as runner:
            jobs = await runner.feed_all([waiting()] * 8)
            for job in jobs[:4]:
                await begun(job)
            for job in jobs[4:]:
                await pending(job)
            toolbox.asks = small_arrays.asks
            # An answer about some of the jobs that the next ones confirm would be believed.
            asked = toolbox.calls[small_arrays.asks] + 8
            await until(lambda: toolbox.calls[small_arrays.asks] >= asked)
            assert {job.status for job in jobs} == {JobStatus.RUNNING, JobStatus.SUBMITTED}
            toolbox.asks = ""
            await (scheduler.workdir / "gate").write_text("")
        assert {(job.status, job.attempt) for job in jobs} == {(JobStatus.FINISHED, 1)}
        assert toolbox.calls[small_arrays.submits] == 1

    @pytest.mark.timeout(1800)
    async def test_t20_kills_of_each_job_are_few_calls_with_an_end_each(
        self, engine: Engine, tmp_path: Path, full: bool
    ) -> None:
        count = 10_000 if full else 120
        scheduler = engine.scheduler_class(tmp_path / "run", forks=6)
        watched = Watched(scheduler)

        async def unheard() -> None:
            raise EngineUnavailable("the answer was lost", retry_after=0.1)

        watched.after, watched.tool = unheard, engine.kills
        async with running(scheduler, patience=1700) as runner:
            first, kept, *others = await runner.feed_all(
                [["true"], waiting(), *[waiting()] * count]
            )
            await runner.wait(first)
            for job in (kept, *others[:4]):
                await begun(job)
            queued = JobStatus.SUBMITTED  # far more than run, though perhaps not all
            await until(lambda: sum(job.status is queued for job in others) > 100)
            async with anyio.create_task_group() as group:
                for job in [first, *others]:
                    group.start_soon(runner.kill, job)
            assert (first.status, kept.status) == (JobStatus.FINISHED, JobStatus.RUNNING)
            await (scheduler.workdir / "gate").write_text("")
        assert {job.status for job in others} == {JobStatus.KILLED}
        assert kept.status is JobStatus.FINISHED
        assert sum(len(ran(scheduler.workdir, job)) for job in others) <= 6
        assert watched.struck.is_set()
        assert watched.calls[engine.kills] <= 5
        await until(lambda: scheduler.session.run not in engine.queue())

    async def test_t21_a_name_that_the_engine_would_refuse_is_changed_and_leads_back(
        self, engine: Engine, tmp_path: Path
    ) -> None:
        prefix = "9 jobs/of:mine@*?%j,[x]'\"\\é" + "long" * 60
        scheduler = engine.scheduler_class(tmp_path / "run", jobname_prefix=prefix)
        watched = Watched(scheduler)

        async def lost() -> None:
            raise TimeoutError

        watched.after, watched.tool = lost, engine.submits
        async with running(scheduler) as runner:
            job = await runner.feed(["/bin/bash", "-c", ONCE])
            await runner.wait(job)
            other = await runner.feed(waiting())
            await begun(other)
            names = engine.queue()
            assert scheduler.session.run in names
            await (scheduler.workdir / "gate").write_text("")
        # Its id was lost with the answer: it was found by its name.
        assert watched.struck.is_set()
        assert [(one.status, one.attempt) for one in (job, other)] == [(JobStatus.FINISHED, 1)] * 2
        assert ran(scheduler.workdir, job) == ran(scheduler.workdir, other) == ["1"]
        assert watched.calls[engine.submits] == 2

    async def test_t22_a_script_longer_than_the_engine_takes(
        self, engine: Engine, tmp_path: Path
    ) -> None:
        prescript = "SET=1\n" + f"# {'x' * 97}\n" * 50_000 + "export SET"
        scheduler = engine.scheduler_class(tmp_path / "run", prescript=prescript)
        async with running(scheduler) as runner:
            wanted = {"memory": "200 MiB"}  # bash has it all in memory
            jobs = await runner.feed_all(
                [{"cmd": ["/bin/sh", "-c", "echo $SET"], "resources": wanted}] * 2
            )
        assert [await job.stdout_file.read_text() for job in jobs] == ["1\n"] * 2

    async def test_t28_a_tool_that_leaves_a_child_with_its_output_open(
        self, engine: Engine, tmp_path: Path
    ) -> None:
        pid = tmp_path / "pid"
        tool = tmp_path / engine.submits
        tool.write_text(
            f'#!/bin/sh\nsleep 1000 & echo $! >{pid}\nexec {shutil.which(engine.submits)} "$@"\n'
        )
        tool.chmod(0o755)
        options: dict[str, Any] = {engine.submits: str(tool)}
        scheduler = engine.scheduler_class(tmp_path / "run", **options)
        try:
            async with running(scheduler) as runner:
                job = await runner.wait(await runner.feed(["true"]))
            assert job.status is JobStatus.FINISHED
            assert Path(f"/proc/{pid.read_text().strip()}").exists()
        finally:
            with suppress(ProcessLookupError, FileNotFoundError):
                os.kill(int(pid.read_text()), signal.SIGKILL)

    @pytest.mark.timeout(1800)
    async def test_t29_many_jobs_leave_nothing_in_the_driver(
        self, engine: Engine, tmp_path: Path, full: bool
    ) -> None:
        scheduler = engine.scheduler_class(tmp_path / "run", forks=60)
        async with running(scheduler, patience=1700) as runner:
            await leaves_nothing(runner, ["true"], 5000 if full else 60)
        assert scheduler.toolbox.calls[engine.submits] >= 2
