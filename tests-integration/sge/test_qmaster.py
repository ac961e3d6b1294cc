"""A qmaster that is down, hangs, or loses what it had taken: nothing lost, nothing twice."""

from __future__ import annotations

import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import ClassVar

import anyio
import pytest

from sched_core import JobStatus

from ..clusters.troubles import Step, cases, is_survived, run_on_unasked
from ..jobs import ONCE, Watched, pending, ran, running, until
from .cluster import SgeCluster
from .helpers import Asked, SgeEngine

pytestmark = pytest.mark.timeout(300)


class Impatient(Asked):
    tool_patience: ClassVar[float] = 4.0


async def up_again(sge: SgeCluster) -> None:
    if sge.qmaster.alive:
        sge.qmaster.signal(signal.SIGCONT)
    sge.qmaster.start()  # by this thread: it ends with it
    await anyio.to_thread.run_sync(sge.start_qmaster)


def down(sge: SgeCluster) -> tuple[Step, Step]:
    """End it before a tool is run, and start it again when that has failed."""

    async def before() -> None:
        sge.qmaster.kill()

    return before, partial(up_again, sge)


def hung(sge: SgeCluster) -> tuple[Step, Step]:
    """Have it stand still while a tool waits for its answer: the request is in its socket."""

    async def before() -> None:
        sge.qmaster.signal(signal.SIGSTOP)

    return before, partial(up_again, sge)


def killed(sge: SgeCluster) -> tuple[Step, Step]:
    """Kill it just after its answer."""

    async def before() -> None:
        # Killed while it starts a task, 8.1.9 itself never starts another one of that array.
        sge.run("qmod", "-d", "all.q")

    async def after() -> None:
        sge.qmaster.kill()
        await up_again(sge)
        sge.run("qmod", "-e", "all.q")

    return before, after


@pytest.mark.parametrize(
    "trouble, tool",
    cases(SgeEngine, (down, hung, killed), in_ci=[(hung, "qsub"), (killed, "qdel")]),
)
async def test_t04_trouble_at_any_step(
    sge: SgeCluster,
    tmp_path: Path,
    trouble: Callable[[SgeCluster], tuple[Step, Step]],
    tool: str,
) -> None:
    scheduler = Impatient(tmp_path / "run", forks=4)
    await is_survived(SgeEngine(sge), scheduler, tool, *trouble(sge))


@pytest.mark.parametrize("reused", [True, False])
async def test_t27_jobs_that_the_qmaster_has_forgotten_are_submitted_again(
    sge: SgeCluster, tmp_path: Path, reused: bool
) -> None:
    """Their ids may belong to other jobs by then: those are left alone."""
    scheduler = Asked(tmp_path / "run", h=True)
    watched = Watched(scheduler)
    before = sge.saved()  # by this thread: the qmaster that it starts ends with it
    others = []

    async def forget() -> None:
        sge.forget(before)
        if reused:
            others.append(sge.submit("other", "sleep 600"))

    watched.after, watched.tool = forget, "qsub"
    async with running(scheduler) as runner:
        job = await runner.feed(["/bin/sh", "-c", ONCE])
        await pending(job)
        taken = job.jid
        await until(lambda: job.attempt == 2 and job.status is JobStatus.SUBMITTED)
        sge.run("qrls", str(job.jid))
        await runner.wait(job)
        assert (job.status, job.attempt, job.trial_count) == (JobStatus.FINISHED, 2, 0)
    assert ran(scheduler.workdir, job) == ["2"]
    if reused:
        assert others == [taken]
        assert sge.state(others[0]) in ("r", "qw", "t")
        sge.run("qdel", others[0])


@pytest.mark.full  # for half a minute the host does not come back to the qmaster
async def test_t01_jobs_run_on_while_nobody_is_there_to_be_asked(
    sge: SgeCluster, tmp_path: Path
) -> None:
    async def away() -> None:
        sge.qmaster.kill()

    scheduler = Asked(tmp_path / "run", forks=5)
    await run_on_unasked(SgeEngine(sge), scheduler, away, partial(up_again, sge))
