"""Hosts that lack programs, programs that fail, files that cannot be brought: no success, no hang."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path
from typing import Any

import pytest

from sched_core import Job
from sched_core.runner import stopping
from sched_ssh import SshScheduler

from .helpers import outcome, run_of, shell, text, until
from .hosts import Host, Lab

BARE = ("bash", "sh", "tar", "head", "mkdir", "mv", "rm")
"""All that a host needs to have."""
COPIES = "while read -r line; do echo $line; done <in >out; echo done"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the driver runs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").write_text("text\n")
    return tmp_path


async def one(folder: Path, command: list[str], **files: Any) -> Job:
    async with run_of(folder / "run", "h1", existing="reuse") as runner:
        job = await runner.feed(command, **files)
        await runner.wait(job)
    return job


async def copied(folder: Path) -> Job:
    return await one(folder, shell(COPIES), inputs=["in"], outputs=["out"])


async def test_what_a_host_need_not_have(lab: Lab, folder: Path) -> None:
    lab.host(without="setsid nohup python3 perl awk sha256sum grep df nproc getconf".split())
    job = await copied(folder)
    assert outcome(job) == ("FINISHED", 0, None)
    assert text(folder / "out") == "text\n"


async def test_t31_t51_a_bare_host(lab: Lab, folder: Path) -> None:
    host = lab.host(only=BARE)
    job = await copied(folder)
    assert outcome(job) == ("FINISHED", 0, None)
    async with run_of(folder / "run2", "h1", grace=0.3) as runner:
        waits = await runner.feed(["/bin/bash", "-c", "read -rt 100 <> <(:)", "waits"])
        await until(lambda: bool(host.processes("waits")))
        await runner.kill(waits)
    assert outcome(waits)[::2] == ("KILLED", "CANCELLED")
    assert not host.processes("waits")


async def test_a_bare_host_with_a_shared_disk(lab: Lab, folder: Path) -> None:
    lab.host(only=("bash", "sh", "rm"), shared=[folder], uid=os.geteuid())
    assert outcome(await copied(folder)) == ("FINISHED", 0, None)


@pytest.mark.parametrize(
    "lacks,error",
    [
        ("bash", r"h1 ends the login .*bash.* not found; jobs are run by bash: install it there"),
        ("tar", r"h1: there is no tar, .*: install it there"),
        ("head", r"h1: there is no head, .*: install it there"),
        ("mkdir", r"h1: no folder can be made: /home/alice/.cache/sched/"),
    ],
)
async def test_what_a_host_must_have(lab: Lab, folder: Path, lacks: str, error: str) -> None:
    lab.host(without=[lacks], shell="/bin/sh")
    with pytest.raises(Exception, match=error):
        await copied(folder)
    found = await SshScheduler(folder / "run2", servers=["h1"]).doctor()
    assert [name for name, verdict, _ in found if verdict is False]


@pytest.fixture
def host(lab: Lab) -> Host:
    """A host whose programs can be replaced."""
    return lab.host(without=["setsid"])


@pytest.mark.parametrize(
    "program,text,reason",
    [
        ("sha256sum", 'printf "%064d  x\\n" 0', "files/in does not arrive at h1"),
        ("tar", "exit 0", "files/in: No such file"),
        ("tar", "echo broken >&2; exit 2", "files cannot be brought to h1:.*broken"),
    ],
)
async def test_inputs_that_do_not_come_whole(
    host: Host, folder: Path, program: str, text: str, reason: str
) -> None:
    host.add_program(program, f"#!/bin/sh\n{text}\n")
    job = await copied(folder)
    assert outcome(job)[::2] == ("FAILED", "SETUP")
    assert re.search(reason, job.reason)


@pytest.mark.parametrize(
    "program,text",
    [
        ("tar", '/.programs/tar "$@" | head -c 90000'),
        ("tar", "echo no archive"),
        ("tar", "echo broken >&2; exit 2"),
        ("sha256sum", "exit 1"),
    ],
)
async def test_outputs_that_do_not_come_whole(
    host: Host, folder: Path, program: str, text: str
) -> None:
    host.add_program(program, f"#!/bin/sh\n{text}\n")
    script = "mkdir many; for i in 1 2; do head -c 100000 /dev/zero >many/$i; done; cp many/1 one"
    for output in ("many", "one")[program == "sha256sum" :]:  # of folders there are no digests
        job = await one(folder, shell(script), outputs=[output])
        assert outcome(job) == ("FAILED", 0, "OUTPUT")
        assert job.reason


async def test_outputs_that_cannot_be_read(host: Host, folder: Path) -> None:
    script = "echo said; mkdir many; echo 1 >many/1; echo 2 >many/2; echo >one; chmod 0 many/1 one"
    for output, reason in (("one", "files/one: Permission denied"), ("many", "many/1: Cannot op")):
        job = await one(folder, shell(f"chmod -R 700 many one; {script}"), outputs=[output])
        assert outcome(job) == ("FAILED", 0, "OUTPUT")
        assert reason in job.reason
        assert text(job.stdout_file) == "said\n"
        job = await one(folder, shell(f"chmod -R 700 many one; {script}; exit 3"), outputs=[output])
        assert outcome(job) == ("FAILED", 3, "EXIT")


async def test_an_output_where_something_else_lies(host: Host, folder: Path) -> None:
    (folder / "out").write_text("mine\n")
    async with run_of(folder / "run", "h1") as runner:
        job = await runner.feed(shell("echo said; mkdir out; echo >out/x"), outputs=["out"])
        other = await runner.feed(shell("echo said"))
    assert outcome(job) == ("FAILED", 0, "OUTPUT")
    assert f"{folder}/out cannot be written here: File exists" in job.reason
    assert text(job.stdout_file) == text(other.stdout_file) == "said\n"
    assert (folder / "out").read_text() == "mine\n"
    assert outcome(other) == ("FINISHED", 0, None)


async def test_a_full_disk_of_the_driver_stops_the_run(host: Host, folder: Path) -> None:
    small = host.root / "small"  # what is at hand of a disk that is soon full
    (folder / "here").symlink_to(small)
    (small / "filler").write_bytes(b"x" * 900_000)
    script = "mkdir here; head -c 500000 /dev/zero >here/out"
    with pytest.raises(OSError, match="No space left") as caught:
        await one(folder, shell(script), outputs=["here/out"])
    assert caught.value.errno == errno.ENOSPC
    (small / "filler").unlink()
    async with run_of(folder / "run", "h1", existing="resume") as runner:
        await runner.stop_feeding()
        (job,) = runner.jobs
    assert (outcome(job), job.attempt) == (("FINISHED", 0, None), 1)
    assert (small / "out").stat().st_size == 500_000


async def test_a_scheduler_that_breaks_is_no_hang(
    host: Host, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "_MARGIN", 1.0)

    async def break_down() -> None:
        raise ZeroDivisionError("a bug")

    with pytest.raises(ZeroDivisionError, match="a bug"):  # noqa: PT012  # raised inside the block
        async with run_of(folder / "run", "h1", grace=0.1) as runner:
            job = await runner.feed(["sleep", "600"])
            scheduler = runner.scheduler
            assert isinstance(scheduler, SshScheduler)
            scheduler._fleet.spawn(break_down)
            await runner.wait(job)
