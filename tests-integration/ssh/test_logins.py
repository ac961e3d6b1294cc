"""Logins that are in the way: scripts that wait, read, print and leave, and sshds that take nobody more."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest

from sched_core import Job, JobStatus

from ..daemons import until as until_so
from .helpers import outcome, run_of, shell, text, until
from .hosts import Host, Lab
from .test_errors import why


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the driver runs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").write_text("text\n")
    return tmp_path


@pytest.fixture
def host(apart: Lab) -> Iterator[Host]:
    """A host whose user has login scripts."""
    host = apart.hosts[0]
    yield host
    write(host, "")
    for pid in host.processes("sleep\0600"):
        host.run("kill", str(pid))


def write(host: Host, script: str) -> None:
    for name in (".bashrc", ".profile"):
        (host.home / name).write_text(script)


async def copied(folder: Path) -> Job:
    async with run_of(folder / "run", "h1") as runner:
        return await runner.feed(shell("cat in >out; pwd"), inputs=["in"], outputs=["out"])


WORKING = {
    "prints": "echo welcome; echo trouble >&2; printf 'no newline'",
    "prints much": "head -c 300000 /dev/zero | tr '\\0' x; head -c 3000 /dev/urandom",
    "reads": "read line; read -t 1 line; read line",
    "waits": "sleep 0.5",
    "asks the terminal": "stty erase x; tput cols; mesg n",
    "has traps": "trap 'echo bye' EXIT; trap '' TERM HUP",
    "goes elsewhere": "cd /",
    "has a timeout": "TMOUT=1; export TMOUT",
    "has another language": "export LC_ALL=none_NONE LANG=tr_TR.UTF-8",
    "leaves something running": "sleep 600 & ",
    "is strict": "set -u; umask 077; ulimit -n 60",
}


@pytest.mark.parametrize("script", WORKING.values(), ids=WORKING)
async def test_a_login_script_that(host: Host, folder: Path, script: str) -> None:
    write(host, f"{script}\n")
    job = await copied(folder)
    assert outcome(job) == ("FINISHED", 0, None)
    assert text(folder / "out") == "text\n"
    assert text(job.stdout_file).startswith("/home/alice/.cache/sched/")


NOT_WORKING = {
    "exit 0": r"^h1 ends the login before a command can run: it says nothing$",
    "echo 'go away' >&2; exit 1": r"^h1 ends the login before a command can run: go away$",
    "echo 'only scp here'; exit": r"^h1 ends the login before a command can run: only scp here$",
    "exec true": r"^h1 ends the login before a command can run",
    "exec sh": r"^h1 ends the login before a command can run: sh: .*[sS]yntax error",
    "cat >/dev/null": r"^h1 lets us in, but no command begins within 6 s: does a login script",
    "PATH=/none": r"^h1 ends the login .*bash.*not found; jobs are run by bash",
}


@pytest.mark.parametrize("script,error", NOT_WORKING.items(), ids=NOT_WORKING)
async def test_a_login_script_that_lets_nothing_run(
    host: Host, folder: Path, script: str, error: str
) -> None:
    write(host, f"{script}\n")
    timeout = 6 if script == "cat >/dev/null" else 20
    assert re.search(error, await why(folder / "run", "h1", connect_timeout=timeout))
    write(host, "")
    await until(lambda: not host.connections())


@pytest.mark.full  # the connection does not end at once
async def test_a_login_script_that_prints_without_end(host: Host, folder: Path) -> None:
    write(host, "yes\n")
    said = await why(folder / "run", "h1")
    assert said.startswith("h1 lets us in, but prints without end before a command begins")


async def test_a_login_script_runs_once_a_login(host: Host, folder: Path) -> None:
    write(host, "echo >>~/logins\n")
    async with run_of(folder / "run", "h1"):
        assert text(host.home / "logins") == "\n"
    (host.home / "logins").unlink()


@pytest.mark.full  # it waits for what never comes, twice
async def test_a_login_script_that_begins_to_wait(host: Host, folder: Path) -> None:
    async with run_of(folder / "run", "h1", connect_timeout=4) as runner:
        script = "while [ ! -e ~/go ]; do sleep 0.05; done; echo text >out"
        job = await runner.feed(shell(script), outputs=["out"])
        await until(lambda: job.status is JobStatus.RUNNING)
        write(host, "sleep 600\n")
        (host.home / "go").touch()
        await until(lambda: "no command begins" in job.reason)
        write(host, "")
        await runner.wait(job)
    (host.home / "go").unlink()
    assert (outcome(job), text(folder / "out")) == (("FINISHED", 0, None), "text\n")


@contextmanager
def strangers(host: Host, count: int) -> Iterator[None]:
    """Knock at the host's door, and say nothing."""
    sockets = [socket.create_connection((host.address, 22), timeout=10) for _ in range(count)]
    try:
        until_so(lambda: host.processes(f"[listener] {count} of"), "they are let in")
        yield
    finally:
        for one in sockets:
            one.close()
    until_so(lambda: host.processes("[listener] 0 of"), "they are forgotten")


async def test_an_sshd_that_takes_nobody_more(lab: Lab, folder: Path) -> None:
    host = lab.host(MaxStartups="3")
    with strangers(host, 3):
        said = await why(folder / "run", "h1")
        assert re.search(r"^h1 .*(connection was lost|cannot be reached)", said)
    async with run_of(folder / "run", "h1", existing="reuse") as runner:
        job = await runner.feed(shell("while [ ! -e ~/go ]; do sleep 0.05; done"))
        await until(lambda: job.status is JobStatus.RUNNING)
        with strangers(host, 3):
            host.end_sessions()
            await until(lambda: bool(job.reason))
            (host.home / "go").touch()
            await anyio.sleep(1)
            assert job.status is JobStatus.RUNNING
        await runner.wait(job)
    assert outcome(job) == ("FINISHED", 0, None)


@pytest.mark.parametrize("sessions", ["1", "2", "10"])
async def test_t30_sshds_of_few_sessions(lab: Lab, folder: Path, sessions: str) -> None:
    host = lab.host(MaxSessions=sessions)
    async with run_of(folder / "run", "h1", forks=4, keepalive=15) as runner:
        jobs = [
            await runner.feed(shell("cat in >$1", f"o{n}"), inputs=["in"], outputs=[f"o{n}"])
            for n in range(30)
        ]
        await runner.stop_feeding()
        assert host.connections() == (2 if sessions == "1" else 1)
    assert {outcome(job) for job in jobs} == {("FINISHED", 0, None)}
