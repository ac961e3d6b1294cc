"""What becomes of a run in a bucket and its mirror when drivers die, machines change, or the bucket
is away.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from sched_core import Job, OptionError, RunExists, Runner, SpecPath, clean_run
from sched_core.ports import cloudstorage
from sched_core.testing.contract.driver import driver_command, driver_killed_at_end
from sched_local import LocalScheduler

from ..jobs import until
from .mirrors import BUCKET, prepare
from .storage import StorageEmulator

pytestmark = pytest.mark.anyio

DRIVER = str(Path(__file__).with_name("mirror_driver.py"))
COUNTED = 'echo run >>"$HOME/count.$SCHED_JOB_INDEX"; '
GATE = 'until [ -e "$HOME/gate" ]; do sleep 0.05; done; '


@pytest.fixture(autouse=True)
def home(
    mirrored_storage: StorageEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A place where jobs count their starts and wait, whatever becomes of their run."""
    prepare(mirrored_storage, tmp_path / "cache", monkeypatch)
    monkeypatch.setenv("HOME", str(tmp_path))
    yield tmp_path
    mirrored_storage.clear_faults()
    (tmp_path / "gate").touch()


@pytest.fixture
def workdir() -> str:
    return f"gs://{BUCKET}/{uuid.uuid4().hex}"


@pytest.fixture
def folder(mirrored_storage: StorageEmulator, workdir: str) -> Path:
    """Where the emulator has the run's objects."""
    return mirrored_storage.root / workdir.removeprefix("gs://")


@pytest.fixture
def mirror(home: Path, workdir: str) -> Path:
    return home / "cache/sched/buckets" / workdir.removeprefix("gs://")


def shell(script: str, *args: str) -> list[str]:
    return ["/bin/sh", "-c", script, "sh", *args]


def counts(home: Path) -> dict[int, int]:
    files = sorted(home.glob("count.*"))
    return {int(file.suffix[1:]): len(file.read_text().split()) for file in files}


def run_of(workdir: str, existing: Any = "error", **options: Any) -> Runner:
    return Runner(LocalScheduler(workdir, **options), existing=existing, plugins=[])


@contextmanager
def driver(workdir: str, commands: list[list[str]], **options: Any) -> Iterator[Any]:
    """Run a driver of its own, to be killed."""
    argv = driver_command(LocalScheduler(workdir, **options), options, commands, "asyncio")
    with subprocess.Popen(argv) as process:
        try:
            yield process
        finally:
            process.kill()


def outcomes(jobs: list[Job]) -> list[tuple[str, int]]:
    return [(job.status.name, job.attempt) for job in jobs]


# --- what comes and goes ---------------------------------------------------------------------------


async def test_inputs_come_and_all_that_jobs_leave_goes(
    workdir: str, folder: Path, mirror: Path
) -> None:
    await SpecPath(f"{workdir}/data/in.txt").write_text("in\n")
    script = """cd "$SCHED_WORKDIR"; cat data/in.txt; mkdir -p out; tr a-z A-Z <data/in.txt >out/caps
        echo own >"$SCHED_JOB_METADIR/own"; echo late >&2"""
    async with run_of(workdir) as runner:
        job = await runner.wait(await runner.feed(shell(script)))
        assert str(job.metadir.mounted) == f"{mirror}/0"
        assert await job.stdout_file.read_text() == "in\n"
        assert (folder / "0/own").read_text() == "own\n"
    names = {path.name for path in (folder / "0").iterdir()}
    assert names >= {"job.stdout", "job.stderr", "job.rc", "job.status", "job.claim.1", "own"}
    assert (folder / "0/job.wrapped.local").exists()
    assert (folder / "out/caps").read_text() == "IN\n"
    assert not (folder / ".sched/events").exists()


async def test_large_files_arrive_whole(workdir: str, folder: Path, home: Path) -> None:
    data = random.Random(1).randbytes(20 << 20)
    (home / "large").write_bytes(data)
    copy = 'cp "$HOME/large" "$SCHED_JOB_METADIR/own"; cp "$HOME/large" "$SCHED_WORKDIR/top"'
    async with run_of(workdir) as runner:
        await runner.wait(await runner.feed(shell(copy)))
        assert (folder / "0/own").read_bytes() == data
    assert (folder / "top").read_bytes() == data
    shutil.rmtree(home / "cache")
    async with run_of(workdir, "resume", mirror=home / "other"):
        assert (home / "other/top").read_bytes() == data


async def test_files_of_attempts_are_kept(workdir: str, folder: Path) -> None:
    script = 'echo "$SCHED_ATTEMPT"; exit $((2 - SCHED_ATTEMPT))'
    async with run_of(workdir, error_strategy="retry") as runner:
        job = await runner.wait(await runner.feed(shell(script)))
        assert job.attempt == 2
    assert (folder / "0/job.stdout").read_text() == "2\n"
    assert (folder / "0/job.retry/1/job.stdout").read_text() == "1\n"
    assert (folder / "0/job.rc").read_text() == "0\n"


async def test_a_mirror_elsewhere(workdir: str, tmp_path: Path) -> None:
    async with run_of(workdir, mirror=tmp_path / "here") as runner:
        job = await runner.feed(shell('echo "$SCHED_WORKDIR"'))
    assert await job.stdout_file.read_text() == f"{tmp_path}/here\n"
    again = Runner.resume(workdir, plugins=[])
    assert again.scheduler.mirror == f"{tmp_path}/here"
    (remains,) = await clean_run(again.scheduler)
    assert (remains.path, remains.problem) == (f"{tmp_path}/here", "")
    assert not (tmp_path / "here").exists()
    assert await job.stdout_file.read_text() == f"{tmp_path}/here\n"


async def test_a_mount_of_other_folders(workdir: str, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    mount = f"DATA=gs://{BUCKET}/data:{tmp_path}/data"
    async with run_of(workdir, mount=mount) as runner:
        job = await runner.feed(shell('echo "$DATA"'))
    assert await job.stdout_file.read_text() == f"{tmp_path}/data\n"


async def test_a_scheduler_without_a_runner(workdir: str, folder: Path) -> None:
    scheduler = LocalScheduler(workdir)
    job = await scheduler.create_job(0, shell("echo out"))
    await scheduler.submit_job_and_update_status(job)
    counter = 0
    while not await scheduler.check_all_done([job], counter):
        counter += 1
        await anyio.sleep(0.05)
    await scheduler.aclose()
    assert (folder / "0/job.stdout").read_text() == "out\n"


async def test_a_mirror_that_cannot_be_one(workdir: str, tmp_path: Path) -> None:
    (tmp_path / "used").mkdir()
    (tmp_path / "used/thesis.tex").touch()
    with pytest.raises(OptionError, match="holds something else"):
        async with run_of(workdir, mirror=tmp_path / "used"):
            pass
    with pytest.raises(OptionError, match="give a folder of this machine"):
        LocalScheduler(workdir, mirror="gs://elsewhere")


# --- drivers that die ------------------------------------------------------------------------------


async def test_a_driver_that_dies_before_an_end_is_in_the_bucket(
    workdir: str, folder: Path, mirror: Path, home: Path, mirrored_storage: StorageEmulator
) -> None:
    with driver(workdir, [shell(COUNTED + "echo out; " + GATE)] * 3, forks=2) as process:
        await until(lambda: len(counts(home)) == 2)
        mirrored_storage.fault("status", method="POST", path="/upload/", count=100000)
        (home / "gate").touch()
        await until(lambda: all((mirror / f"{n}/job.rc").exists() for n in range(2)))
        assert not (folder / "0/job.stdout").exists()
        process.kill()
        process.wait()
    mirrored_storage.clear_faults()
    async with run_of(workdir, "resume", forks=2) as runner:
        await runner.stop_feeding()
        assert outcomes(runner.jobs) == [("FINISHED", 1)] * 3
    assert [(folder / f"{n}/job.stdout").read_text() for n in range(3)] == ["out\n"] * 3
    assert counts(home) == dict.fromkeys(range(3), 1)


async def test_another_machine_goes_on(workdir: str, home: Path, folder: Path) -> None:
    async with run_of(workdir, forks=1) as runner:
        jobs = await runner.feed_all([shell(COUNTED + "echo out")] * 3)
        await runner.wait(jobs[0])
        await runner.cancel()
    shutil.rmtree(home / "cache")
    async with run_of(workdir, "resume", mirror=home / "other") as runner:
        await runner.stop_feeding()
        assert [job.status.name for job in runner.jobs] == ["FINISHED"] * 3
        assert await runner.jobs[0].stdout_file.read_text() == "out\n"
    assert [(folder / f"{n}/job.stdout").read_text() for n in range(3)] == ["out\n"] * 3
    assert counts(home)[0] == 1


async def test_jobs_that_may_run_on_another_machine_are_not_started_here(
    workdir: str, home: Path, mirror: Path
) -> None:
    with driver(workdir, [shell(COUNTED + GATE)], forks=1) as process:
        await until(lambda: len(counts(home)) == 1)
        process.kill()
        process.wait()
    with pytest.raises(RunExists, match=f"resume the run with mirror={mirror}"):
        async with run_of(workdir, "resume", mirror=home / "other"):
            pass
    async with run_of(workdir, "resume") as runner:
        (home / "gate").touch()
        await runner.stop_feeding()
        assert outcomes(runner.jobs) == [("FINISHED", 1)]
    assert counts(home) == {0: 1}


async def test_a_machine_that_is_gone_for_good(workdir: str, home: Path, mirror: Path) -> None:
    with driver(workdir, [shell(COUNTED + GATE)], forks=1) as process:
        await until(lambda: len(counts(home)) == 1)
        process.kill()
        process.wait()
    mirror.rename(home / "gone")
    (home / "gate").touch()
    with pytest.raises(RunExists, match="or, if nothing runs there, name another folder"):
        async with run_of(workdir, "resume"):
            pass
    async with run_of(workdir, "resume", mirror=home / "other") as runner:
        await runner.stop_feeding()
        assert outcomes(runner.jobs) == [("FINISHED", 1)]


async def test_a_mirror_is_left_for_a_mount(workdir: str, home: Path, folder: Path) -> None:
    mounted = {"volumes": f"{workdir}:{folder}"}
    with driver(workdir, [shell(COUNTED + GATE)], forks=1) as process:
        await until(lambda: len(counts(home)) == 1)
        process.kill()
        process.wait()
    with pytest.raises(RunExists, match="may still run in the mirror"):
        async with run_of(workdir, "resume", **mounted):
            pass
    async with run_of(workdir, "resume") as runner:
        (home / "gate").touch()
        await runner.stop_feeding()
    async with run_of(workdir, "resume", **mounted) as runner:
        await runner.feed(shell("echo mounted"))
    async with run_of(workdir, "resume") as runner:
        assert [await job.stdout_file.read_text() for job in runner.jobs] == ["", "mounted\n"]
        assert runner.scheduler.session.ports.files.read(f"{workdir}/1/job.rc") == b"0\n"
    assert counts(home) == {0: 1}


async def test_drivers_that_die_again_and_again(
    workdir: str, home: Path, folder: Path, mirrored_storage: StorageEmulator
) -> None:
    chance = random.Random(6)
    commands = [shell(COUNTED + 'sleep 0.1; echo "$SCHED_JOB_INDEX"')] * 40
    argv = [sys.executable, DRIVER, workdir, json.dumps(commands)]
    for _ in range(6):
        mirrored_storage.fault("status", method="POST", skip=chance.randrange(20), count=2)
        mirrored_storage.fault("lost", method="POST", skip=chance.randrange(20), count=2)
        async with driver_killed_at_end(argv):
            await anyio.sleep(chance.uniform(0.8, 2.0))
    mirrored_storage.clear_faults()
    async with run_of(workdir, "resume", forks=4) as runner:
        await runner.feed_all(commands)
        await runner.stop_feeding()
        assert outcomes(runner.jobs) == [("FINISHED", 1)] * 40
    assert counts(home) == dict.fromkeys(range(40), 1)
    assert [(folder / f"{n}/job.stdout").read_text() for n in range(40)] == [
        f"{n}\n" for n in range(40)
    ]


# --- a bucket that is away -------------------------------------------------------------------------


async def test_a_bucket_that_is_away_is_waited_for(
    workdir: str,
    home: Path,
    folder: Path,
    mirrored_storage: StorageEmulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(cloudstorage, "_TRY_FOR", 0.2)
    monkeypatch.setattr(cloudstorage, "_FIRST_DELAY", 0.05)
    async with run_of(workdir, forks=2) as runner:
        jobs = [await runner.feed(shell(COUNTED + GATE + "echo out")) for _ in range(2)]
        await until(lambda: len(counts(home)) == 2)
        await anyio.to_thread.run_sync(
            lambda: mirrored_storage.fault("status", path=f"/{BUCKET}/", count=100000)
        )
        (home / "gate").touch()
        await until(lambda: "cannot be brought to the bucket, trying again" in caplog.text)
        assert [job.status.name for job in jobs] == ["RUNNING"] * 2
        await anyio.to_thread.run_sync(mirrored_storage.clear_faults)
        await runner.stop_feeding()
    assert outcomes(jobs) == [("FINISHED", 1)] * 2
    assert (folder / "1/job.stdout").read_text() == "out\n"
