"""Links that are cut, sshds that die, hosts that are booted again or stay away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest

from sched_core import Failure, Job, JobStatus, Runner
from sched_ssh import SshScheduler
from sched_ssh.host import Host as ScheduledHost

from .helpers import outcome, run_of, shell, until
from .hosts import Host, Lab

COUNTED = 'echo "$SCHED_JOB_INDEX" >>~/started; '
WAITS = "while [ ! -e ~/gate ]; do sleep 0.05; done; echo over"


def started(host: Host) -> list[str]:
    """Return what has been started on the host, in order."""
    path = host.home / "started"
    return path.read_text().split() if path.exists() else []


def open_gate(*hosts: Host) -> None:
    for host in hosts:
        (host.home / "gate").touch()


async def until_running(*jobs: Job) -> None:
    await until(lambda: all(job.status is JobStatus.RUNNING for job in jobs))


def host_of(runner: Runner, name: str) -> ScheduledHost:
    scheduler = runner.scheduler
    assert isinstance(scheduler, SshScheduler)
    return next(host for host in scheduler.hosts() if host.name == name)


async def until_down(runner: Runner, name: str = "h1") -> None:
    await until(lambda: not host_of(runner, name).up)


async def test_t31_ends_during_a_long_cut_are_recovered(lab: Lab, tmp_path: Path) -> None:
    host = lab.host()
    async with run_of(tmp_path / "run", "h1", forks=2) as runner:
        ends, stays, waits = [
            await runner.feed(shell(COUNTED + script))
            for script in (f"{WAITS.replace('gate', 'end')}; exit 3", WAITS, "echo late")
        ]
        await until_running(ends, stays)
        with host.cut_off():
            await until_down(runner)
            (host.home / "end").touch()
            await until(lambda: not host.processes("~/end"))
            assert (ends.status, ends.failure) == (JobStatus.RUNNING, Failure.UNAVAILABLE)
            assert "waiting for the host" in ends.reason
            assert "cannot be asked" in await runner.scheduler.explain(stays)
        await runner.wait(ends)
        assert outcome(ends) == ("FAILED", 3, "EXIT")
        await runner.wait(waits)
        assert stays.status is JobStatus.RUNNING
        open_gate(host)
        await runner.wait(stays)
    assert outcome(stays) == outcome(waits) == ("FINISHED", 0, None)
    assert sorted(started(host)) == ["0", "1", "2"]


@pytest.mark.parametrize("listener", [True, False])
async def test_t31_jobs_outlive_sshd(lab: Lab, tmp_path: Path, listener: bool) -> None:
    host = lab.host()
    async with run_of(tmp_path / "run", "h1", forks=2) as runner:
        jobs = [await runner.feed(shell(COUNTED + WAITS)) for _ in range(2)]
        await until_running(*jobs)
        host.kill_sshd(listener=listener)
        await until_down(runner)
        open_gate(host)
        if listener:
            host.start_sshd()
    assert [outcome(job) for job in jobs] == [("FINISHED", 0, None)] * 2
    assert sorted(started(host)) == ["0", "1"]


async def test_t11_t50_jobs_of_a_host_that_was_rebooted_go_elsewhere(
    lab: Lab, tmp_path: Path
) -> None:
    one, two = lab.host(), lab.host()
    options: dict[str, Any] = {"error_strategy": "retry", "num_retries": 0}
    script = COUNTED + 'test "$SCHED_ATTEMPT" = 2 || ' + "{ " + WAITS + "; }"
    async with run_of(tmp_path / "run", "h1", "h2", forks=2, **options) as runner:
        jobs = [await runner.feed(shell(script)) for _ in range(2)]
        await until_running(*jobs)
        (there,) = [job for job in jobs if job.host == "h1"]
        one.reboot()
        await runner.wait(there)
        open_gate(one, two)
    assert [outcome(job) for job in jobs] == [("FINISHED", 0, None)] * 2
    assert (there.attempt, there.trial_count, there.infrastructure_retries) == (2, 0, 1)


async def test_a_reboot_is_said_to_be_one(lab: Lab, tmp_path: Path) -> None:
    host = lab.host()
    async with run_of(tmp_path / "run", "h1") as runner:
        job = await runner.feed(shell(WAITS))
        await until_running(job)
        host.reboot()
    assert outcome(job) == ("FAILED", None, "NODE_FAIL")
    assert job.reason == "h1 was rebooted"


async def test_a_host_that_stays_away_keeps_its_jobs_waiting(lab: Lab, tmp_path: Path) -> None:
    one, two = lab.host(), lab.host()
    options: dict[str, Any] = {"error_strategy": "retry"}
    async with run_of(tmp_path / "run", "h1", "h2", forks=2, **options) as runner:
        jobs = [await runner.feed(shell(COUNTED + WAITS)) for _ in range(2)]
        await until_running(*jobs)
        (there,) = [job for job in jobs if job.host == "h1"]
        (here,) = [job for job in jobs if job.host == "h2"]
        with one.cut_off():
            await until_down(runner)
            open_gate(one, two)
            await runner.wait(here)
            other = await runner.wait(await runner.feed(shell("true")))
            assert other.host == "h2"
            assert (there.status, there.attempt) == (JobStatus.RUNNING, 1)
        await runner.wait(there)
    assert (outcome(there), there.attempt) == (("FINISHED", 0, None), 1)
    assert len(started(one)) + len(started(two)) == 2


async def test_t50_with_host_lost_after_they_go_elsewhere(lab: Lab, tmp_path: Path) -> None:
    one, two = lab.host(), lab.host()
    options: dict[str, Any] = {"error_strategy": "retry", "host_lost_after": 1, "grace": 1}
    async with run_of(tmp_path / "run", "h1", "h2", forks=2, **options) as runner:
        jobs = [await runner.feed(shell(COUNTED + WAITS, "leftover")) for _ in range(2)]
        await until_running(*jobs)
        (there,) = [job for job in jobs if job.host == "h1"]
        with one.cut_off():
            await until(lambda: there.attempt == 2 and there.status is JobStatus.RUNNING)
            assert there.host == "h2"
            assert one.processes("leftover")
        await until(lambda: not one.processes("leftover"))
        open_gate(two)
    assert outcome(there) == ("FINISHED", 0, None)
    assert there.infrastructure_retries == 1


async def test_t31_a_kill_waits_for_the_host(lab: Lab, tmp_path: Path) -> None:
    host = lab.host()
    async with run_of(tmp_path / "run", "h1", grace=1) as runner:
        job = await runner.feed(shell(WAITS, "to-be-killed"))
        await until_running(job)
        async with anyio.create_task_group() as group:
            with host.cut_off():
                await until_down(runner)
                group.start_soon(runner.kill, job)
                await until(lambda: job.status is JobStatus.KILLING)
                await anyio.sleep(1)
                assert host.processes("to-be-killed")
        assert outcome(job)[::2] == ("KILLED", "CANCELLED")
        assert not host.processes("to-be-killed")


async def test_t25_a_tree_is_killed_wherever_it_went(lab: Lab, tmp_path: Path) -> None:
    host = lab.host()
    loop = "while :; do sleep 0.1; done"
    script = (
        f"setsid /bin/sh -c 'trap \"\" TERM; {loop}' tree & (/bin/sh -c '{loop}' tree &); "
        f"(setsid /bin/sh -c '{loop}' tree &); setsid /bin/sh -c 'kill -s STOP $$; {loop}' tree & "
        f"setsid env -i /bin/sh -c '{loop}' tree & {loop}"
    )
    async with run_of(tmp_path / "run", "h1", grace=0.3, forks=2) as runner:
        job = await runner.feed(shell(script, "tree"))
        other = await runner.feed(shell(WAITS, "bystander"))
        await until_running(job, other)
        await until(lambda: len(set(leaders(host, "tree"))) == 5)
        await runner.kill(job)
        assert not host.processes("tree")
        assert host.processes("bystander")
        open_gate(host)
    assert outcome(other) == ("FINISHED", 0, None)


def kill_recorder_and_command(host: Host) -> None:
    """End the first job's processes so that nobody can write a record."""
    claim = "/home/alice/.cache/sched/*/0/job.claim.1"
    both = f"awk 'NR == 1 {{ print $5 }} $1 == \"P\" {{ print $2 }}' {claim}"
    host.run("sh", "-c", f"kill -9 $({both})")


def leaders(host: Host, word: str) -> list[str]:
    """Return the sessions of processes with the word in their command lines."""
    pids = " ".join(f"/proc/{pid}/stat" for pid in host.processes(word))
    told = host.run("sh", "-c", f"cat {pids or '/dev/null'} 2>/dev/null || :")
    return [line.rpartition(")")[2].split()[3] for line in told.splitlines()]


async def test_t50_a_recorder_that_is_killed_is_a_lost_job(lab: Lab, tmp_path: Path) -> None:
    host = lab.host()
    async with run_of(tmp_path / "run", "h1") as runner:
        job = await runner.feed(shell(WAITS, "orphan"))
        await until_running(job)
        kill_recorder_and_command(host)
        await runner.wait(job)
        assert outcome(job)[::2] == ("FAILED", "LOST")
        again = await runner.wait(await runner.feed(["true"]))
        assert outcome(again) == ("FINISHED", 0, None)


async def jobs_until_aside(runner: Runner, name: str) -> list[Job]:
    """Have jobs run until the host, where nothing can start, gets no more of them."""
    jobs: list[Job] = []
    while not host_of(runner, name).aside:
        jobs += await runner.feed_all([["true"]] * 12)
        for job in jobs:
            await runner.wait(job)
    return jobs


async def test_t49_a_host_where_nothing_starts_is_set_aside(
    lab: Lab, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one, _ = lab.host(), lab.host()
    async with run_of(
        tmp_path / "run", "h1", "h2", forks=2, error_strategy="retry", num_retries=5
    ) as runner:
        await runner.wait(await runner.feed(["true"]))
        run = runner.scheduler.session.run
        # Its folder is gone, and something else has taken its place.
        one.run("sh", "-c", "cd /home/alice/.cache/sched && rm -rf * && touch sched-$1", "sh", run)
        jobs = await jobs_until_aside(runner, "h1")
    assert {outcome(job) for job in jobs} == {("FINISHED", 0, None)}
    assert "h1 is set aside: 3 jobs in a row" in caplog.text


async def test_a_host_that_goes_before_its_files_were_fetched(lab: Lab, tmp_path: Path) -> None:
    host = lab.host()
    async with run_of(tmp_path / "run", "h1", forks=2) as runner:
        # One end is told of, but the files do not come: the link is cut between.
        fetched = anyio.Event()
        there: Any = host_of(runner, "h1")
        download = there.download

        async def cut_first(names: list[str]) -> Any:
            if not fetched.is_set():
                fetched.set()
                host.cut()
            return await download(names)

        there.download = cut_first
        # More than comes with the end itself.
        job = await runner.feed(shell(COUNTED + "printf '%5000s' x; exit 4"))
        await fetched.wait()
        await until_down(runner)
        await until(lambda: job.failure is Failure.UNAVAILABLE)
        host.heal()
        await runner.wait(job)
    assert outcome(job) == ("FAILED", 4, "EXIT")
    assert Path(job.stdout_file).read_text() == f"{'x':>5000}"
    assert started(host) == ["0"]
