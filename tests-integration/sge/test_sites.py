"""How sites set Grid Engine up: accounting that is late or off, limits on jobs, small arrays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sched_core import Failure, JobStatus

from ..clusters.engine import Engine
from ..clusters.outcomes import cancel_what_runs
from ..jobs import begun, explained, pending, ran, running, until, waiting
from .cluster import SgeCluster
from .helpers import Asked

pytestmark = pytest.mark.timeout(300)


@contextmanager
def changed(sge: SgeCluster, **settings: str) -> Iterator[None]:
    lines = [line.split(None, 1) for line in sge.run("qconf", "-sconf").splitlines()]
    before = {words[0]: words[1] for words in lines if len(words) == 2}
    sge.change(**settings)
    try:
        yield
    finally:
        sge.change(**{name: before[name] for name in settings})


async def test_t09_t52_the_accounting_is_late(
    sge: SgeCluster, engine: Engine, tmp_path: Path
) -> None:
    late = "accounting=true reporting=false flush_time=00:00:12 accounting_flush_time=00:00:12"
    with changed(sge, reporting_params=late):
        job = await cancel_what_runs(engine, Asked(tmp_path / "run", error_strategy="retry"))
    assert (job.status, job.failure, job.rc) == (JobStatus.FAILED, Failure.CANCELLED, 143)


async def test_t09_t52_the_accounting_is_off(sge: SgeCluster, tmp_path: Path) -> None:
    with changed(sge, reporting_params="accounting=false reporting=false"):
        scheduler = Asked(tmp_path / "run", forks=2)
        async with running(scheduler) as runner:
            job, other = await runner.feed_all([waiting()] * 2)
            await begun(job)
            await begun(other)
            sge.run("qdel", str(job.jid))
            await runner.wait(job)
            await (scheduler.workdir / "gate").write_text("")
        doctor = {name: verdict for name, verdict, _ in await scheduler.doctor()}
    # Its own record is all that is known of it.
    assert (job.status, job.failure, job.rc) == (JobStatus.FAILED, Failure.EXIT, 143)
    assert other.status is JobStatus.FINISHED
    assert scheduler.toolbox.calls["qacct"] == 0
    assert doctor["accounting"] is None


async def test_t18_as_many_jobs_as_a_user_may_have_are_no_reason_to_fail(
    sge: SgeCluster, tmp_path: Path
) -> None:
    with changed(sge, max_u_jobs="1"):
        scheduler = Asked(tmp_path / "run", forks=10)
        async with running(scheduler) as runner:
            first = await runner.feed(waiting())
            await begun(first)
            refused = scheduler.toolbox.calls["qsub"]
            second = await runner.feed(waiting())
            # The second call follows the first one's answer.
            await until(lambda: scheduler.toolbox.calls["qsub"] > refused + 1)
            assert second.status is JobStatus.QUEUED
            await (scheduler.workdir / "gate").write_text("")
        jobs = runner.jobs
    assert [(job.status, job.attempt) for job in jobs] == [(JobStatus.FINISHED, 1)] * 2


async def test_t17_arrays_that_became_smaller_while_the_run_went_on(
    sge: SgeCluster, tmp_path: Path
) -> None:
    scheduler = Asked(tmp_path / "run", forks=10)
    async with running(scheduler) as runner:
        with changed(sge, max_aj_tasks="3"):
            jobs = await runner.feed_all([["/bin/true"]] * 10)
            await runner.stop_feeding()
    assert {job.status for job in jobs} == {JobStatus.FINISHED}
    assert len({str(job.jid).partition(".")[0] for job in jobs}) >= 4


async def test_an_array_that_may_run_few_tasks_at_once_leaves_no_place_empty(
    sge: SgeCluster, tmp_path: Path
) -> None:
    with changed(sge, max_aj_instances="2"):
        scheduler = Asked(tmp_path / "run", forks=6)
        async with running(scheduler) as runner:
            jobs = await runner.feed_all([waiting()] * 6)
            for job in jobs:
                await begun(job)
            await (scheduler.workdir / "gate").write_text("")
    assert {job.status for job in jobs} == {JobStatus.FINISHED}


async def test_a_request_that_nothing_can_fulfil_waits_where_the_user_says_so(
    sge: SgeCluster, tmp_path: Path
) -> None:
    scheduler = Asked(tmp_path / "run", w="n", pe="smp 4000")
    async with running(scheduler) as runner:
        job = await runner.feed(["/bin/true"])
        await pending(job)
        await explained(scheduler, job, "it only offers")
        await runner.kill(job)
    assert (job.status, job.failure) == (JobStatus.KILLED, Failure.CANCELLED)
    assert ran(tmp_path / "run", job) == []
    await until(lambda: not sge.run("qstat"))
