"""Arrays of the real Grid Engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sched_core import Failure

from ..clusters.arrays import Arrays, run_many
from ..clusters.engine import Engine
from ..jobs import begun, running, until, waiting
from .cluster import SgeCluster
from .helpers import Asked

pytestmark = pytest.mark.timeout(300)


class TestArrays(Arrays):
    """What holds for every cluster."""


@pytest.mark.full
@pytest.mark.timeout(2400)
async def test_two_thousand_jobs_are_two_arrays(engine: Engine, tmp_path: Path) -> None:
    await run_many(engine, tmp_path / "run", 2000, 4)


async def test_t52_the_accounting_is_asked_only_about_what_the_queue_does_not_know(
    sge: SgeCluster, tmp_path: Path
) -> None:
    scheduler = Asked(tmp_path / "run", forks=5)
    calls = scheduler.toolbox.calls
    async with running(scheduler) as runner:
        jobs = await runner.feed_all([waiting()] * 5)
        for job in jobs:
            await begun(job)
        await until(asked_again(scheduler, 3))
        assert calls["qacct"] == 0
        before = calls["qstat"]
        sge.run("qdel", str(jobs[0].jid))
        await runner.wait(jobs[0])
        told = calls["qacct"]
        assert 1 <= told <= calls["qstat"] - before
        await until(asked_again(scheduler, 3))
        assert calls["qacct"] == told
        await (scheduler.workdir / "gate").write_text("")
    assert [job.failure for job in jobs] == [Failure.CANCELLED, None, None, None, None]


def asked_again(scheduler: Asked, times: int) -> Callable[[], bool]:
    calls = scheduler.toolbox.calls
    wanted = calls["qstat"] + times
    return lambda: calls["qstat"] >= wanted
