"""Clients, containers and daemons that end before they should."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from sched_core import Failure, Job, JobStatus, Runner
from sched_core.text.claim import parse_claim

from ..daemons import processes_with
from ..jobs import begun, ran, until, waiting
from .machines import Docker, Engine
from .test_outcomes import keeper, scheduler

__all__ = ["keeper"]

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]


_DETACHED = ["run", "--detach", "--init", "--network", "none"]


def container_of(keeper: Engine) -> str:
    (found,) = keeper.run("ps", "-q").split()
    return found


async def open_gate(runner: Runner) -> None:
    await (runner.scheduler.workdir / "gate").write_text("")


async def test_t26_a_client_that_is_killed_takes_nothing_with_it(
    keeper: Engine, tmp_path: Path
) -> None:
    async with Runner(scheduler(keeper, tmp_path), plugins=[]) as runner:
        job = await runner.feed(waiting())
        await begun(job)
        os.kill(int(job.jid or 0), signal.SIGKILL)
        await open_gate(runner)
    assert (job.status, job.rc) == (JobStatus.FINISHED, 0)
    assert ran(tmp_path / "run", job) == ["1"]
    await until(lambda: not keeper.left())  # Docker removes it after its end


@pytest.mark.parametrize("recorder", [False, True])
async def test_what_apptainer_runs_ends_with_its_client(
    apptainer: Engine, tmp_path: Path, recorder: bool
) -> None:
    options = {"error_strategy": "retry", "num_retries": 0}
    async with Runner(scheduler(apptainer, tmp_path, **options), plugins=[]) as runner:
        job = await runner.feed(waiting())
        await begun(job)
        claim = parse_claim(await (job.metadir / "job.claim.1").read_bytes())
        for pid in (claim.pid, claim.leader) if recorder else (claim.leader,):
            os.kill(int(pid or 0), signal.SIGKILL)
        await until(lambda: job.attempt == 2 or job.status.final)
        await begun(job)
        first = f"SCHED_JOB_TOKEN={runner.scheduler.session.run}-{job.index}-1"
        await until(lambda: not processes_with(first))
        await open_gate(runner)
    assert (job.status, job.rc, job.trial_count) == (JobStatus.FINISHED, 0, 0)
    assert ran(tmp_path / "run", job) == ["1", "2"]


async def test_a_client_that_is_told_to_end_has_its_container_told(
    keeper: Engine, tmp_path: Path
) -> None:
    options = {"error_strategy": "retry", "num_retries": 0, "forks": 4}
    async with Runner(scheduler(keeper, tmp_path, **options), plugins=[]) as runner:
        jobs = await runner.feed_all([waiting()] * 4)
        for job in jobs:
            await begun(job)
            os.kill(int(job.jid or 0), signal.SIGTERM)
        await open_gate(runner)
    for job in jobs:
        # Podman's client may end before it passes that on, and then its container goes on.
        assert (job.status, job.rc, job.trial_count) == (JobStatus.FINISHED, 0, 0)
        assert ran(tmp_path / "run", job) == ["1", "2"][: job.attempt]
    assert not keeper.left()


async def test_t50_a_container_whose_recorder_and_client_are_killed(
    keeper: Engine, tmp_path: Path
) -> None:
    options = {"error_strategy": "retry", "num_retries": 0}
    async with Runner(scheduler(keeper, tmp_path, **options), plugins=[]) as runner:
        job = await runner.feed(waiting())
        await begun(job)
        claim = parse_claim(await (job.metadir / "job.claim.1").read_bytes())
        for pid in (claim.pid, claim.leader):
            os.kill(int(pid or 0), signal.SIGKILL)
        await until(lambda: not Path(f"/proc/{claim.pid}").exists())
        await open_gate(runner)
    assert (job.status, job.rc, job.attempt) == (JobStatus.FINISHED, 0, 1)
    assert ran(tmp_path / "run", job) == ["1"]
    await until(lambda: not keeper.left())


async def test_t26_whatever_has_the_label_of_a_run_is_gone_at_its_end(
    keeper: Engine, tmp_path: Path
) -> None:
    async with Runner(scheduler(keeper, tmp_path), plugins=[]) as runner:
        await runner.feed(["true"])
        await runner.feed(["true"], container={"remove": False})
        label = f"sched.run={runner.scheduler.session.run}"
        keeper.run(*_DETACHED, "--label", label, keeper.image, "/bin/sleep", "1000")
        keeper.run(*_DETACHED, keeper.image, "/bin/sleep", "1001")
    kept = [keeper.run("inspect", "--format", "{{.Config.Cmd}}", one) for one in keeper.left()]
    keeper.run("rm", "-f", *keeper.at_once, *keeper.left())
    assert len(kept) == 2
    assert any("/bin/sleep 1001" in command for command in kept)
    assert any("--inside" in command for command in kept)


async def test_another_engine_of_a_run_is_left_clean_too(
    docker: Engine, podman: Engine, tmp_path: Path
) -> None:
    own = {"engine": "podman", "image": podman.image}
    async with Runner(scheduler(docker, tmp_path), plugins=[]) as runner:
        job = await runner.feed(["true"], container=own)
        label = f"sched.run={runner.scheduler.session.run}"
        podman.run(*_DETACHED, "--label", label, podman.image, "/bin/sleep", "1000")
    assert job.status is JobStatus.FINISHED
    assert not podman.left()


@pytest.mark.parametrize("how", ["killed", "removed", "stopped"])
async def test_t11_a_container_that_somebody_ends(keeper: Engine, tmp_path: Path, how: str) -> None:
    options = {"error_strategy": "retry", "num_retries": 0}
    async with Runner(scheduler(keeper, tmp_path, **options), plugins=[]) as runner:
        job = await runner.feed(waiting())
        await begun(job)
        words = {"killed": ["kill"], "removed": ["rm", "-f", *keeper.at_once], "stopped": ["stop"]}
        keeper.run(*words[how], container_of(keeper))
        await until(lambda: job.attempt == 2 or job.status.final)
        await open_gate(runner)
    assert (job.status, job.attempt, job.trial_count) == (JobStatus.FINISHED, 2, 0)
    assert ran(tmp_path / "run", job) == ["1", "2"]
    assert not keeper.left()


async def test_t50_a_daemon_that_is_killed_and_comes_back(docker: Docker, tmp_path: Path) -> None:
    options = {"error_strategy": "retry", "num_retries": 0}
    async with Runner(scheduler(docker, tmp_path, **options), plugins=[]) as runner:
        job = await runner.feed(waiting())
        await begun(job)
        docker.daemon.kill()
        docker.restart()
        await until(lambda: job.attempt == 2 or job.status.final)
        await open_gate(runner)
    assert (job.status, job.attempt, job.trial_count) == (JobStatus.FINISHED, 2, 0)
    assert ran(tmp_path / "run", job) == ["1", "2"]
    await until(lambda: not docker.left())  # the daemon that came back may be at it still


async def test_a_daemon_that_is_away_is_waited_for(docker: Docker, tmp_path: Path) -> None:
    options = {"error_strategy": "retry", "num_retries": 0}
    async with Runner(scheduler(docker, tmp_path, **options), plugins=[]) as runner:
        docker.daemon.stop()
        job = await runner.feed(["true"])
        await until(lambda: job.failure is Failure.UNAVAILABLE or job.attempt > 1)
        docker.restart()
    assert (job.status, job.trial_count) == (JobStatus.FINISHED, 0)


async def test_t26_a_client_that_takes_its_time_makes_no_command_late(
    docker: Docker, tmp_path: Path
) -> None:
    slow = tmp_path / docker.name
    slow.write_text(f'#!/bin/sh\n{shutil.which(docker.name)} "$@" && [ "$1" != run ] || sleep 17\n')
    slow.chmod(0o755)
    # Within it the container has to begin.
    options = {"bin": str(slow), "timeout": 15.0}
    async with Runner(scheduler(docker, tmp_path, **options), plugins=[]) as runner:
        job = await runner.feed(["true"])
    assert (job.status, job.rc) == (JobStatus.FINISHED, 0)


async def test_t26_killing_ends_what_is_inside(keeper: Engine, tmp_path: Path) -> None:
    stubborn = "trap '' TERM; setsid sleep 1000 & : >\"$SCHED_JOB_METADIR/begun\"; while :; do sleep 0.1; done"
    async with Runner(scheduler(keeper, tmp_path, grace=0.5), plugins=[]) as runner:
        job: Job = await runner.feed(["/bin/bash", "-c", stubborn])
        await until((job.metadir / "begun").exists)
        await runner.kill(job)
        assert (job.status, job.failure) == (JobStatus.KILLED, Failure.CANCELLED)
    await until(lambda: not keeper.left())
