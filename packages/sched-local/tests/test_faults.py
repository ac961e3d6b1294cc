"""What befalls jobs, slots and folders: each time a clear state or a clear error, never a hang."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sched_core import JobStatus, Runner
from sched_core.ports import system_ports
from sched_core.runfolder import AttemptId, Layout, read_submissions
from sched_core.runner import rounds
from sched_local import LocalScheduler

from .processes import carriers
from .running import outcome, runner, shell, until, until_running

WAIT = "until [[ -e $1 ]]; do sleep 0.02; done"
ANOTHER_BOOT = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def workdir(tmp_path: Path) -> Path:
    return tmp_path / "run"


def this_boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def start_ticks(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[19])


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[1])


async def wait_for_file(path: Path) -> str:
    await until(lambda: path.exists() and path.read_text().endswith("\n"))
    return path.read_text()


# --- what an earlier driver has left --------------------------------------------------------------


def forge(workdir: Path, claim: str) -> None:
    """Have the journal say that job 0 runs, and its claim say who has it."""
    segments = sorted((workdir / ".sched/journal").iterdir())
    segments[-1].with_name("9-0.jsonl").write_text(
        '{"state":0,"to":4,"at":1.0,"attempt":1,"started":1.0,"jid":"1"}\n'
    )
    (workdir / "0/job.claim.1").write_text(claim)


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process of this user that has nothing to do with any run, leader of a group of its own."""
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as process:
        yield process
        assert process.poll() is None, "somebody has killed a foreign process"
        process.kill()


async def run_once(workdir: Path, outputs: Path) -> None:
    async with runner(workdir) as first:
        await first.feed(shell('echo "$SCHED_ATTEMPT" >>"$1"', outputs))


STALE: dict[str, Callable[[int], str]] = {
    "a later process with its pid": lambda pid: (
        f"{pid} 0 {socket.gethostname()} {this_boot()} {pid} 5 1.0\nP {pid} 5\n"
    ),
    "a process of an earlier boot": lambda pid: (
        f"{pid} 0 {socket.gethostname()} {ANOTHER_BOOT} {pid} {start_ticks(pid)} 1.0\n"
        f"P {pid} {start_ticks(pid)}\n"
    ),
    "a claim that was never written": lambda pid: "",
    "half a claim": lambda pid: f"{pid} 0 {socket.gethostname()}",
}


@pytest.mark.parametrize("what", STALE)
async def test_t27_a_stale_claim_is_not_taken_for_a_process(
    workdir: Path, tmp_path: Path, bystander: subprocess.Popen[bytes], what: str
) -> None:
    outputs = tmp_path / "out"
    await run_once(workdir, outputs)
    forge(workdir, STALE[what](bystander.pid))
    async with runner(workdir, "resume", error_strategy="retry") as second:
        (job,) = second.jobs
    assert outcome(job) == ("FINISHED", 0, None)
    assert job.attempt == 2
    assert outputs.read_text() == "1\n2\n"


async def test_t27_killing_a_job_of_a_stale_claim_kills_nobody_else(
    workdir: Path, tmp_path: Path, bystander: subprocess.Popen[bytes]
) -> None:
    await run_once(workdir, tmp_path / "out")
    forge(workdir, STALE["a later process with its pid"](bystander.pid))
    segment = workdir / ".sched/journal/9-0.jsonl"
    segment.write_text(segment.read_text().replace('"to":4', '"to":5'))
    async with runner(workdir, "resume") as second:
        (job,) = second.jobs
    assert outcome(job) == ("KILLED", None, "CANCELLED")


async def test_a_job_on_another_host_is_waited_for(
    workdir: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    outputs = tmp_path / "out"
    await run_once(workdir, outputs)
    forge(workdir, f"7 0 elsewhere {ANOTHER_BOOT} 7 5 1.0\nP 7 5\n")
    async with runner(workdir, "resume", recheck_interval=1) as second:
        (job,) = second.jobs
        assert job.status is JobStatus.RUNNING
        assert "was started on elsewhere" in caplog.text
        with (workdir / "0/job.claim.1").open("a") as claim:
            claim.write("E 0 - 2.0\n")
    assert outcome(job) == ("FINISHED", 0, None)
    assert job.host == "elsewhere"
    assert outputs.read_text() == "1\n"


async def test_a_job_that_failed_while_nobody_drove_is_retried_once(
    workdir: Path, tmp_path: Path
) -> None:
    outputs = tmp_path / "out"
    await run_once(workdir, outputs)
    here = f"{socket.gethostname()} {this_boot()}"
    forge(workdir, f"7 0 {here} 7 5 1.0\nP 7 5\nE 3 EXIT 2.0\n")
    async with runner(workdir, "resume", error_strategy="retry") as second:
        (job,) = second.jobs
        await second.wait(job)
        submissions = read_submissions(system_ports(str(workdir)).files, Layout(str(workdir)))
    assert outcome(job) == ("FINISHED", 0, None)
    assert [task for s in submissions for task in s.tasks].count(AttemptId(0, 2)) <= 1
    assert outputs.read_text() == "1\n2\n"


# --- slots ------------------------------------------------------------------------------------------


async def test_a_job_outlives_the_shell_above_its_recorder(workdir: Path, tmp_path: Path) -> None:
    go = tmp_path / "go"
    async with runner(workdir) as running:
        job = await running.feed(shell(f"{WAIT}; exit 3", go))
        await until_running(job)
        recorder = parent_of(int(job.jid or 0))
        os.kill(parent_of(recorder), signal.SIGKILL)
        another = await running.feed(["true"])
        go.touch()
    assert outcome(job) == ("FAILED", 3, "EXIT")
    assert outcome(another) == ("FINISHED", 0, None)


async def test_t50_a_job_whose_recorder_is_killed_is_lost_and_tried_again(
    workdir: Path, tmp_path: Path
) -> None:
    outputs = tmp_path / "out"
    script = 'echo "$SCHED_ATTEMPT" >>"$1"; ((SCHED_ATTEMPT > 1)) || exec sleep 600'
    async with runner(workdir, error_strategy="retry", num_retries=0) as running:
        job = await running.feed(shell(script, outputs))
        await wait_for_file(outputs)
        await until_running(job)
        leader = int(job.jid or 0)
        os.kill(parent_of(leader), signal.SIGKILL)
        os.kill(leader, signal.SIGKILL)
    assert outcome(job) == ("FINISHED", 0, None)
    assert (job.attempt, job.trial_count, job.infrastructure_retries) == (2, 0, 1)
    assert outputs.read_text() == "1\n2\n"


async def test_t50_a_slot_that_is_killed_before_it_starts_costs_no_attempt(workdir: Path) -> None:
    scheduler = LocalScheduler(workdir, forks=1)
    started: list[int] = []

    def start_and_kill(pool: Any, original: Any) -> Any:
        slot = original()
        if not started:
            os.killpg(slot.pid, signal.SIGKILL)
        started.append(slot.pid)
        return slot

    async with Runner(scheduler, plugins=[]) as running:
        pool = scheduler._slots
        original = pool._start
        pool._start = lambda: start_and_kill(pool, original)  # type: ignore[method-assign]
        job = await running.feed(["true"])
    assert outcome(job) == ("FINISHED", 0, None)
    assert job.attempt == 1
    assert len(started) == 2


async def test_t50_an_idle_slot_that_is_killed_is_replaced(workdir: Path) -> None:
    async with runner(workdir) as running:
        first = await running.feed(shell("echo $PPID"))
        await running.wait(first)
        os.killpg(parent_of(int((workdir / "0/job.stdout").read_text())), signal.SIGKILL)
        second = await running.feed(["true"])
    assert outcome(second) == ("FINISHED", 0, None)
    assert second.attempt == 1


async def test_t50_shells_that_do_nothing_but_die_are_not_started_for_ever(workdir: Path) -> None:
    async with runner(workdir) as running:
        for recorder in (workdir / ".sched").glob("recorder-*"):
            recorder.write_text("exit 1\n")
        job = await running.feed(["true"])
    assert outcome(job) == ("FAILED", None, "SETUP")
    assert "recorder-" in job.reason


# --- files ------------------------------------------------------------------------------------------


class Removed(LocalScheduler):
    """Breaks a job's script between its being written and its being run."""

    def mangle(self, path: Path) -> None:
        path.unlink()

    async def prepare(self, jobs: Any) -> None:
        for job in jobs:
            self.mangle(Path(self.script_path(job)))


class Directory(Removed):
    def mangle(self, path: Path) -> None:
        path.unlink()
        path.mkdir()


class Empty(Removed):
    def mangle(self, path: Path) -> None:
        path.write_text("")


class Garbage(Removed):
    def mangle(self, path: Path) -> None:
        path.write_bytes(b"\x7fELF\0((((")


@pytest.mark.parametrize("kind", [Removed, Directory, Empty, Garbage])
async def test_a_script_that_cannot_be_read_is_a_failed_setup(
    workdir: Path, kind: type[Removed]
) -> None:
    async with Runner(kind(workdir), plugins=[]) as running:
        jobs = [await running.feed(["true"]) for _ in range(3)]
    assert {outcome(job) for job in jobs} == {("FAILED", 122, "SETUP")}


async def test_a_folder_that_cannot_be_made_is_a_failed_setup(workdir: Path) -> None:
    async with runner(workdir) as running:
        (workdir / "0").write_text("in the way")
        jobs = [await running.feed(["true"]) for _ in range(2)]
    assert outcome(jobs[0]) == ("FAILED", None, "SETUP")
    assert "cannot be made" in jobs[0].reason
    assert outcome(jobs[1]) == ("FINISHED", 0, None)


async def test_a_folder_that_is_not_there_is_a_failed_setup(workdir: Path, tmp_path: Path) -> None:
    async with runner(workdir, cwd=tmp_path / "nowhere") as running:
        job = await running.feed(["touch", str(tmp_path / "ran")])
    assert outcome(job) == ("FAILED", 122, "SETUP")
    assert "nowhere" in (workdir / "0/job.stderr").read_text()
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "prescript,rc,said",
    [
        ("echo said >&2; exit 7", 7, "said"),
        ("exit 0", 122, ""),
        ("set -e; echo said >&2; false; :", 1, "said"),
        ("if (", 122, "syntax error"),
        ("set -u; echo $nothing_of_that_name", 1, "unbound variable"),
    ],
)
async def test_a_prescript_that_fails_is_a_failed_setup(
    workdir: Path, tmp_path: Path, prescript: str, rc: int, said: str
) -> None:
    async with runner(workdir, prescript=prescript) as running:
        job = await running.feed(["touch", str(tmp_path / "ran")])
    status, found, failure = outcome(job)
    assert (status, failure) == ("FAILED", "SETUP")
    assert found is not None
    assert found > 0
    if rc != 122:
        assert found == rc
    assert said in (workdir / "0/job.stderr").read_text()
    assert not (tmp_path / "ran").exists()


async def test_t39_a_work_directory_that_vanishes_is_an_error(
    workdir: Path, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    with pytest.raises(OSError, match=r"\.sched"):
        async with runner(workdir) as running:
            run = running.scheduler.session.run
            job = await running.feed(shell(WAIT, go))
            await until_running(job)
            await until(lambda: len(carriers(f"{run}-0-1")) > 0)
            shutil.rmtree(workdir)
            go.touch()
            await running.feed(["true"])
    assert job.status.final
    assert carriers(run) == []


# --- disks ------------------------------------------------------------------------------------------


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m,nr_inodes=1000", "none", str(disk)]
    mounted = subprocess.run(command, capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("this container may not mount")
    yield disk
    while (
        subprocess.run(["umount", "-l", str(disk)], capture_output=True, check=False).returncode
        == 0
    ):
        pass  # one mount may lie on another


def make_read_only(disk: Path) -> None:
    """Have nothing on the disk be writable by name, though what is open stays so."""
    subprocess.run(["mount", "--bind", str(disk), str(disk)], check=True)
    remount(disk, "bind,ro")


def fill(disk: Path) -> None:
    with contextlib.suppress(OSError), (disk / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def remount(disk: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(disk)], check=True)


FILL = 'cat /dev/zero >"$1" 2>/dev/null'


@needs_root
async def test_t39_a_full_disk_loses_no_result(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The journal meets the full disk when the last job is submitted, and not before others have ended.
    monkeypatch.setattr(rounds, "_FLUSH_INTERVAL", 3600.0)
    filler, gate = small_disk / "filler", small_disk.parent / "gate"
    fills = shell(f'until [ -e "$2" ]; do sleep 0.02; done; {FILL}; exit 5', filler, gate)
    commands = [fills, *[["true"]] * 5]
    with pytest.raises(OSError, match="No space left"):
        async with runner(small_disk / "run") as running:
            jobs = await running.feed_all(commands)
            # They may leave in one submission or in several.
            await until(lambda: all(job.status is not JobStatus.QUEUED for job in jobs))
            gate.touch()
            for job in jobs:
                await running.wait(job)
            jobs.append(await running.feed(["pwd"]))
    expected = [("FAILED", 5, "EXIT"), *[("FAILED", 122, "SETUP")] * 5]
    assert [outcome(job) for job in jobs] == [*expected, ("QUEUED", None, None)]
    filler.unlink()
    async with runner(small_disk / "run", "resume") as again:
        for command in [*commands, ["pwd"]]:
            await again.feed(command)
    assert [outcome(job) for job in again.jobs] == [*expected, ("FINISHED", 0, None)]


@needs_root
async def test_a_disk_that_is_full_from_the_start_is_an_error(small_disk: Path) -> None:
    fill(small_disk)
    with pytest.raises(OSError, match="No space left"):
        async with runner(small_disk / "run"):
            pass


@needs_root
async def test_a_disk_without_room_for_files_fails_the_job(small_disk: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        async with runner(small_disk / "run", error_strategy="ignore") as running:
            await running.feed_all([["true"]] * 400)


@needs_root
async def test_t39_a_read_only_disk_is_an_error(small_disk: Path) -> None:
    remount(small_disk, "ro")
    with pytest.raises(OSError, match="Read-only"):
        async with runner(small_disk / "run"):
            pass


@needs_root
async def test_t39_a_disk_that_becomes_read_only_ends_the_run(
    small_disk: Path, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    with pytest.raises(OSError, match="Read-only"):
        async with runner(small_disk / "run") as running:
            job = await running.feed(shell(WAIT, go))
            await until_running(job)
            make_read_only(small_disk)
            go.touch()
            await running.feed(["true"])
    assert job.status.final
