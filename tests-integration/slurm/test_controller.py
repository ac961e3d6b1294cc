"""A controller that is down, hangs, or loses what it had taken: nothing lost, nothing twice."""

from __future__ import annotations

import secrets
import signal
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import anyio
import pytest

from sched_core import Job, JobStatus

from ..clusters.troubles import Step, cases, is_survived, run_on_unasked
from ..jobs import ONCE, Watched, pending, ran, running, until
from .cluster import Saved, SlurmCluster
from .helpers import Asked, SlurmEngine

pytestmark = pytest.mark.timeout(300)


def down(slurm: SlurmCluster) -> tuple[Step, Step]:
    """Stop it before a tool is run, and start it again when that has failed."""

    async def before() -> None:
        await anyio.to_thread.run_sync(slurm.controller.stop)

    return before, partial(up_again, slurm)


def hung(slurm: SlurmCluster) -> tuple[Step, Step]:
    """Have it stand still while a tool waits for its answer: the request is in its socket."""

    async def before() -> None:
        slurm.controller.signal(signal.SIGSTOP)

    return before, partial(up_again, slurm)


def killed(slurm: SlurmCluster) -> tuple[Step, Step]:
    """Kill it just after its answer, before it has saved anything that the tool was run for."""
    known: dict[Path, bytes] = {}

    async def before() -> None:
        known.update(await saved_now(slurm))

    async def after() -> None:
        slurm.crash(known)
        await up_again(slurm)

    return before, after


async def saved_now(slurm: SlurmCluster) -> Saved:
    """Return what the controller has saved, once that is all that it knows now: it tells of a last job."""
    last = f"last-{secrets.token_hex(8)}"
    wrap = ("--output=/dev/null", "--wrap", "true")
    job = slurm.run("sbatch", "--parsable", "--hold", f"--job-name={last}", *wrap).strip()
    slurm.run("scancel", job)
    jobs = slurm.root / "state" / "job_state"
    found: dict[Path, bytes] = {}

    def is_all() -> bool:
        found.clear()
        found.update(slurm.saved())
        return last.encode() in found.get(jobs, b"")

    await until(is_all)
    return found


async def up_again(slurm: SlurmCluster) -> None:
    if slurm.controller.alive:
        slurm.controller.signal(signal.SIGCONT)
    slurm.controller.start()  # by this thread: it ends with it
    await anyio.to_thread.run_sync(slurm.until_ready)


@pytest.mark.parametrize(
    "trouble, tool",
    cases(SlurmEngine, (down, hung, killed), in_ci=[(hung, "sbatch"), (down, "scancel")]),
)
async def test_t04_trouble_at_any_step(
    frail_slurm: SlurmCluster,
    tmp_path: Path,
    trouble: Callable[[SlurmCluster], tuple[Step, Step]],
    tool: str,
) -> None:
    scheduler = Asked(tmp_path / "run", forks=4)
    await is_survived(SlurmEngine(frail_slurm), scheduler, tool, *trouble(frail_slurm))


async def test_t27_jobs_that_the_controller_has_forgotten_are_submitted_again(
    frail_slurm: SlurmCluster, tmp_path: Path
) -> None:
    """Their ids belong to other jobs by then: those are left alone."""
    slurm = frail_slurm
    scheduler = Asked(tmp_path / "run", begin="now+1hour")
    watched = Watched(scheduler)
    before = await saved_now(slurm)
    others = []

    async def forget() -> None:
        slurm.crash(before)
        await up_again(slurm)
        wrap = ("sbatch", "--parsable", "--output=/dev/null", "--wrap", "sleep 600")
        others.append(slurm.run(*wrap).strip())

    watched.after, watched.tool = forget, "sbatch"
    async with running(scheduler) as runner:
        job = await runner.feed(["/bin/sh", "-c", ONCE])
        await pending(job)
        assert others == [job.jid]
        await until(lambda: job.attempt == 2 and job.status is JobStatus.SUBMITTED)
        slurm.run("scontrol", "update", f"JobId={job.jid}", "StartTime=now")
        await runner.wait(job)
        assert (job.status, job.attempt, job.trial_count) == (JobStatus.FINISHED, 2, 0)
        assert [job.jid] != others
    assert ran(scheduler.workdir, job) == ["2"]
    state = slurm.run("squeue", "--noheader", "--jobs", others[0], "--format=%T").strip()
    assert state in ("RUNNING", "PENDING")
    slurm.run("scancel", others[0])


async def test_t01_jobs_run_on_while_nobody_is_there_to_be_asked(
    frail_slurm: SlurmCluster, tmp_path: Path
) -> None:
    away = partial(anyio.to_thread.run_sync, frail_slurm.controller.stop)
    await run_on_unasked(
        SlurmEngine(frail_slurm),
        Asked(tmp_path / "run", forks=5),
        away,
        partial(up_again, frail_slurm),
    )


@pytest.mark.full
async def test_a_run_may_begin_before_the_controller_does(
    frail_slurm: SlurmCluster, tmp_path: Path
) -> None:
    await anyio.to_thread.run_sync(frail_slurm.controller.stop)
    scheduler = Asked(tmp_path / "run", forks=3)
    watched = Watched(scheduler)
    async with running(scheduler) as runner:
        jobs = await runner.feed_all([["/bin/sh", "-c", ONCE]] * 6)
        # to submit an array it must be known how large one may be
        await until(lambda: watched.calls["scontrol"] >= 3)
        assert {job.status for job in jobs} == {JobStatus.QUEUED}
        await up_again(frail_slurm)
        await runner.stop_feeding()
    assert [ran(scheduler.workdir, job) for job in jobs] == [["1"]] * 6


@pytest.mark.full
async def test_a_controller_that_dies_again_and_again_while_jobs_run(
    frail_slurm: SlurmCluster, tmp_path: Path
) -> None:
    """Killed at any moment it may forget that jobs have started: what it ends then is tried again."""
    scheduler = Asked(tmp_path / "run", forks=10, error_strategy="retry", num_retries=5)
    async with running(scheduler) as runner:
        jobs = await runner.feed_all(
            [["/bin/sh", "-c", "sleep 1; echo >>$SCHED_JOB_METADIR/end"]] * 40
        )
        for number in range(3):
            await until(partial(some_have_ended, jobs, 3 * number))
            frail_slurm.crash()
            await up_again(frail_slurm)
        await runner.stop_feeding()
    assert {job.status for job in jobs} == {JobStatus.FINISHED}
    assert [(await (job.metadir / "end").read_text()).count("\n") for job in jobs] == [1] * 40


def some_have_ended(jobs: Sequence[Job], count: int) -> bool:
    return sum(job.status.final for job in jobs) > count
