"""Hosts as they are: other shells, few sessions, variables, resources; and what doctor says of them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from sched_core import JobStatus, OptionError
from sched_ssh.troubles import HostUnavailable

from ..daemons import until as until_so
from .helpers import outcome, run_of, shell, text, until
from .hosts import Host, Lab
from .test_faults import (
    WAITS,
    host_of,
    kill_recorder_and_command,
    open_gate,
    until_running,
)


@pytest.mark.parametrize("name", ["dash", "tcsh", "fish", "zsh"])
async def test_login_shells_of_all_kinds(lab: Lab, tmp_path: Path, name: str) -> None:
    login = shutil.which(name)
    if login is None:
        pytest.skip(f"apt-get install {name}")
    lab.host(shell=login)
    async with run_of(tmp_path / "run", "h1") as runner:
        job = await runner.feed(shell("echo $0 made >made; cat made", "it's"), envs={"A": "it's"})
    assert outcome(job) == ("FINISHED", 0, None)


async def test_a_user_who_may_not_run_commands(lab: Lab, tmp_path: Path) -> None:
    lab.host(shell="/usr/sbin/nologin")
    with pytest.raises(
        HostUnavailable, match=r"h1 ends the login before a command can run: .*not available"
    ):
        async with run_of(tmp_path / "run", "h1"):
            raise AssertionError("it was opened")


async def test_a_host_that_takes_few_at_once(lab: Lab, tmp_path: Path) -> None:
    lab.host(MaxSessions="2", MaxStartups="1")
    async with run_of(tmp_path / "run", "h1", forks=2) as runner:
        jobs = await runner.feed_all([["true"]] * 20)
        await runner.stop_feeding()
    assert {outcome(job) for job in jobs} == {("FINISHED", 0, None)}


async def test_slots_bound_each_host_and_forks_all(lab: Lab, tmp_path: Path) -> None:
    one, two = lab.host(), lab.host()
    servers = {"h1": {"slots": 1}, "h2": {"slots": 2}}
    async with run_of(tmp_path / "run", servers=servers, forks=10) as runner:
        jobs = [await runner.feed(shell(WAITS, "busy")) for _ in range(5)]
        await until(lambda: (len(one.processes("busy")), len(two.processes("busy"))) == (1, 2))
        await until_running(*jobs[:3])
        open_gate(one, two)
    assert {outcome(job) for job in jobs} == {("FINISHED", 0, None)}


async def test_the_least_loaded_host_gets_the_next_job(lab: Lab, tmp_path: Path) -> None:
    lab.host()
    lab.host()
    servers = {"h1": {"slots": 4}, "h2": {"slots": 2}}
    async with run_of(tmp_path / "run", servers=servers, forks=10) as runner:
        hosts = []
        for _ in range(6):
            job = await runner.feed(shell(WAITS))
            await until_running(job)
            hosts.append(job.host)
        open_gate(*lab.hosts)
    # The smaller share of its slots; of equal ones, the larger number that is left.
    assert hosts == ["h1", "h2", "h1", "h1", "h2", "h1"]


async def test_a_host_runs_as_many_jobs_as_it_has_cores(lab: Lab, tmp_path: Path) -> None:
    host = lab.host()
    cores = len(os.sched_getaffinity(0))
    async with run_of(tmp_path / "run", "h1", forks=cores + 10) as runner:
        jobs = [await runner.feed(shell(WAITS)) for _ in range(cores + 1)]
        await until_running(*jobs[:cores])
        assert host_of(runner, "h1").slots == cores
        assert jobs[cores].status is not JobStatus.RUNNING
        open_gate(host)
    assert {outcome(job) for job in jobs} == {("FINISHED", 0, None)}


async def test_a_host_of_which_nothing_is_configured(
    apart: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = apart.hosts[0]
    host.listen_on(2023)
    monkeypatch.setenv("HOME", os.fspath(tmp_path))
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/known_hosts").write_text(f"[{host.address}]:2023 {host.key()}\n")
    shutil.copy(apart.key, tmp_path / "my key")
    box = {
        "host": host.address,
        "user": "alice",
        "port": 2023,
        "keyfile": "~/my key",
        "slots": 1,
        "env": {"A": "1"},
        "workdir": "~/my runs",
    }
    async with run_of(tmp_path / "run", servers={"box": box}) as runner:
        job = await runner.feed(shell('echo "$A $SCHED_SLOT ${SSH_CONNECTION##* } $(pwd)"'))
    assert (outcome(job), job.host) == (("FINISHED", 0, None), "box")
    run = runner.scheduler.session.run
    assert text(job.stdout_file) == f"1 1 2023 /home/alice/my runs/sched-{run}/files\n"


async def test_variables_of_a_host_and_slots(lab: Lab, tmp_path: Path) -> None:
    lab.host()
    servers = {"h1": {"env": {"SCRATCH": "/scratch/a b", "MINE": "the host's"}}}
    async with run_of(tmp_path / "run", servers=servers) as runner:
        job = await runner.feed(
            shell('echo "$SCRATCH|$MINE|$SCHED_SLOT|${CUDA_VISIBLE_DEVICES-none}"'),
            envs={"MINE": "the job's"},
            resources={"cpus": 1, "gpus": 0},
        )
    assert text(job.stdout_file) == "/scratch/a b|the job's|1|\n"


@pytest.mark.parametrize(
    "wanted, told",
    [({"cpus": 1000}, "cpus=1000"), ({"memory": "800 TiB"}, "memory=")],
)
async def test_t46_what_no_host_has_is_refused(
    lab: Lab, tmp_path: Path, wanted: dict[str, Any], told: str
) -> None:
    lab.host()
    async with run_of(tmp_path / "run", "h1") as runner:
        with pytest.raises(OptionError, match=f"{told}.*; the host h1 has"):
            await runner.feed(["true"], resources=wanted)


_LONG = 86399
"""Seconds of a sleep that nobody else sleeps."""


async def test_t27_a_pid_that_was_given_again(lab: Lab, tmp_path: Path) -> None:
    by_name = {host.name: host for host in (lab.host(), lab.host())}
    options: dict[str, Any] = {"error_strategy": "retry", "host_lost_after": 1, "grace": 0.2}
    async with run_of(tmp_path / "run", "h1", "h2", forks=1, **options) as runner:
        job = await runner.feed(shell(WAITS, "meant"))
        await until_running(job)
        name, leader = str(job.host), int(str(job.jid))
        there = by_name.pop(name)
        with there.cut_off():
            await until(lambda: job.attempt == 2)
            await until_running(job)
            # Meanwhile nothing is left of the job, and its id is somebody else's: of the same user,
            # who leads a session and a group of that number.
            kill_recorder_and_command(there)
            await until(lambda: not there.processes("meant"))
            line = start_as(there, leader)
        # What the host was left with is ended when it is back: that is none of it.
        await until(lambda: host_of(runner, name).up)
        assert command_line(there, leader) == line
        open_gate(*by_name.values())
        await runner.wait(job)
    assert (outcome(job), job.attempt) == (("FINISHED", 0, None), 2)
    assert command_line(there, leader) == line


def start_as(host: Host, pid: int) -> bytes:
    """Have a process of the user's, which leads a session, bear this id; return its command line."""
    user = "setpriv --reuid=2001 --regid=2001 --clear-groups"
    sleeps = f"exec {user} setsid sleep {_LONG} >/dev/null 2>&1"
    line = f"sleep\0{_LONG}\0".encode()
    for _ in range(50):  # another process may be quicker
        host.run("sh", "-c", f"echo {pid - 1} >/proc/sys/kernel/ns_last_pid; ({sleeps}) & :")
        until_so(
            lambda: line in [command_line(host, n) for n in host.processes("sleep")], "it runs"
        )
        if command_line(host, pid) == line:
            return line
        for other in host.processes(line.decode()):
            host.run("kill", "-9", str(other))
        until_so(lambda: not host.processes(line.decode()), "it has ended")
    raise AssertionError(f"no process gets the id {pid}")


def command_line(host: Host, pid: int) -> bytes:
    try:
        return (host.root / f"proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
