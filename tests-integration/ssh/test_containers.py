"""Podman on hosts that share nothing with the driver."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sched_core import Failure, Job, JobStatus
from sched_core.model.container import Container

from ..jobs import INSIDE
from .helpers import outcome, run_of, shell, text, until
from .hosts import Host, Lab
from .podman import IMAGE, VARIABLES, containers_on
from .test_faults import until_down, until_running
from .test_resuming import driver

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

WAITS = ': >"$SHARE/begun"; while [ ! -e "$SHARE/gate" ]; do sleep 0.1; done; echo over'
STUBBORN = "trap '' TERM; setsid sleep 12345 & : >\"$SHARE/begun\"; while :; do sleep 0.1; done"
CONTAINER: dict[str, Any] = {
    "engine": "podman",
    "image": IMAGE,
    "pull": "never",
    "args": ["--network", "none"],
    "volumes": ["SHARE=/scratch/share"],
}
SERVERS: dict[str, Any] = {name: {"env": dict(VARIABLES)} for name in ("h1", "h2")}
FIRST: dict[str, Any] = {"h1": SERVERS["h1"]}
OPTIONS: dict[str, Any] = {"container": CONTAINER, "patience": 120.0}


@pytest.fixture(autouse=True)
def share(holding: Lab) -> Iterator[None]:
    """A folder on each host, that containers see."""
    for host in holding.hosts:
        (host.scratch / "share").mkdir()
    yield
    for host in holding.hosts:
        host.run("rm", "-r", "/scratch/share")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the driver runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def until_begun(host: Host, *jobs: Job) -> None:
    await until((host.scratch / "share/begun").exists)
    await until_running(*jobs)


async def until_nothing_is_left(host: Host) -> None:
    await until(lambda: not (host.processes("12345") or containers_on(host)))


async def test_commands_run_inside(holding: Lab, tmp_path: Path) -> None:
    for host in holding.hosts:
        (host.scratch / "share/f").write_text(f"{host.name}\n")
    codes = [0, 1, 125, 126, 127, 255]
    script = f'{INSIDE}; cat "$SHARE/f"; echo "$GIVEN ${{CONTAINERS_CONF-none}}"; echo x >&2'
    async with run_of(tmp_path / "run", servers=SERVERS, **OPTIONS, forks=4) as runner:
        jobs = [
            await runner.feed(shell(f"{script}; exit {code}"), {"GIVEN": "a  'b' $c"})
            for code in codes
        ]
    assert [job.rc for job in jobs] == codes
    assert {job.failure for job in jobs[1:]} == {Failure.EXIT}
    assert {job.host for job in jobs} == {"h1", "h2"}
    for job in jobs:
        assert text(job.stdout_file) == f"inside\n{job.host}\na  'b' $c none\n"
        assert text(job.stderr_file) == "x\n"
    assert not any(containers_on(host) for host in holding.hosts)


async def test_inputs_go_and_outputs_come(holding: Lab, folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data/in.txt").write_text("hello\n")
    script = f'{INSIDE}; mkdir -p out && tr a-z A-Z <data/in.txt >"out/$1"'
    async with run_of(folder / "run", servers=SERVERS, **OPTIONS, forks=4) as runner:
        jobs = [
            await runner.feed(shell(script, name), inputs=["data/in.txt"], outputs=[f"out/{name}"])
            for name in ("one", "it's 2", "a, b")
        ]
    assert [outcome(job) for job in jobs] == [("FINISHED", 0, None)] * 3
    for job, name in zip(jobs, ("one", "it's 2", "a, b"), strict=True):
        assert text(job.stdout_file) == "inside\n"
        assert text(folder / "out" / name) == "HELLO\n"
        assert (folder / "out" / name).stat().st_uid == os.geteuid()


async def test_a_job_has_its_own_or_none(holding: Lab, tmp_path: Path) -> None:
    options = {**OPTIONS, "container": None, "error_strategy": "retry"}
    async with run_of(tmp_path / "run", servers=FIRST, **options) as runner:
        plain = await runner.feed(shell(INSIDE))
        own = await runner.feed(shell(INSIDE), container=CONTAINER)
        refused = await runner.feed(["true"], container={**CONTAINER, "image": "no-such-image:1"})
        lost = await runner.feed(["true"], container={**CONTAINER, "volumes": ["/no/such:/data"]})
    assert own.container == Container.from_value(CONTAINER)
    assert (text(plain.stdout_file), text(own.stdout_file)) == ("", "inside\n")
    for job, words in ((refused, "no-such-image:1"), (lost, "/no/such")):
        assert (job.status, job.failure, job.attempt) == (JobStatus.FAILED, Failure.REJECTED, 1)
        assert words in text(job.stderr_file)
        assert words in job.reason
    assert not containers_on(holding.hosts[0])


async def test_t26_killing_ends_what_is_inside(holding: Lab, tmp_path: Path) -> None:
    host = holding.hosts[0]
    async with run_of(tmp_path / "run", servers=FIRST, **OPTIONS, grace=1) as runner:
        job = await runner.feed(["/bin/bash", "-c", STUBBORN])
        await until_begun(host, job)
        assert len(containers_on(host)) == 1
        await runner.kill(job)
        assert (job.status, job.failure) == (JobStatus.KILLED, Failure.CANCELLED)
        await until_nothing_is_left(host)


async def test_t26_the_time_limit_ends_what_is_inside(holding: Lab, tmp_path: Path) -> None:
    limits: dict[str, Any] = {"timeout": 2, "grace": 1}
    async with run_of(tmp_path / "run", servers=FIRST, **OPTIONS, **limits) as runner:
        job = await runner.wait(await runner.feed(["/bin/bash", "-c", STUBBORN]))
        assert (job.status, job.failure) == (JobStatus.FAILED, Failure.TIMEOUT)
        await until_nothing_is_left(holding.hosts[0])


async def test_t37_too_much_memory_is_told_as_that(holding: Lab, tmp_path: Path) -> None:
    hungry = 'a=$(head -c 100000000 /dev/zero | tr "\\0" x); echo ${#a}'
    async with run_of(tmp_path / "run", servers=FIRST, **OPTIONS) as runner:
        job = await runner.feed(["/bin/bash", "-c", hungry], resources={"memory": "20 MiB"})
    assert (job.status, job.failure) == (JobStatus.FAILED, Failure.OUT_OF_MEMORY)


async def test_what_ends_during_a_cut_is_recovered(holding: Lab, tmp_path: Path) -> None:
    host = holding.hosts[0]
    async with run_of(tmp_path / "run", servers=FIRST, **OPTIONS) as runner:
        job = await runner.feed(shell(WAITS))
        await until_begun(host, job)
        with host.cut_off():
            await until_down(runner)
            (host.scratch / "share/gate").touch()
            await until(lambda: not host.processes("share/gate"))
    assert outcome(job) == ("FINISHED", 0, None)
    assert (job.attempt, text(job.stdout_file)) == (1, "over\n")
    assert not containers_on(host)


async def test_what_a_dead_driver_left_is_taken_over(holding: Lab, tmp_path: Path) -> None:
    host = holding.hosts[0]
    once = 'echo "$SCHED_ATTEMPT" >>"$SHARE/ran.$SCHED_JOB_INDEX"; '
    commands = [shell(once + WAITS), shell(once + INSIDE)]
    options: dict[str, Any] = {"servers": FIRST, "forks": 1}
    with driver(tmp_path / "run", commands, **options, container=CONTAINER) as process:
        await until((host.scratch / "share/begun").exists)
        process.kill()
        process.wait()
    options |= {"patience": 120.0, "existing": "resume", "container": CONTAINER}
    async with run_of(tmp_path / "run", **options) as runner:
        await until_running(runner.jobs[0])
        (host.scratch / "share/gate").touch()
        await runner.stop_feeding()
        jobs = runner.jobs
    assert [outcome(job) for job in jobs] == [("FINISHED", 0, None)] * 2
    assert [text(job.stdout_file) for job in jobs] == ["over\n", "inside\n"]
    assert [text(host.scratch / f"share/ran.{n}") for n in range(2)] == ["1\n", "1\n"]
    assert not containers_on(host)
