"""What the engine's tools answer: around an id, in what time zone, how often they are asked, and how late records are."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from sched_core import AttemptId, Failure, JobStatus
from sched_core.ports import SystemPorts
from sched_hpc.cluster import ClusterScheduler
from sched_hpc.cluster.tool import Answer, Toolbox

from ..jobs import ONCE, begun, pending, ran, running, until, waiting
from ..latefiles import LateFiles
from .engine import Engine

__all__ = ["Answers", "late_records_are_waited_for"]

_AROUND = """\
#!/bin/bash
echo "*** Welcome! 42 jobs run on 3 nodes ***"
echo "warning: maintenance on monday, job 7 will be lost" >&2
{real} "$@" || exit
echo "Have a nice day, user 1000"
"""
_SILENT = '#!/bin/bash\n{real} "$@" >/dev/null\n'


class _Together(Toolbox):
    """Notes how many tools ran at once, at most."""

    now = most = 0

    async def run(
        self, argv: Sequence[str], stdin: bytes = b"", extra: Mapping[str, str] | None = None
    ) -> Answer:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            return await super().run(argv, stdin, extra)
        finally:
            self.now -= 1


def _wrapped(tool: str, text: str, folder: Path) -> str:
    """Return a program that a site has put around a tool."""
    program = folder / tool
    program.write_text(text.format(real=shutil.which(tool)))
    program.chmod(0o755)
    return os.fspath(program)


@pytest.fixture
def far_away(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have the driver in another time zone than the engine's daemons, where it is another day."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "EAST-14" if time.gmtime().tm_hour >= 10 else "WEST+11")
        time.tzset()
        yield
    time.tzset()


class Answers:
    pytestmark = pytest.mark.timeout(300)

    async def test_t03_a_thousand_active_jobs_are_one_question(
        self, engine: Engine, tmp_path: Path
    ) -> None:
        scheduler = engine.scheduler_class(tmp_path / "run", forks=1000, **engine.held)
        toolbox = scheduler.toolbox = _Together(scheduler.tools, scheduler.tool_patience)
        async with running(scheduler) as runner:
            jobs = await runner.feed_all([["/bin/true"]] * 1000)
            for job in jobs:
                await pending(job)
            before = toolbox.calls.copy()
            began = time.monotonic()
            await until(lambda: toolbox.calls[engine.asks] >= before[engine.asks] + 4)
            asked = toolbox.calls[engine.asks] - before[engine.asks]
            most = (time.monotonic() - began) / scheduler.poll_interval[0] + 1
            await runner.cancel()
        assert asked <= most
        assert toolbox.most <= 2
        assert toolbox.calls[engine.submits] == 1

    @pytest.mark.usefixtures("far_away")
    async def test_t10_the_engine_s_times_in_another_time_zone(
        self, engine: Engine, tmp_path: Path
    ) -> None:
        scheduler = engine.scheduler_class(tmp_path / "run")
        before = time.time()
        async with running(scheduler) as runner:
            job = await runner.feed(waiting())
            await begun(job)
            told = (await scheduler.query_jobs([job]))[AttemptId(job.index, job.attempt)]
            engine.cancel(job)
            await runner.wait(job)
        assert (job.status, job.failure) == (JobStatus.FAILED, Failure.CANCELLED)
        for moment in (told.started, job.started, job.ended):
            assert moment is not None
            assert before - 2 <= moment <= time.time() + 2  # in whole seconds

    async def test_t16_a_site_that_prints_around_the_id(
        self, engine: Engine, tmp_path: Path
    ) -> None:
        program: Any = {engine.submits: _wrapped(engine.submits, _AROUND, tmp_path)}
        scheduler = engine.scheduler_class(tmp_path / "run", forks=2, **program)
        async with running(scheduler) as runner:
            jobs = await runner.feed_all([["/bin/sh", "-c", ONCE]] * 3)
        assert {(job.status, job.attempt) for job in jobs} == {(JobStatus.FINISHED, 1)}
        assert [ran(scheduler.workdir, job) for job in jobs] == [["1"]] * 3

    async def test_t16_a_site_that_prints_no_id_has_the_job_looked_up(
        self, engine: Engine, tmp_path: Path
    ) -> None:
        program: Any = {engine.submits: _wrapped(engine.submits, _SILENT, tmp_path)}
        scheduler = engine.scheduler_class(tmp_path / "run", **program)
        async with running(scheduler) as runner:
            job = await runner.feed(waiting())
            await begun(job)
            assert job.jid is not None
            await (scheduler.workdir / "gate").write_text("")
        assert (job.status, job.attempt) == (JobStatus.FINISHED, 1)
        assert scheduler.toolbox.calls[engine.submits] == 1

    @pytest.mark.parametrize("delay", [4.0, pytest.param(60.0, marks=pytest.mark.full)])
    async def test_t08_records_that_are_late_are_waited_for(
        self, engine: Engine, tmp_path: Path, delay: float
    ) -> None:
        await late_records_are_waited_for(engine.scheduler_class(tmp_path / "run"), delay)


async def late_records_are_waited_for(scheduler: ClusterScheduler, delay: float) -> None:
    """Have what jobs write be seen by the driver only so many seconds later."""
    async with running(scheduler, ports=SystemPorts(LateFiles(delay))) as runner:
        jobs = await runner.feed_all([["/bin/sh", "-c", f"{ONCE}; exit {rc}"] for rc in (0, 3)])
        await runner.stop_feeding()
    ends = [(job.status, job.failure, job.rc, job.attempt) for job in jobs]
    assert ends == [
        (JobStatus.FINISHED, None, 0, 1),
        (JobStatus.FAILED, Failure.EXIT, 3, 1),
    ]
    assert [ran(scheduler.workdir, job) for job in jobs] == [["1"]] * 2
