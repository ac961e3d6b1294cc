"""Drivers that die, and the next one that goes on: on hosts whose records nobody else can see."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sched_core import JobStatus, OptionError
from sched_core.testing.contract.driver import driver_command
from sched_ssh import SshScheduler

from .helpers import outcome, run_of, shell, text, until
from .hosts import Host, Lab
from .test_faults import COUNTED, WAITS, open_gate, started, until_running


@contextmanager
def driver(
    workdir: Path, commands: list[list[str]], **options: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a driver of its own, to be killed."""
    given: dict[str, Any] = {"servers": ["h1", "h2"], "keepalive": 0.5, "forks": 4, **options}
    argv = driver_command(SshScheduler(workdir, **given), given, commands, "asyncio")
    with subprocess.Popen(argv, cwd=workdir.parent) as process:
        try:
            yield process
        finally:
            process.kill()


async def leave_one_each(workdir: Path, *hosts: Host) -> None:
    """Have a driver die while one job waits on each host."""
    servers = {host.name: {"slots": 1} for host in hosts}
    with driver(workdir, [shell(COUNTED + WAITS)] * len(hosts), servers=servers) as process:
        await until(lambda: all(map(started, hosts)))
        process.kill()
        process.wait()


async def test_what_a_dead_driver_left_is_taken_over(lab: Lab, tmp_path: Path) -> None:
    one, two = lab.host(), lab.host()
    ends = (
        COUNTED
        + 'while [ ! -e ~/gate1 ]; do sleep 0.05; done; echo "$SCHED_JOB_INDEX" >>~/ended; exit 3'
    )
    commands = [shell(ends)] * 2 + [shell(COUNTED + WAITS)] * 2 + [shell(COUNTED)] * 4
    with driver(tmp_path / "run", commands) as process:
        await until(lambda: len(started(one)) + len(started(two)) == 4)
        process.kill()
        process.wait()
    for host in (one, two):
        (host.home / "gate1").touch()
    # Both may be on one host, where the other could be used only later.
    ended = [host.home / "ended" for host in (one, two)]
    await until(lambda: sum(len(text(path).split()) for path in ended if path.exists()) == 2)
    async with run_of(tmp_path / "run", "h1", "h2", forks=4, existing="resume") as runner:
        jobs = runner.jobs
        await runner.wait(jobs[0])
        await until_running(*jobs[2:4])
        open_gate(one, two)
        await runner.stop_feeding()
    assert [outcome(job) for job in jobs[:2]] == [("FAILED", 3, "EXIT")] * 2
    assert [outcome(job) for job in jobs[2:]] == [("FINISHED", 0, None)] * 6
    assert [job.attempt for job in jobs] == [1] * 8
    assert sorted(started(one) + started(two)) == [str(n) for n in range(8)]


async def test_a_host_that_is_away_when_the_run_goes_on(lab: Lab, tmp_path: Path) -> None:
    one, two = lab.host(), lab.host()
    await leave_one_each(tmp_path / "run", one, two)
    open_gate(two)
    options: dict[str, Any] = {"forks": 4, "existing": "resume", "error_strategy": "retry"}
    one.kill_sshd()
    async with run_of(tmp_path / "run", "h1", "h2", **options) as runner:
        (there,) = [job for job in runner.jobs if job.host == "h1"]
        (here,) = [job for job in runner.jobs if job.host == "h2"]
        await runner.wait(here)
        assert (there.status.active, there.attempt) == (True, 1)
        one.start_sshd()
        await until_running(there)
        open_gate(one)
    assert [outcome(job) for job in (here, there)] == [("FINISHED", 0, None)] * 2
    assert sorted(started(one) + started(two)) == ["0", "1"]


async def test_a_host_that_is_not_named_any_more(lab: Lab, tmp_path: Path) -> None:
    one, two = lab.host(), lab.host()
    await leave_one_each(tmp_path / "run", one, two)
    with pytest.raises(OptionError, match="may still run on h1: name it among the servers"):
        async with run_of(tmp_path / "run", "h2", existing="resume"):
            raise AssertionError("it was opened")
    open_gate(one, two)
    async with run_of(tmp_path / "run", "h1", "h2", existing="resume") as runner:
        await runner.stop_feeding()
        assert {job.status for job in runner.jobs} == {JobStatus.FINISHED}


async def test_a_reboot_while_nobody_drives(lab: Lab, tmp_path: Path) -> None:
    one, two = lab.host(), lab.host()
    await leave_one_each(tmp_path / "run", one, two)
    one.reboot()
    open_gate(one, two)
    async with run_of(
        tmp_path / "run", "h1", "h2", existing="resume", error_strategy="retry", forks=4
    ) as runner:
        await runner.stop_feeding()
        jobs = runner.jobs
    assert [outcome(job) for job in jobs] == [("FINISHED", 0, None)] * 2
    assert sorted(job.attempt for job in jobs) == [1, 2]
    assert sum(job.infrastructure_retries for job in jobs) == 1


async def test_a_run_that_was_interrupted_leaves_nothing(lab: Lab, tmp_path: Path) -> None:
    host = lab.host()

    class Mine(Exception):
        pass

    with pytest.raises(Mine):  # noqa: PT012  # raised inside the block
        async with run_of(tmp_path / "run", "h1", grace=1) as runner:
            job = await runner.feed(shell(COUNTED + WAITS, "left-over"))
            await until_running(job)
            raise Mine
    assert not host.processes("left-over")
    open_gate(host)
    async with run_of(tmp_path / "run", "h1", existing="resume") as runner:
        await runner.stop_feeding()
        assert [outcome(job) for job in runner.jobs] == [("FINISHED", 0, None)]
    assert started(host) == ["0", "0"]
    await until(lambda: not host.processes("IFS= read -rd"))
