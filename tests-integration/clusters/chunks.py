"""Several jobs in one task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sched_core import Failure, JobStatus

from ..jobs import ONCE, begun, ran, running, until, waiting
from .engine import Engine

__all__ = ["Chunks"]


class Chunks:
    pytestmark = pytest.mark.timeout(300)

    async def test_short_jobs_share_tasks(self, engine: Engine, tmp_path: Path) -> None:
        script = f'{ONCE}; [ "$SCHED_ATTEMPT" -gt $((SCHED_JOB_INDEX % 2)) ]'
        options: dict[str, Any] = {"error_strategy": "retry", "num_retries": 1}
        scheduler = engine.scheduler_class(tmp_path / "run", forks=4, chunk=10, **options)
        async with running(scheduler) as runner:
            jobs = await runner.feed_all([["/bin/sh", "-c", script]] * 100)
        assert {job.status for job in jobs} == {JobStatus.FINISHED}
        assert [ran(scheduler.workdir, job) for job in jobs] == [["1"], ["1", "2"]] * 50
        first = {job.jid for job in jobs[::2]}
        assert len(first) == 10
        # Seven tasks have to end before one may go again; then at most these three's come singly.
        assert scheduler.toolbox.calls[engine.submits] < 20

    async def test_one_of_a_task_is_killed_alone(self, engine: Engine, tmp_path: Path) -> None:
        scheduler = engine.scheduler_class(tmp_path / "run", chunk=3, grace=1)
        async with running(scheduler) as runner:
            killed, *others = await runner.feed_all([waiting()] * 3)
            await begun(killed)
            await runner.kill(killed)
            await until(lambda: killed.status.final)
            await (scheduler.workdir / "gate").write_text("")
        assert (killed.status, killed.failure) == (JobStatus.KILLED, Failure.CANCELLED)
        assert {job.status for job in others} == {JobStatus.FINISHED}
        assert len({job.jid for job in [killed, *others]}) == 1
        assert scheduler.toolbox.calls[engine.kills] == 0

    async def test_a_task_that_is_cancelled_by_hand_takes_all_its_jobs_along(
        self, engine: Engine, tmp_path: Path
    ) -> None:
        scheduler = engine.scheduler_class(tmp_path / "run", forks=2, chunk=2)
        async with running(scheduler) as runner:
            first, second, other = await runner.feed_all([waiting()] * 3)
            await begun(first)
            await begun(other)
            engine.cancel(first)
            await until(lambda: first.status.final and second.status.final)
            await (scheduler.workdir / "gate").write_text("")
        assert {(job.status, job.failure) for job in (first, second)} == {
            (JobStatus.FAILED, Failure.CANCELLED)
        }
        assert ran(scheduler.workdir, second) == []
        assert other.status is JobStatus.FINISHED

    async def test_a_task_that_is_requeued_goes_on_where_it_was(
        self, engine: Engine, tmp_path: Path
    ) -> None:
        scheduler = engine.scheduler_class(tmp_path / "run", chunk=3, **engine.restartable)
        async with running(scheduler) as runner:
            jobs = await runner.feed_all([["/bin/sh", "-c", ONCE], waiting(), waiting()])
            again = jobs[1]
            await begun(again)
            await engine.start_again(again)
            await (scheduler.workdir / "gate").write_text("")
        assert {job.status for job in jobs} == {JobStatus.FINISHED}
        assert [ran(scheduler.workdir, job) for job in jobs] == [["1"], ["1", "1"], ["1"]]
        assert (again.restart, again.trial_count) == (1, 0)
