"""What goes over connections: how many channels, what is brought once, and nothing for its own sake."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import anyio
import asyncssh
import pytest

from sched_core import AttemptId, Job, Observation
from sched_ssh import SshScheduler, link
from sched_ssh.staging import Parcel
from sched_ssh.wire import script

from .helpers import outcome, run_of, shell, text, until
from .hosts import Host, Lab
from .test_faults import WAITS, host_of, open_gate, until_running


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the driver runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def test_short_records_come_with_the_end(lab: Lab, folder: Path) -> None:
    host = lab.host(LogLevel="VERBOSE")
    said = [b"", b"two\nlines\n", b"\0\xff\x1f\n", bytes(range(256)) * 4]
    async with run_of(folder / "run", "h1", forks=2, keepalive=15) as runner:
        jobs = [
            await runner.feed(shell('printf %b "$1"; printf %b "$1" >&2; exit 3', octal(data)))
            for data in said
        ]
    assert {outcome(job) for job in jobs} == {("FAILED", 3, "EXIT")}
    for job, data in zip(jobs, said, strict=True):
        assert Path(job.stdout_file).read_bytes() == Path(job.stderr_file).read_bytes() == data
        assert text(job.rc_file) == "3\n"
    assert channels(host) == 1


def octal(data: bytes) -> str:
    return "".join(f"\\0{byte:03o}" for byte in data)


def channels(host: Host) -> int:
    """Return how many commands were run on the host."""
    return host.log().count("Starting session: command")


async def test_all_files_go_over_one_channel(lab: Lab, folder: Path) -> None:
    host = lab.host(LogLevel="VERBOSE")
    for n in range(20):
        (folder / f"in{n}").write_text(f"{n}\n")
    async with run_of(folder / "run", "h1", forks=2, keepalive=15) as runner:
        jobs = [
            await runner.feed(
                shell("cat $1 >$2", f"in{n}", f"out{n}"), inputs=[f"in{n}"], outputs=[f"out{n}"]
            )
            for n in range(20)
        ]
    assert {outcome(job) for job in jobs} == {("FINISHED", 0, None)}
    assert [text(folder / f"out{n}") for n in range(20)] == [f"{n}\n" for n in range(20)]
    assert channels(host) == 2


async def test_what_is_there_does_not_come_again(apart: Lab, folder: Path) -> None:
    (folder / "all").mkdir()
    (folder / "all/x").write_text("x\n")
    brought: Counter[str] = Counter()
    async with run_of(folder / "run", "h1", forks=4) as runner:
        there: Any = host_of(runner, "h1")
        upload = there.upload

        async def counted(parcel: Parcel) -> None:
            brought.update(list(parcel.digests))
            await upload(parcel)

        there.upload = counted
        for n in range(30):
            (folder / f"in{n}").write_text(f"{n}\n")
            await runner.feed(["cat", "all/x", f"in{n}"], inputs=["all", f"in{n}"])
        await runner.stop_feeding()
        assert {outcome(job) for job in runner.jobs} == {("FINISHED", 0, None)}
        assert brought == Counter({"files/all/x": 1, **{f"files/in{n}": 1 for n in range(30)}})
        (folder / "all/x").write_text("changed\n")
    async with run_of(folder / "run", "h1", existing="reuse") as runner:
        job = await runner.feed(["cat", "all/x"], inputs=["all"])
    assert text(job.stdout_file) == "changed\n"


async def test_t03_t30_a_silent_host_is_asked_nothing(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = lab.host()
    for name, value in (("poll_interval", (0.05, 0.05)), ("spool_interval", 0.05)):
        monkeypatch.setattr(SshScheduler, name, value)
    async with run_of(tmp_path / "run", "h1", recheck_interval=1, keepalive=60) as runner:
        job = await runner.feed(shell(WAITS))
        await until_running(job)
        scheduler, asked = runner.scheduler, []
        query = scheduler.query_jobs

        async def counted(jobs: Sequence[Job]) -> Mapping[AttemptId, Observation]:
            asked.append(jobs)
            return await query(jobs)

        monkeypatch.setattr(scheduler, "query_jobs", counted)
        before = sent_to(host)
        await until(lambda: len(asked) > 3)
        assert sent_to(host) == before
        open_gate(host)
    assert outcome(job) == ("FINISHED", 0, None)


def sent_to(host: Host) -> int:
    """Return how many bytes the host's sshd was sent on its connections."""
    told = host.run("ss", "-Htin", "sport", "=", ":22")
    return sum(map(int, re.findall(r"\bbytes_received:(\d+)", told)))


@pytest.fixture
def watchful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have agents look after their slots more often."""
    often = script("agent").replace(b"-t 30 ", b"-t 0.1 ")
    assert often != script("agent")
    monkeypatch.setattr(link, "script", lambda name: often if name == "agent" else script(name))


@pytest.mark.usefixtures("watchful")
@pytest.mark.parametrize("busy", [False, True])
async def test_t50_a_slot_that_is_gone_without_a_word(lab: Lab, tmp_path: Path, busy: bool) -> None:
    host = lab.host()
    async with run_of(tmp_path / "run", "h1", forks=1) as runner:
        first = await runner.feed(shell(WAITS))
        await until_running(first)
        if not busy:
            open_gate(host)
            await runner.wait(first)
        there: Any = host_of(runner, "h1")
        # Its outer shell would tell of its inner one's end.
        both = (
            "outer=$(cat /proc/$1/task/$1/children); kill -STOP $outer; "
            "inner=$(cat $(printf '/proc/%s/task/%s/children ' $outer $outer)); kill -9 $inner $outer"
        )
        host.run("sh", "-c", both, "sh", str(there.hello.pid))
        open_gate(host)
        job = await runner.feed(["true"])
    assert outcome(job) == ("FINISHED", 0, None)
    assert outcome(first) == (("FAILED", None, "LOST") if busy else ("FINISHED", 0, None))


async def test_t30_drivers_together_knock_only_so_often(
    lab: Lab, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = lab.host(LogLevel="VERBOSE")
    knocked: list[float] = []
    connect = asyncssh.connect

    async def noted(**given: Any) -> asyncssh.SSHClientConnection:
        knocked.append(time.monotonic())
        return await connect(**given)

    async def drive(number: int) -> None:
        async with run_of(
            folder / f"run{number}", "h1", engine_rate="2/s:1", keepalive=15
        ) as runner:
            await runner.feed(["true"])

    monkeypatch.setattr(asyncssh, "connect", noted)
    began = time.monotonic()
    async with anyio.create_task_group() as group:
        for number in range(6):
            group.start_soon(drive, number)
    assert host.log().count("Accepted publickey") == 6
    # The first two may meet where the first one's half second ends.
    assert all(at - began >= (count - 1) * 0.5 for count, at in enumerate(knocked))
