"""What becomes of jobs, and whom a failure is laid at: the command, or the engine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from sched_container import ContainerScheduler
from sched_core import Failure, Job, JobStatus, Runner

from .machines import Engine

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

OWN_CODES = [1, 99, 125, 126, 127, 137, 143, 255]


@pytest.fixture(params=["docker", "podman", "apptainer"])
def engine(request: pytest.FixtureRequest) -> Engine:
    found: Engine = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["docker", "podman"])
def keeper(request: pytest.FixtureRequest) -> Engine:
    """An engine whose containers are told apart, and limited."""
    found: Engine = request.getfixturevalue(request.param)
    return found


def scheduler(engine: Engine, folder: Path, **options: Any) -> ContainerScheduler:
    return ContainerScheduler(folder / "run", **{"pull": "never", **engine.options, **options})


async def one(
    engine: Engine, folder: Path, command: list[str], *, own: Any = None, **options: Any
) -> Job:
    async with Runner(scheduler(engine, folder, **options), plugins=[]) as runner:
        return await runner.wait(await runner.feed(command, container=own))


async def test_a_commands_own_codes_are_its_own(engine: Engine, tmp_path: Path) -> None:
    async with Runner(scheduler(engine, tmp_path, forks=4), plugins=[]) as runner:
        jobs = await runner.feed_all([["/bin/sh", "-c", f"exit {n}"] for n in OWN_CODES])
        await runner.stop_feeding()
    assert [job.rc for job in jobs] == OWN_CODES
    assert {job.failure for job in jobs} == {Failure.EXIT}
    assert not engine.left()


async def test_a_command_that_is_not_there_is_no_fault_of_the_engine(
    engine: Engine, tmp_path: Path
) -> None:
    job = await one(engine, tmp_path, ["no-such-command"])
    assert (job.rc, job.failure) == (127, Failure.EXIT)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "image": ({"image": "no-such-image:1"}, "no-such-image:1"),
    "user": ({"user": "nosuch"}, "unable to find user nosuch"),
    "volume": ({"volumes": ["/no/such/folder:/data"]}, "/no/such/folder"),
    "word": ({"args": ["--no-such-option"]}, "unknown flag: --no-such-option"),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_what_the_engine_refuses_is_told_in_its_own_words(
    keeper: Engine, tmp_path: Path, what: str
) -> None:
    changed, words = REFUSED[what]
    job = await one(keeper, tmp_path, ["true"], own=changed, error_strategy="retry")
    assert (job.status, job.failure, job.attempt) == (JobStatus.FAILED, Failure.REJECTED, 1)
    assert words in await job.stderr_file.read_text()
    assert not os.path.exists("/no")
    assert not keeper.left()


async def test_too_much_memory_is_told_as_that(keeper: Engine, tmp_path: Path) -> None:
    hungry = 'a=$(head -c 100000000 /dev/zero | tr "\\0" x); echo ${#a}'
    job = await one(keeper, tmp_path, ["/bin/bash", "-c", hungry], resources={"memory": "20 MiB"})
    assert (job.status, job.failure) == (JobStatus.FAILED, Failure.OUT_OF_MEMORY)


async def test_a_hundred_megabytes_that_are_no_text(engine: Engine, tmp_path: Path) -> None:
    job = await one(engine, tmp_path, ["head", "-c", "100000000", "/dev/urandom"])
    assert job.status is JobStatus.FINISHED
    assert (await job.stdout_file.stat()).st_size == 100_000_000
    assert await job.stderr_file.read_bytes() == b""


async def test_volumes_and_their_names(engine: Engine, tmp_path: Path) -> None:
    data, more = tmp_path / "a, b", tmp_path / 'c "d"'
    for folder in (data, more):
        folder.mkdir()
        (folder / "f").write_text(folder.name)
    command = 'cat "$DATA/f" /more/f; echo x >/more/new || echo refused; echo "$DATA"'
    job = await one(
        engine,
        tmp_path,
        ["/bin/sh", "-c", command],
        volumes=[f"DATA={data}", f"{more}:/more:ro"],
    )
    assert await job.stdout_file.read_text() == 'a, bc "d"refused\n/mnt/disks/DATA\n'


async def test_outputs_belong_to_the_caller(engine: Engine, tmp_path: Path) -> None:
    made = 'echo x >"$SCHED_JOB_METADIR/made"; id -u; id -g'
    job = await one(engine, tmp_path, ["/bin/sh", "-c", made])
    assert await job.stdout_file.read_text() == f"{os.geteuid()}\n{os.getegid()}\n"
    found = (tmp_path / "run/0/made").stat()
    assert (found.st_uid, found.st_gid) == (os.geteuid(), os.getegid())


async def test_a_job_may_have_a_container_of_its_own(keeper: Engine, tmp_path: Path) -> None:
    async with Runner(scheduler(keeper, tmp_path), plugins=[]) as runner:
        plain = await runner.feed(["/bin/sh", "-c", "echo $EXTRA"])
        own = await runner.feed(
            ["/bin/sh", "-c", "echo $EXTRA"],
            container={"args": ["--env", "EXTRA=1", "--network", "none"]},
        )
    assert await plain.stdout_file.read_text() == "\n"
    assert await own.stdout_file.read_text() == "1\n"


async def test_containers_are_kept_for_who_wants_them(keeper: Engine, tmp_path: Path) -> None:
    job = await one(keeper, tmp_path, ["true"], remove=False)
    assert job.status is JobStatus.FINISHED
    (left,) = keeper.left()
    keeper.run("rm", left)


async def test_nothing_of_the_host_leaks_into_apptainer(
    apptainer: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAKED", "1")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mark").touch()
    seen = 'echo "${LEAKED-none}"; [ -e "$HOME/mark" ] || echo none; [ -e "$0" ] || echo none'
    job = await one(apptainer, tmp_path, ["/bin/sh", "-c", seen, str(Path.cwd() / "README.md")])
    assert await job.stdout_file.read_text() == "none\nnone\nnone\n"


async def test_what_apptainer_refuses_is_told_in_its_own_words(
    apptainer: Engine, tmp_path: Path
) -> None:
    job = await one(apptainer, tmp_path, ["true"], own={"image": "/no/such/image.sif"})
    assert (job.status, job.failure) == (JobStatus.FAILED, Failure.REJECTED)
    assert "/no/such/image.sif" in await job.stderr_file.read_text()
