"""Hosts with disks of their own: what jobs need goes there, what they made comes back."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from sched_core import Job, JobStatus, OptionError
from sched_ssh import SshScheduler

from .helpers import outcome, run_of, shell, text
from .hosts import Lab


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the driver runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def test_inputs_go_and_outputs_come(apart: Lab, folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data/in.txt").write_text("hello\n")
    script = 'mkdir -p out && tr a-z A-Z <data/in.txt >"out/$1" && chmod 755 "out/$1"; echo done'
    async with run_of(folder / "run", "h1", "h2", forks=4) as runner:
        jobs = [
            await runner.feed(shell(script, name), inputs=["data/in.txt"], outputs=[f"out/{name}"])
            for name in ("one", "it's 2", "three\nlines")
        ]
    assert [outcome(job) for job in jobs] == [("FINISHED", 0, None)] * 3
    assert {job.host for job in jobs} == {"h1", "h2"}
    for name in ("one", "it's 2", "three\nlines"):
        assert text(folder / "out" / name) == "HELLO\n"
        assert os.access(folder / "out" / name, os.X_OK)
    assert text(jobs[0].stdout_file) == "done\n"


async def test_folders_go_and_come(apart: Lab, folder: Path) -> None:
    (folder / "tree/deep").mkdir(parents=True)
    (folder / "tree/deep/file").write_bytes(bytes(range(256)))
    async with run_of(folder / "run", "h1") as runner:
        job = await runner.feed(shell("cp -R tree copy"), inputs=["tree"], outputs=["copy"])
    assert outcome(job) == ("FINISHED", 0, None)
    assert (folder / "copy/deep/file").read_bytes() == bytes(range(256))


async def test_one_host_shares_the_disk_and_another_does_not(lab: Lab, folder: Path) -> None:
    lab.host(uid=os.geteuid(), shared=[folder])
    lab.host()
    (folder / "in").write_text("text\n")
    servers = {"h1": {"slots": 1}, "h2": {"slots": 1}}
    async with run_of(folder / "run", servers=servers, forks=2) as runner:
        jobs = [
            await runner.feed(shell("cat in >$1; hostname", name), inputs=["in"], outputs=[name])
            for name in ("a", "b", "c", "d")
        ]
    assert {outcome(job) for job in jobs} == {("FINISHED", 0, None)}
    assert {job.host for job in jobs} == {"h1", "h2"}
    assert [text(job.stdout_file).strip() for job in jobs] == [job.host for job in jobs]
    assert {(folder / name).read_text() for name in ("a", "b", "c", "d")} == {"text\n"}


async def test_large_files_arrive_whole(apart: Lab, folder: Path) -> None:
    data = os.urandom(1 << 20) * 24
    (folder / "large").write_bytes(data)
    async with run_of(folder / "run", "h1") as runner:
        job = await runner.feed(
            shell("sha256sum <large; cat large large >twice"), inputs=["large"], outputs=["twice"]
        )
    assert outcome(job) == ("FINISHED", 0, None)
    assert text(job.stdout_file).split()[0] == hashlib.sha256(data).hexdigest()
    assert (folder / "twice").read_bytes() == data + data


async def test_an_output_that_is_not_there_is_a_failure(apart: Lab, folder: Path) -> None:
    async with run_of(folder / "run", "h1") as runner:
        job = await runner.feed(shell(":"), outputs=["never"])
        failed = await runner.feed(shell("exit 3"), outputs=["never"])
    assert outcome(job) == ("FAILED", 0, "OUTPUT")
    assert job.reason == "its output never is not there"
    assert outcome(failed) == ("FAILED", 3, "EXIT")


class OneByOne(SshScheduler):
    """One that a host has made, so that jobs are submitted by the single form."""

    async def submit_job(self, job: Job) -> str:
        """Do as the base does."""
        return await super().submit_job(job)


@pytest.mark.parametrize("cls", [SshScheduler, OneByOne])
async def test_an_input_that_is_not_there_is_a_failure(
    apart: Lab, folder: Path, cls: type[SshScheduler]
) -> None:
    async with run_of(folder / "run", "h1", scheduler_class=cls) as runner:
        job = await runner.feed(shell(":"), inputs=["never"])
        other = await runner.feed(shell(":"))
    assert outcome(job) == ("FAILED", None, "SETUP")
    assert "never: No such file" in job.reason
    assert outcome(other) == ("FINISHED", 0, None)


@pytest.mark.parametrize("path", ["/etc/passwd", "../above", "."])
async def test_what_cannot_be_staged_is_refused(apart: Lab, folder: Path, path: str) -> None:
    async with run_of(folder / "run", "h1") as runner:
        with pytest.raises(OptionError, match="relative to the folder"):
            await runner.feed(["true"], inputs=[path])


async def test_nothing_secret_is_in_an_argv(apart: Lab, folder: Path) -> None:
    script = 'echo "$OF_HOST" "$OF_JOB"; cat /proc/[0-9]*/cmdline | tr "\\0" "\\n"'
    servers = {"h1": {"env": {"OF_HOST": "hidden-host"}}}
    async with run_of(folder / "run", servers=servers) as runner:
        job = await runner.feed(shell(script), envs={"OF_JOB": "hidden-job"})
    said = text(job.stdout_file).splitlines()
    assert said[0] == "hidden-host hidden-job"
    assert len(said) > 5
    assert not [line for line in said[1:] if "hidden-" in line]
    for record in (folder / "run/.sched").rglob("*.json*"):
        assert "hidden-host" not in record.read_text()


async def test_retries_have_their_own_records(apart: Lab, folder: Path) -> None:
    options: dict[str, Any] = {"error_strategy": "retry", "num_retries": 2}
    async with run_of(folder / "run", "h1", **options) as runner:
        job = await runner.feed(shell('echo "$SCHED_ATTEMPT"; test "$SCHED_ATTEMPT" = 3'))
    assert (outcome(job), job.attempt) == (("FINISHED", 0, None), 3)
    assert text(job.stdout_file) == "3\n"
    assert [text(job.retry_dir / f"{n}/job.stdout") for n in (1, 2)] == ["1\n", "2\n"]


async def test_t30_one_connection_a_host(apart: Lab, folder: Path) -> None:
    async with run_of(folder / "run", "h1", "h2", forks=4, keepalive=15) as runner:
        await runner.feed_all([["true"]] * 40)
        await runner.stop_feeding()
        assert [host.connections() for host in apart.hosts] == [1, 1]
        assert {job.status for job in runner.jobs} == {JobStatus.FINISHED}


@pytest.mark.parametrize("login", ["/bin/dash", "/bin/bash"])
async def test_login_scripts_that_talk(lab: Lab, folder: Path, login: str) -> None:
    host = lab.host(shell=login)
    noise = "echo welcome; echo trouble >&2; printf 'no newline'\n"
    for name in (".bashrc", ".profile", ".bash_profile"):
        (host.home / name).write_text(noise)
    async with run_of(folder / "run", "h1") as runner:
        job = await runner.feed(shell("echo $0; date >made"), outputs=["made"])
    assert outcome(job) == ("FINISHED", 0, None)
    assert text(job.stdout_file) == "sh\n"


async def test_a_full_disk_is_no_hang(lab: Lab, folder: Path) -> None:
    host = lab.host()
    host.run("sh", "-c", "head -c 900000 /dev/zero >/small/filler")
    (folder / "large").write_bytes(b"x" * 500_000)
    (folder / "small").write_text("well\n")
    servers = {"h1": {"workdir": "/small/runs"}}
    async with run_of(folder / "run", servers=servers) as runner:
        job = await runner.feed(shell("cat large >/dev/null"), inputs=["large"])
        other = await runner.feed(shell("cat small"), inputs=["small"])
    assert outcome(job)[::2] == ("FAILED", "SETUP")
    assert "KiB were free on the disk" in job.reason
    assert outcome(other) == ("FINISHED", 0, None)
    assert text(other.stdout_file) == "well\n"
