"""Two drivers, one folder: the second is refused while the first lives, and takes over after."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest

import sched_core.runfolder.lease
from sched_core import JobStatus, RunExists, RunLocked, Runner
from sched_core.runfolder import read_run

from .processes import carriers, living, zombies
from .running import PATIENCE, outcome, runner, shell, until, until_running

DRIVER = Path(__file__).with_name("drivers_driver.py")
OFTEN, SELDOM, NEVER = 0.1, 3.0, 3600.0
"""Seconds between two heartbeats: a driver is given up after three that did not come."""


@pytest.fixture
def workdir(tmp_path: Path) -> Path:
    return tmp_path / "run"


@pytest.fixture
def go(tmp_path: Path) -> Path:
    return tmp_path / "go"


@contextmanager
def another_driver(
    workdir: Path, go: Path, *prefix: str, beat: float | None = None
) -> Iterator[subprocess.Popen[str]]:
    command = [*prefix, sys.executable, str(DRIVER), str(workdir), str(go)]
    with subprocess.Popen(
        command if beat is None else [*command, str(beat)], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "driving\n"
            yield process
        finally:
            process.send_signal(signal.SIGCONT)
            process.kill()
            go.touch()


async def both_run(workdir: Path) -> None:
    name = read_run(workdir).run.run
    await until(lambda: all(carriers(f"{name}-{index}-1") for index in (0, 1)))


async def test_t54_a_second_driver_is_refused_and_told_of_the_first(
    workdir: Path, go: Path
) -> None:
    with another_driver(workdir, go) as first:
        await both_run(workdir)  # a run without jobs may be begun again: RunLocked would be right
        for existing, error in (("resume", RunLocked), ("reuse", RunLocked), ("error", RunExists)):
            with pytest.raises(error) as raised:
                async with runner(workdir, existing):
                    pass
            if error is RunLocked:
                assert f"process {first.pid} on {os.uname().nodename}" in str(raised.value)
        go.touch()
        assert first.wait(PATIENCE) == 0
    assert {job.status for job in read_run(workdir).jobs.values()} == {JobStatus.FINISHED}


async def test_t54_a_driver_that_stands_still_is_alive(workdir: Path, go: Path) -> None:
    with another_driver(workdir, go) as first:
        first.send_signal(signal.SIGSTOP)
        with pytest.raises(RunLocked, match=f"process {first.pid} on "):
            async with runner(workdir, "resume"):
                pass
        first.send_signal(signal.SIGCONT)
        go.touch()
        assert first.wait(PATIENCE) == 0


async def test_a_dead_driver_is_followed_at_once(
    workdir: Path, go: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sched_core.runfolder.lease, "HEARTBEAT_INTERVAL", NEVER)
    with another_driver(workdir, go) as first:
        await both_run(workdir)
        first.kill()
        first.wait()
        async with runner(workdir, "resume", forks=2) as second:
            jobs = second.jobs
            assert [job.status for job in jobs[:2]] == [JobStatus.RUNNING] * 2
            go.touch()
    assert [outcome(job) for job in jobs] == [("FINISHED", 0, None)] * 3
    assert [job.attempt for job in jobs] == [1, 1, 1]
    assert [(workdir / f"{index}/job.stdout").read_text() for index in range(3)] == ["1\n"] * 3


async def test_what_a_dead_driver_has_started_can_be_killed(workdir: Path, go: Path) -> None:
    with another_driver(workdir, go) as first:
        await both_run(workdir)
        first.kill()
        first.wait()
        async with runner(workdir, "resume", forks=2, grace=0.5) as second:
            name = second.scheduler.session.run
            with anyio.fail_after(PATIENCE):
                for job in second.jobs:
                    await second.kill(job)
    assert {outcome(job)[::2] for job in second.jobs} == {("KILLED", "CANCELLED")}
    assert carriers(f"{name}-") == []


async def test_t54_of_two_who_follow_one_wins(workdir: Path, go: Path) -> None:
    with another_driver(workdir, go) as first:
        await both_run(workdir)
        first.kill()
        first.wait()
    won: list[Runner] = []
    lost: list[RunLocked] = []
    opened = anyio.Event()

    async def follow() -> None:
        try:
            async with runner(workdir, "resume", forks=2) as follower:
                won.append(follower)
                await opened.wait()
        except RunLocked as error:
            lost.append(error)
            opened.set()

    with anyio.fail_after(PATIENCE):
        async with anyio.create_task_group() as group:
            group.start_soon(follow)
            group.start_soon(follow)
    assert (len(won), len(lost)) == (1, 1)
    assert [outcome(job) for job in won[0].jobs] == [("FINISHED", 0, None)] * 3


async def test_t54_a_driver_that_was_replaced_submits_nothing_more(workdir: Path, go: Path) -> None:
    before, alive = zombies(), living()
    with anyio.fail_after(PATIENCE), pytest.raises(RunLocked, match="taken over by another driver"):
        async with runner(workdir, forks=1, grace=0.5) as first:
            name = first.scheduler.session.run
            running = await first.feed(shell("until [[ -e $1 ]]; do sleep 0.02; done", go))
            await until_running(running)
            (workdir / ".sched/lease.2").write_text("somebody else's")
            waiting = await first.feed(["touch", str(workdir / "ran")])
            while True:
                await first.wait(waiting)
    # What ran is the other driver's now.
    await until(lambda: len(carriers(f"{name}-0-1")) > 0)
    go.touch()
    # The slot ends a little after what it has run.
    await until(lambda: carriers(f"{name}-0-1") == [] and living() <= alive)
    async with runner(workdir.with_name("next")) as later:
        await later.feed(["true"])
    assert [zombie for zombie in zombies() if zombie not in before] == []
    assert waiting.status is JobStatus.QUEUED
    assert not (workdir / "ran").exists()


# --- where pids tell nothing ------------------------------------------------------------------------


def can_unshare() -> bool:
    command = ["unshare", "--pid", "--fork", "--mount-proc", "true"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not can_unshare(), reason="no other pid namespace can be made here")
async def test_t48_t54_a_driver_in_another_container_lives_while_its_heart_beats(
    workdir: Path, go: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sched_core.runfolder.lease, "HEARTBEAT_INTERVAL", SELDOM)
    unshare = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
    with another_driver(workdir, go, *unshare, beat=OFTEN) as first:
        assert read_run(workdir).driver_lives is None
        with pytest.raises(RunLocked):
            async with runner(workdir, "resume"):
                pass
        await both_run(workdir)
        first.kill()
        first.wait()
        await until(lambda: carriers(f"{read_run(workdir).run.run}-") == [])
        go.touch()
        monkeypatch.setattr(sched_core.runfolder.lease, "HEARTBEAT_INTERVAL", OFTEN)
        began = time.monotonic()
        async with runner(workdir, "resume", error_strategy="retry", num_retries=0) as second:
            assert time.monotonic() - began > 2 * OFTEN
    assert [outcome(job) for job in second.jobs] == [("FINISHED", 0, None)] * 3
    # The container's processes have died with it, and left no record: they are tried again.
    assert [job.infrastructure_retries for job in second.jobs] == [1, 1, 0]
