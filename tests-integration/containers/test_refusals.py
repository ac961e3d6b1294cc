"""What an engine refuses, and an engine that is away: in its own words, with the next step."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sched_core import (
    EngineUnavailable,
    Failure,
    Job,
    JobStatus,
    OptionError,
    Runner,
    SubmitRejected,
)

from ..jobs import begun, until, waiting
from .machines import Docker, Engine
from .test_outcomes import engine, keeper, one, scheduler

__all__ = ["engine", "keeper"]

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

SCHED = Path(sys.executable).with_name("sched")
UNREACHED = "localhost:1/nothing:1"
"""An image of a registry where nobody answers."""


def is_refused(job: Job, words: str, step: str) -> None:
    assert (job.status, job.failure, job.attempt) == (JobStatus.FAILED, Failure.REJECTED, 1)
    said, _, next_step = job.reason.rpartition("; ")
    assert words in said
    assert step in next_step


# --- by every engine ---------------------------------------------------------------------------------

REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "image": ({"image": "./no-such"}, "", "name"),
    "volume": ({"volumes": ["/no/such/folder:/data"]}, "/no/such/folder", "correct the volumes"),
    "word": ({"args": ["--no-such-option"]}, "unknown flag: --no-such-option", "bin_args"),
    "bash": ({"entrypoint": "/no/bash"}, "o such file or directory", "entrypoint"),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_what_is_refused_concerns_that_job_alone(
    engine: Engine, tmp_path: Path, what: str
) -> None:
    changed, words, step = REFUSED[what]
    options = {"error_strategy": "retry", "forks": 3}
    async with Runner(scheduler(engine, tmp_path, **options), plugins=[]) as runner:
        before = await runner.feed(["true"])
        refused = await runner.feed(["true"], container=changed)
        after = await runner.feed(["true"])
    is_refused(refused, words, step)
    assert words in await refused.stderr_file.read_text()
    assert (before.status, after.status) == (JobStatus.FINISHED, JobStatus.FINISHED)
    assert not os.path.exists("/no")
    assert not engine.left()


@pytest.mark.parametrize("pull", ["never", "missing"])
async def test_an_image_that_all_jobs_need_is_missed_at_once(
    engine: Engine, tmp_path: Path, pull: str
) -> None:
    file = engine.name == "apptainer"
    # No registry is asked for the latter.
    image = "/no/such.sif" if file else "localhost/no/such:1" if pull == "never" else "No Name"
    words = r"invalid reference format.*; .*image's name" if image == "No Name" else f"{image}; .*"
    with pytest.raises(SubmitRejected, match=words):
        async with Runner(scheduler(engine, tmp_path, image=image, pull=pull), plugins=[]):
            pass


async def test_an_engine_that_is_not_installed(engine: Engine, tmp_path: Path) -> None:
    program = f"{tmp_path}/{engine.name}"
    with pytest.raises(SubmitRejected, match=f"{program} is not there; install it"):
        async with Runner(scheduler(engine, tmp_path / "whole", bin=program), plugins=[]):
            pass
    job = await one(engine, tmp_path, ["true"], own={"engine": program})
    is_refused(job, f"{program} is not there", "install it")


async def test_a_registry_that_is_away_is_tried_a_few_times(engine: Engine, tmp_path: Path) -> None:
    image = f"docker://{UNREACHED}" if engine.name == "apptainer" else UNREACHED
    own = {"image": image, "pull": "missing"}
    job = await one(engine, tmp_path, ["true"], own=own, infrastructure_retries=1)
    assert (job.status, job.failure, job.attempt) == (JobStatus.FAILED, Failure.UNAVAILABLE, 2)
    assert (job.trial_count, job.infrastructure_retries) == (0, 1)
    assert "connection refused; the registry is not reached" in job.reason
    assert not engine.left()


async def test_gpus_that_are_not_there_are_refused(engine: Engine, tmp_path: Path) -> None:
    async with Runner(scheduler(engine, tmp_path), plugins=[]) as runner:
        with pytest.raises(OptionError, match="gpus"):
            await runner.feed(["true"], resources={"gpus": 1})


# --- by some -------------------------------------------------------------------------------------------


async def test_a_user_whom_the_image_does_not_know(keeper: Engine, tmp_path: Path) -> None:
    job = await one(keeper, tmp_path, ["true"], own={"user": "nosuch"})
    is_refused(job, "unable to find user nosuch", "UID:GID")
    assert not keeper.left()


async def test_a_user_who_may_not_read_the_run(docker: Docker, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    job = await one(docker, tmp_path, ["true"], own={"user": "1000:1000"})
    is_refused(job, "Permission denied", "read and write the run's folder")
    assert not docker.left()


async def test_docker_makes_a_folder_that_is_not_there(docker: Docker, tmp_path: Path) -> None:
    args = [*docker.options["bin_args"], "--workdir", "/no/such"]
    job = await one(docker, tmp_path, ["pwd"], own={"args": args})
    assert await job.stdout_file.read_text() == "/no/such\n"


@pytest.mark.parametrize("name", ["podman", "rootless", "apptainer"])
async def test_others_refuse_it(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    found: Engine = request.getfixturevalue(name)
    option = "--pwd" if name == "apptainer" else "--workdir"
    args = [*found.options.get("bin_args", ()), option, "/no/such"]
    job = await one(found, tmp_path, ["pwd"], own={"args": args})
    is_refused(job, "/no/such", "hold that folder")
    assert not found.left()


@pytest.mark.parametrize("name", ["docker", "podman"])
async def test_less_memory_than_an_engine_takes(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    found: Engine = request.getfixturevalue(name)
    job = await one(found, tmp_path, ["true"], resources={"memory": "1 MiB"})
    is_refused(job, "memory limit", "more memory")
    assert not found.left()


async def test_apptainer_itself_needs_the_memory(apptainer: Engine, tmp_path: Path) -> None:
    job = await one(apptainer, tmp_path, ["true"], resources={"memory": "1 MiB"})
    if os.geteuid() and job.failure is Failure.REJECTED:
        is_refused(job, "cgroups", "delegate")
    else:
        assert (job.status, job.failure) == (JobStatus.FAILED, Failure.OUT_OF_MEMORY)


# --- Docker's daemon -----------------------------------------------------------------------------------


async def test_a_daemon_that_is_away_at_the_start(docker: Docker, tmp_path: Path) -> None:
    docker.daemon.stop()
    try:
        with pytest.raises(EngineUnavailable, match=r"Cannot connect .*; start it"):
            async with Runner(scheduler(docker, tmp_path / "driven"), plugins=[]):
                pass
        done = sched(docker, tmp_path)
        assert (done.returncode, done.stdout) == (3, "")
        assert "Cannot connect to the Docker daemon" in done.stderr
        assert "systemctl start docker" in done.stderr
    finally:
        docker.restart()
    assert sched(docker, tmp_path, "--resume").returncode == 0


def sched(docker: Docker, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    options = {"image": docker.image, "pull": "never", "bin_args": "--network none"}
    given = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    argv: list[str | Path] = [
        SCHED,
        "run",
        "-s",
        "container",
        *given,
        "-w",
        folder / "run",
        *words,
        "--",
        "true",
    ]
    return subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)


async def test_jobs_wait_for_a_daemon_that_goes_away(docker: Docker, tmp_path: Path) -> None:
    """Whatever the strategy: nothing of theirs has failed."""
    async with Runner(scheduler(docker, tmp_path, forks=2), plugins=[]) as runner:
        first = await runner.feed(["true"])
        await runner.wait(first)
        docker.daemon.stop()
        jobs = await runner.feed_all([["true"]] * 6)
        await until(lambda: any(job.attempt > 1 for job in jobs))
        docker.restart()
    assert {job.status for job in jobs} == {JobStatus.FINISHED}
    assert {job.trial_count for job in jobs} == {0}
    assert not docker.left()


async def test_a_job_that_waits_for_its_daemon_can_be_killed(
    docker: Docker, tmp_path: Path
) -> None:
    async with Runner(scheduler(docker, tmp_path), plugins=[]) as runner:
        docker.daemon.stop()
        try:
            job = await runner.feed(["true"])
            await until(lambda: job.attempt > 1)
            await runner.kill(job)
            assert (job.status, job.failure) == (JobStatus.KILLED, Failure.CANCELLED)
        finally:
            docker.restart()
    assert not docker.left()


async def test_who_may_not_talk_to_the_daemon(docker: Docker, tmp_path: Path) -> None:
    """The client is another user's; the daemon is the same."""
    client = tmp_path / "docker"
    become = "setpriv --reuid=65534 --regid=65534 --clear-groups"
    client.write_text(f'#!/bin/sh\nexec {become} docker "$@"\n')
    client.chmod(0o755)
    told = r"permission denied while trying to connect .*; join its group"
    with pytest.raises(SubmitRejected, match=told):
        async with Runner(scheduler(docker, tmp_path, bin=str(client)), plugins=[]):
            pass


async def test_t26_a_client_that_is_ended_before_its_container_begins(
    keeper: Engine, tmp_path: Path
) -> None:
    """It was not refused: it is tried again, and what it has begun is no container of the run."""
    client, mark = tmp_path / keeper.name, tmp_path / "mark"
    slow = f'[ "$1" != run ] || [ -e {mark} ] || {{ : >{mark}; kill -KILL $$; }}'
    client.write_text(f'#!/bin/sh\n{slow}\nexec {keeper.name} "$@"\n')
    client.chmod(0o755)
    options = {"error_strategy": "retry", "num_retries": 0, "bin": str(client)}
    async with Runner(scheduler(keeper, tmp_path, **options), plugins=[]) as runner:
        job = await runner.feed(waiting())
        await until(lambda: job.attempt == 2)
        assert (job.infrastructure_retries, job.trial_count) == (1, 0)
        await begun(job)
        await (runner.scheduler.workdir / "gate").write_text("")
    assert job.status is JobStatus.FINISHED
    await until(lambda: not keeper.left())
