"""Kills and time limits: the whole tree goes, nobody else does, and the records tell."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from sched_core import Job, JobStatus, Runner, hookimpl
from sched_local import LocalScheduler

from .processes import carriers, wait_until_none
from .running import LIMITS, PATIENCE, outcome, past_limit, runner, shell, until, until_running

GRACE = 0.4
STUBBORN = """
trap '' TERM
setsid bash -c 'trap "" TERM; while :; do sleep 0.05; done' &
(setsid setsid bash -c 'trap "" TERM; exec -a elsewhere sleep 600' &)
echo begun
while :; do sleep 0.05; done
"""
WHOLE_TREE = 5  # three that last, and two short sleeps that come and go
TIDY = "trap 'echo told; exit 7' TERM; echo begun; while :; do sleep 0.05; done"


@pytest.fixture
def workdir(tmp_path: Path) -> Path:
    return tmp_path / "run"


@pytest.fixture
def bystanders() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes of this user with which no run has to do, one in a group of its own."""
    processes = [
        subprocess.Popen(["sleep", "600"], start_new_session=True),
        subprocess.Popen(["sleep", "600"]),
        subprocess.Popen(["sleep", "600"], env={**os.environ, "SCHED_JOB_TOKEN": "another-0-1"}),
    ]
    yield processes
    alive = [process.poll() is None for process in processes]
    for process in processes:
        process.kill()
        process.wait()
    assert alive == [True, True, True]


def token(running: Runner, job: Job) -> str:
    return f"{running.scheduler.session.run}-{job.index}-{job.attempt}"


async def until_begun(job: Job) -> None:
    await until_running(job)
    with anyio.fail_after(PATIENCE):
        while not await job.stdout_file.read_text():  # noqa: ASYNC110  # another process writes it
            await anyio.sleep(0.01)


async def test_t25_a_kill_ends_the_whole_tree_and_nobody_else(
    workdir: Path, bystanders: list[subprocess.Popen[bytes]]
) -> None:
    async with runner(workdir, forks=2, grace=GRACE) as running:
        job, other = [await running.feed(shell(STUBBORN)) for _ in range(2)]
        await until_begun(job)
        await until_begun(other)
        tokens = [token(running, one) for one in (job, other)]
        await until(lambda: min(len(carriers(carried)) for carried in tokens) >= WHOLE_TREE)
        with anyio.fail_after(PATIENCE):
            await running.kill(job)
        assert carriers(token(running, job)) == []
        await until(lambda: len(carriers(token(running, other))) >= WHOLE_TREE)
        await running.kill(other)
        assert carriers(token(running, other)) == []
    assert outcome(job) == ("KILLED", 137, "CANCELLED")
    assert len(bystanders) == 3


async def test_a_job_is_asked_to_end_first(workdir: Path) -> None:
    async with runner(workdir, grace=600) as running:
        job = await running.feed(shell(TIDY))
        await until_begun(job)
        with anyio.fail_after(PATIENCE):
            await running.kill(job)
    assert outcome(job) == ("KILLED", 7, "CANCELLED")
    assert (workdir / "0/job.stdout").read_text() == "begun\ntold\n"
    assert (workdir / "0/job.rc").read_text() == "7\n"
    assert (workdir / "0/job.status").read_text() == "8"


async def test_a_stopped_job_can_be_killed(workdir: Path) -> None:
    async with runner(workdir, grace=600) as running:
        job = await running.feed(shell(TIDY))
        await until_begun(job)
        os.killpg(int(job.jid or 0), signal.SIGSTOP)
        with anyio.fail_after(PATIENCE):
            await running.kill(job)
    assert outcome(job)[::2] == ("KILLED", "CANCELLED")


async def test_a_queued_job_is_killed_without_ever_starting(workdir: Path, tmp_path: Path) -> None:
    go = tmp_path / "go"
    async with runner(workdir, forks=1) as running:
        first = await running.feed(shell("until [[ -e $1 ]]; do sleep 0.02; done", go))
        queued = [await running.feed(["touch", str(tmp_path / "ran")]) for _ in range(200)]
        await until_running(first)
        for job in (queued[0], queued[1], queued[150]):
            with anyio.fail_after(PATIENCE):
                await running.kill(job)
            assert outcome(job) == ("KILLED", None, "CANCELLED")
        for job in queued:
            await running.kill(job)
        go.touch()
    assert outcome(first) == ("FINISHED", 0, None)
    assert {outcome(job) for job in queued} == {("KILLED", None, "CANCELLED")}
    assert not (tmp_path / "ran").exists()


async def test_kills_at_any_moment_of_a_start_leave_nothing(workdir: Path) -> None:
    async with runner(workdir, forks=4, grace=GRACE) as running:
        jobs = [await running.feed(shell("sleep 600 & sleep 600")) for _ in range(40)]
        async with anyio.create_task_group() as group:
            for number, job in enumerate(jobs):
                group.start_soon(running.kill, job)
                await anyio.sleep(number % 5 * 0.004)
        name = running.scheduler.session.run
    assert {outcome(job)[::2] for job in jobs} == {("KILLED", "CANCELLED")}
    assert carriers(f"{name}-") == []


# --- time limits -----------------------------------------------------------------------------------


async def test_a_job_that_takes_too_long_is_told_to_end(workdir: Path) -> None:
    async with runner(workdir, grace=600) as running:
        job = await past_limit(running, shell(TIDY))
        quick = await running.feed(["true"], timeout="10m")
    assert outcome(job) == ("FAILED", 7, "TIMEOUT")
    assert await job.stdout_file.read_text() == "begun\ntold\n"
    assert outcome(quick) == ("FINISHED", 0, None)


async def test_a_job_that_ignores_its_limit_is_killed_after_the_grace_period(
    workdir: Path, bystanders: list[subprocess.Popen[bytes]]
) -> None:
    async with runner(workdir, grace=GRACE) as running:
        job = await past_limit(running, shell(STUBBORN))
        name = running.scheduler.session.run
        assert wait_until_none(lambda: carriers(f"{name}-"), PATIENCE) == []
    assert outcome(job) == ("FAILED", 137, "TIMEOUT")
    assert len(bystanders) == 3


async def test_time_in_the_queue_does_not_count(workdir: Path) -> None:
    async with runner(workdir, forks=1) as running:
        for limit in LIMITS:
            await running.feed(["sleep", str(2 * limit)])
            job = await running.wait(await running.feed(["true"], timeout=limit))
            if job.status is JobStatus.FINISHED:
                break
    assert outcome(job) == ("FINISHED", 0, None)


async def test_what_took_too_long_is_retried_as_any_failure(workdir: Path) -> None:
    script = "((SCHED_ATTEMPT > 1)) || exec sleep 600"
    async with runner(workdir, error_strategy="retry", num_retries=1, grace=GRACE) as running:
        for limit in LIMITS:
            job = await running.wait(await running.feed(shell(script), timeout=limit))
            if job.status is JobStatus.FINISHED:
                break
    assert outcome(job) == ("FINISHED", 0, None)
    assert (job.attempt, job.trial_count) == (2, 1)


class SlowToVerify:
    """Lets a job that has finished wait until it is told to go on."""

    def __init__(self) -> None:
        self.asked, self.go_on = anyio.Event(), anyio.Event()

    @hookimpl
    async def on_job_verify(self, job: Job) -> None:
        self.asked.set()
        await self.go_on.wait()


async def test_a_job_that_ends_while_it_is_to_be_killed_has_ended(workdir: Path) -> None:
    slow = SlowToVerify()
    async with Runner(LocalScheduler(workdir), plugins=[slow]) as running:
        job = await running.feed(["true"])
        await slow.asked.wait()
        async with anyio.create_task_group() as group:
            group.start_soon(running.kill, job)
            await anyio.wait_all_tasks_blocked()
            slow.go_on.set()
    assert outcome(job) == ("FINISHED", 0, None)
