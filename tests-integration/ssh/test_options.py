"""Variables of hosts, jobs that only some hosts can run, runs that none can take; in words, too."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest

from sched_core import (
    JobStatus,
    OptionError,
    RunInterrupted,
    Runner,
    read_run,
    scheduler_of,
)
from sched_ssh import SshScheduler
from sched_ssh.dispatch import Dispatcher
from sched_ssh.troubles import HostUnavailable

from .helpers import outcome, run_of, shell, text, until
from .hosts import Lab
from .test_faults import COUNTED, WAITS, host_of, open_gate, started, until_down, until_running

SCHED = Path(sys.executable).with_name("sched")
PATIENT = 240.0
"""Seconds for a test that starts several further processes of Python."""
pytestmark = pytest.mark.timeout(300)


def sched(folder: Path, *args: str) -> tuple[int, str, str]:
    """Run it; return its exit code and what it wrote."""
    done = subprocess.run(
        [SCHED, *args], cwd=folder, capture_output=True, text=True, timeout=PATIENT, check=False
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the driver runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


# --- variables of hosts --------------------------------------------------------------------------


async def test_variables_are_asked_for_when_a_run_goes_on(apart: Lab, folder: Path) -> None:
    servers: dict[str, Any] = {"h1": {"env": {"TOKEN": "hidden", "A": "1"}}}
    show = shell('echo "${TOKEN-none}"')
    async with run_of(folder / "run", servers=servers) as runner:
        await runner.feed(show)
    recorded = read_run(folder / "run").run.options["servers"]
    assert recorded["h1"]["env"] == ["A", "TOKEN"]
    with pytest.raises(OptionError, match=r"server h1 has variables .* not recorded .*: A, TOKEN"):
        async with run_of(folder / "run", servers=recorded, existing="resume"):
            raise AssertionError("it was opened")
    async with run_of(folder / "run", servers=servers, existing="resume") as runner:
        again = await runner.feed(show, envs={"N": "1"})
    async with run_of(folder / "run", "h1", existing="resume") as runner:
        without = await runner.feed(show, envs={"N": "2"})
    assert (text(again.stdout_file), text(without.stdout_file)) == ("hidden\n", "none\n")


def test_variables_on_the_command_line(apart: Lab, folder: Path) -> None:
    servers = f"servers={json.dumps({'h1': {'env': {'TOKEN': 'hidden'}}})}"
    command = ["--", "sh", "-c", "echo $TOKEN; exit 3"]
    assert sched(folder, "run", "-s", "ssh", "-w", "r", "-o", servers, *command)[0] == 1
    code, _, said = sched(folder, "retry", "r")
    assert code == 2
    assert "the server h1 has variables whose values are not recorded with the run: TOKEN." in said
    assert sched(folder, "retry", "r", "-o", servers)[0] == 1
    assert read_run(folder / "r").jobs[0].attempt == 2
    assert sched(folder, "clean", "r")[0] == 0  # needs none


async def test_jobs_can_be_killed_without_them(lab: Lab, folder: Path) -> None:
    host = lab.host()
    servers = json.dumps({"h1": {"env": {"TOKEN": "hidden"}}})
    run = ["run", "-s", "ssh", "-w", "r", "-o", f"servers={servers}", "--", *shell(WAITS)]
    async with await anyio.open_process([SCHED, *run], cwd=folder, stderr=None) as driver:
        await until(lambda: bool(host.processes("gate")))
        driver.kill()
    assert sched(folder, "kill", "r")[0] == 0
    assert not host.processes("gate")
    code, _, said = sched(folder, "retry", "r")
    assert (code, "not recorded with the run: TOKEN." in said) == (2, True)
    open_gate(host)
    assert sched(folder, "retry", "r", "-o", f"servers={servers}")[0] == 0


async def leave_unbegun(workdir: Path, servers: dict[str, Any]) -> None:
    """Give a job to a host that does not hear of it, and leave the run."""
    async with run_of(workdir, servers=servers) as runner:
        there: Any = host_of(runner, "h1")
        told = anyio.Event()
        there.start = lambda *_: told.set()
        await runner.feed(shell(COUNTED))
        await told.wait()
        runner.interrupt(signal.SIGTERM, kill=False)


async def test_what_was_not_begun_does_not_start_without_them(
    lab: Lab, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = lab.host()
    servers: dict[str, Any] = {"h1": {"env": {"TOKEN": "hidden"}}}
    with pytest.raises(RunInterrupted):
        await leave_unbegun(folder / "r", servers)
    begun: list[object] = []

    async def start(_: Dispatcher, *what: object) -> None:
        begun.append(what)

    monkeypatch.setattr(Dispatcher, "start", start)
    scheduler = scheduler_of(folder / "r")
    async with Runner(scheduler, plugins=[], existing="resume", submits=False) as runner:
        (job,) = runner.jobs
        await until(lambda: host_of(runner, "h1").up)
        assert job.status is JobStatus.SUBMITTED
        await runner.kill(job)
    assert outcome(job) == ("KILLED", None, "CANCELLED")
    assert (begun, started(host)) == ([], [])


# --- hosts of which not all can be used ----------------------------------------------------------

NONE = {"h1": {"port": 2222}, "h2": {"port": 2223}, "other": {"host": "no-such-host.invalid"}}


async def test_none_of_several_hosts(apart: Lab, folder: Path) -> None:
    with pytest.raises(HostUnavailable) as caught:
        async with run_of(folder / "run", servers=NONE):
            raise AssertionError("it was opened")
    first, *others = str(caught.value).splitlines()
    assert first == "none of the 3 hosts can be used:"
    assert [line.split(" (")[0] for line in others] == ["  h1", "  h2", "  other"]
    assert "check the name" in others[2]


def test_none_of_several_hosts_on_the_command_line(apart: Lab, folder: Path) -> None:
    run = ["run", "-s", "ssh", "-w", "r", "-o"]
    code, out, said = sched(folder, *run, f"servers={json.dumps(NONE)}", "--", "echo", "well")
    assert (code, out) == (3, "")
    assert said.startswith("sched: error: none of the 3 hosts can be used:\n  h1 (10.99.2.11:2222)")
    assert [said.count(word) for word in (":2222", ":2223", "no-such-host")] == [1, 1, 1]
    # The same command again, with what was mended: nothing was begun.
    code, out, said = sched(folder, *run, "servers=h1", "--cat", "--", "echo", "well")
    assert (code, out) == (0, "well\n")


def test_some_of_several_hosts(apart: Lab, folder: Path) -> None:
    servers = json.dumps({"h1": {"port": 2222}, "h2": {}})
    run = ["run", "-s", "ssh", "-w", "r", "-o", f"servers={servers}", "--", "sleep"]
    code, _, said = sched(folder, *run, ":::", "0.1", "1.5")
    assert code == 0
    refused = "h1 (10.99.2.11:2222) refuses the connection: does sshd run there, on that port?"
    assert said.count(refused) == 1
    assert {job.host for job in read_run(folder / "r").jobs.values()} == {"h2"}


async def test_a_job_for_a_host_that_is_away_keeps_nobody_waiting(lab: Lab, folder: Path) -> None:
    (folder / "in").write_text("in")
    shares, apart = lab.host(shared=[folder], uid=0), lab.host(uid=0)
    async with run_of(folder / "run", "h1", "h2") as runner:
        await until(lambda: all(host.up for host in runner.scheduler.hosts()))  # type: ignore[attr-defined]
        assert isinstance(runner.scheduler, SshScheduler)
        with shares.cut_off():
            await until_down(runner)
            waits = await runner.feed(shell("cat in"), inputs=[str(folder / "in")])
            goes = await runner.feed(shell("hostname"))
            await runner.wait(goes)
            places = (goes.host, waits.host)
            assert (*places, waits.status) == ("h2", None, JobStatus.SUBMITTED)
        await runner.wait(waits)
    assert (outcome(waits), waits.host) == (("FINISHED", 0, None), "h1")
    assert text(waits.stdout_file) == "in"
    assert not (apart.home / "in").exists()


async def test_a_job_for_a_host_that_is_busy_keeps_nobody_waiting(lab: Lab, folder: Path) -> None:
    (folder / "in").write_text("in")
    hosts = lab.host(shared=[folder], uid=0), lab.host(uid=0)
    servers = {"h1": {"slots": 1}, "h2": {"slots": 2}}
    files: dict[str, Any] = {"inputs": [str(folder / "in")]}
    async with run_of(folder / "run", servers=servers, forks=9) as runner:
        first = await runner.feed(shell("cat in; " + WAITS), **files)
        await until_running(first)
        second = await runner.feed(shell("cat in"), **files)
        others = [await runner.feed(shell(WAITS)) for _ in range(3)]
        await until_running(*others[:2])
        assert [job.host for job in (*others, second)] == ["h2", "h2", None, None]
        open_gate(*hosts)
        await runner.stop_feeding()
    # Nobody overtook it on the host that it waited for.
    assert {outcome(job) for job in runner.jobs} == {("FINISHED", 0, None)}
    assert (first.host, second.host) == ("h1", "h1")


async def test_what_keeps_a_job_waiting_is_said(
    lab: Lab, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lab.host()
    servers = {"h1": {}, "big": {"host": "10.99.3.11", "port": 2222}}
    async with run_of(folder / "run", servers=servers) as runner:
        job = await runner.feed(["true"], resources={"cpus": 1000})
        other = await runner.feed(["true"])
        await runner.wait(other)
        assert job.status is JobStatus.SUBMITTED
        await runner.kill(job)
    assert outcome(job) == ("KILLED", None, "CANCELLED")
    assert "cpus=1000; the host h1 has" in caplog.text
    assert "such jobs wait for big" in caplog.text


def test_resources_on_the_command_line(apart: Lab, folder: Path) -> None:
    (folder / "jobs").write_text('{"cmd": ["true"], "resources": {"cpus": 1000}}\n')
    run = ["run", "-s", "ssh", "-w", "r", "-o", "servers=h1", "--from", "jobs"]
    code, _, said = sched(folder, *run)
    assert code == 2, said
    assert "cpus=1000; the host h1 has" in said


# --- files of jobs -------------------------------------------------------------------------------

NOT_STAGED = ["/etc/passwd", "../above", "a/../../above", "..", ".", "", "a\0b"]


@pytest.mark.parametrize("path", NOT_STAGED)
@pytest.mark.parametrize("side", ["inputs", "outputs"])
async def test_what_cannot_be_staged_is_refused(
    apart: Lab, folder: Path, path: str, side: str
) -> None:
    async with run_of(folder / "run", "h1") as runner:
        files: dict[str, Any] = {side: [path]}
        with pytest.raises(OptionError, match=r"relative to the folder|no name of a file"):
            await runner.feed(["true"], **files)
        job = await runner.feed(["true"])
    assert (outcome(job), runner.jobs) == (("FINISHED", 0, None), [job])


async def test_where_the_disk_is_shared_any_path_will_do(sharing: Lab, folder: Path) -> None:
    (folder / "in").write_text("in")
    async with run_of(folder / "run", "h1") as runner:
        job = await runner.feed(
            shell('cat "$1"', str(folder / "in")), inputs=[str(folder / "in"), "../other"]
        )
    assert outcome(job) == ("FINISHED", 0, None)


async def test_an_input_that_is_not_there_yet(apart: Lab, folder: Path) -> None:
    async with run_of(folder / "run", "h1") as runner:
        first = await runner.feed(shell("echo made >between"), outputs=["between"])
        await runner.wait(first)
        second = await runner.feed(shell("cat between"), inputs=["between"])
        third = await runner.feed(shell("cat never"), inputs=["never"])
    assert text(second.stdout_file) == "made\n"
    assert outcome(third) == ("FAILED", None, "SETUP")
    assert f"its input {folder}/never: No such file" in third.reason


# --- what a running job writes -------------------------------------------------------------------


async def in_thread(folder: Path, *args: str) -> tuple[int, str, str]:
    return await anyio.to_thread.run_sync(lambda: sched(folder, *args))


def wrote(path: Path, size: int) -> bool:
    return path.exists() and path.stat().st_size >= size


async def test_logs_are_read_where_they_are_written(lab: Lab, folder: Path) -> None:
    host = lab.host()
    async with run_of(folder / "run", "h1", forks=2, patience=PATIENT) as runner:
        job = await runner.feed(shell("echo hello; echo trouble >&2; " + WAITS))
        quiet = await runner.feed(shell(WAITS))
        await until_running(job, quiet)
        root = host.home / f".cache/sched/sched-{runner.scheduler.session.run}"
        await until(lambda: wrote(root / "0/job.stdout", 6) and wrote(root / "0/job.stderr", 8))
        await runner.scheduler.session.journal.flush()
        assert await in_thread(folder, "logs", "run", "0") == (0, "hello\n", "")
        assert (await in_thread(folder, "logs", "run", "0", "--stderr"))[1] == "trouble\n"
        _, out, said = await in_thread(folder, "logs", "run", "all")
        assert (out, said) == (
            "hello\n",
            "==> job 0 wrote:\n==> job 1 has written nothing yet\n",
        )
        explained = await in_thread(folder, "explain", "run", "0")
        assert "engine:   it was given to the host h1" in explained[1]
        open_gate(host)
    assert sched(folder, "logs", "run", "0")[1] == "hello\nover\n"


async def test_logs_are_followed_where_they_are_written(lab: Lab, folder: Path) -> None:
    host = lab.host()
    data = bytes(range(256)) * 3000
    (folder / "data").write_bytes(data)
    script = "cat data; while [ ! -e ~/more ]; do sleep 0.05; done; echo more; " + WAITS
    async with run_of(folder / "run", "h1", patience=PATIENT) as runner:
        job = await runner.feed(shell(script), inputs=["data"])
        await until_running(job)
        await runner.scheduler.session.journal.flush()
        follow = shell('exec "$1" logs run 0 -f >followed', os.fspath(SCHED))
        async with await anyio.open_process(follow, cwd=folder, stderr=None) as follower:
            await until(lambda: wrote(folder / "followed", len(data)), PATIENT)
            (host.home / "more").touch()
            await until(lambda: wrote(folder / "followed", len(data) + 5), PATIENT)
            assert job.status is JobStatus.RUNNING
            open_gate(host)
            await runner.wait(job)
            assert await follower.wait() == 0
    assert (folder / "followed").read_bytes() == data + b"more\nover\n"
    assert Path(job.stdout_file).read_bytes() == data + b"more\nover\n"
    await until(lambda: not host.processes("bash -pc"))


async def test_several_jobs_are_followed_where_they_are_written(lab: Lab, folder: Path) -> None:
    host = lab.host()
    script = 'echo "$0 one"; while [ ! -e ~/more ]; do sleep 0.05; done; echo "$0 two"'
    async with run_of(folder / "run", "h1", forks=1, patience=PATIENT) as runner:
        jobs = [await runner.feed(["sh", "-c", script, name]) for name in "ab"]
        await until_running(jobs[0])
        await runner.scheduler.session.journal.flush()
        follow = shell('exec "$1" logs run -f >followed', os.fspath(SCHED))
        async with await anyio.open_process(follow, cwd=folder, stderr=None) as follower:
            await until(lambda: wrote(folder / "followed", 8), PATIENT)
            (host.home / "more").touch()  # the other one starts when this one has ended
            for job in jobs:
                await runner.wait(job)
            assert await follower.wait() == 0
    assert text(folder / "followed") == "0\ta one\n0\ta two\n1\tb one\n1\tb two\n"


async def test_following_ends_by_a_signal(lab: Lab, folder: Path) -> None:
    host = lab.host()
    async with run_of(folder / "run", "h1", patience=PATIENT) as runner:
        job = await runner.feed(shell("echo hello; " + WAITS))
        await until_running(job)
        await runner.scheduler.session.journal.flush()
        follow = shell('exec "$1" logs run 0 -f >followed 2>said', os.fspath(SCHED))
        async with await anyio.open_process(follow, cwd=folder) as follower:
            await until(lambda: wrote(folder / "followed", 6), PATIENT)
            follower.send_signal(signal.SIGINT)
            assert await follower.wait() == 130
        assert text(folder / "said").strip() == ""
        open_gate(host)
    assert outcome(job) == ("FINISHED", 0, None)


async def test_logs_of_a_host_that_cannot_be_asked(lab: Lab, folder: Path) -> None:
    host = lab.host()
    async with run_of(folder / "run", "h1", patience=PATIENT) as runner:
        job = await runner.feed(shell("echo hello; " + WAITS))
        await until_running(job)
        await runner.scheduler.session.journal.flush()
        host.kill_sshd()
        code, out, said = await in_thread(folder, "logs", "run", "0")
        assert (code, out) == (0, "")
        assert "sched: warning: h1 (10.99.3.11:22) refuses the connection" in said
        assert "==> job 0 runs on h1: what it writes comes back when it has ended\n" in said
        host.start_sshd()
        open_gate(host)
    assert sched(folder, "logs", "run", "0")[1] == "hello\nover\n"
