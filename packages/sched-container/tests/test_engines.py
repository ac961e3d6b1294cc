"""Images that cannot be had, and engines that are away, with a stand-in for Docker's client."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from sched_container import ContainerScheduler
from sched_core import EngineUnavailable, Failure, Job, JobStatus, Runner, SubmitRejected

from .fake import FakeDocker

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]


@pytest.fixture
def run(tmp_path: Path, docker: FakeDocker) -> Callable[..., Runner]:
    def made(**options: Any) -> Runner:
        given = {"image": "img", "bin": str(docker.program), **options}
        return Runner(ContainerScheduler(tmp_path / "run", **given), plugins=[])

    return made


async def opened(runner: Runner) -> None:
    async with runner:
        pass


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(60):
        while not condition():  # noqa: ASYNC110  # there is no event for it
            await anyio.sleep(0.02)


def outcome(job: Job) -> tuple[str, Failure | None, int]:
    return job.status.name, job.failure, job.attempt


# --- at opening --------------------------------------------------------------------------------------


@pytest.mark.parametrize("pull", ["never", "missing", "always"])
async def test_an_image_that_cannot_be_had(run: Callable[..., Runner], pull: str) -> None:
    with pytest.raises(SubmitRejected, match=r"(No such image|access denied).* \S+; .*image"):
        await opened(run(image="nothing", pull=pull))


async def test_an_image_is_fetched_once(run: Callable[..., Runner], docker: FakeDocker) -> None:
    docker.offer("other")
    async with run(image="other", forks=4) as runner:
        jobs = await runner.feed_all([["true"]] * 4)
    assert {job.status for job in jobs} == {JobStatus.FINISHED}
    assert len(docker.calls("image pull")) == 1


async def test_an_engine_that_is_away(run: Callable[..., Runner], docker: FakeDocker) -> None:
    docker.be("down")
    with pytest.raises(EngineUnavailable, match=r"Cannot connect .*; start it \(systemctl"):
        await opened(run())


async def test_a_registry_that_is_away(run: Callable[..., Runner], docker: FakeDocker) -> None:
    docker.be("unreached")
    with pytest.raises(EngineUnavailable, match=r"connection refused; the registry is not"):
        await opened(run(image="other"))


# --- in a run ------------------------------------------------------------------------------------------


async def test_one_jobs_image_is_that_jobs_matter(
    run: Callable[..., Runner], docker: FakeDocker
) -> None:
    docker.offer("other")
    async with run(forks=3, error_strategy="retry") as runner:
        images = [None, "nothing", "other", None, "nothing"]
        jobs = [await runner.feed(["true"], container=image) for image in images]
    good, bad = ("FINISHED", None, 1), ("FAILED", Failure.REJECTED, 1)
    assert [outcome(job) for job in jobs] == [good, bad, good, good, bad]
    assert "access denied for nothing" in jobs[1].reason
    assert jobs[1].reason in await jobs[1].stderr_file.read_text()


async def test_a_command_is_heard_where_its_client_is_not(
    run: Callable[..., Runner], docker: FakeDocker
) -> None:
    docker.be("deaf")
    async with run() as runner:
        job = await runner.feed(["/bin/sh", "-c", "echo out; echo err >&2"])
    assert outcome(job) == ("FINISHED", None, 1)
    assert await job.stdout_file.read_text() == "out\n"
    assert await job.stderr_file.read_text() == "err\n"


@pytest.mark.parametrize("reuse", [False, True])
async def test_what_the_engine_refuses(run: Callable[..., Runner], reuse: bool) -> None:
    async with run(error_strategy="retry", reuse=reuse) as runner:
        own = {"args": ["--no-such-option"], "reuse": reuse}
        job = await runner.feed(["true"], container=own)
    assert outcome(job) == ("FAILED", Failure.REJECTED, 1)
    assert job.rc == 125
    assert job.reason == "unknown flag: --no-such-option; correct the args (bin_args)"


@pytest.mark.parametrize("reuse", [False, True])
async def test_jobs_wait_for_an_engine_that_goes_away(
    run: Callable[..., Runner], docker: FakeDocker, reuse: bool
) -> None:
    async with run(forks=2, reuse=reuse) as runner:
        first = await runner.wait(
            await runner.feed(["true"], container={"args": ["--network", "x"]})
        )
        docker.be("down")
        jobs = await runner.feed_all([["true"]] * 4)
        asked = len(docker.calls("image inspect"))
        # It has been asked since, and is away: nothing more is submitted, and nothing is charged.
        await until(lambda: len(docker.calls("image inspect")) > asked + 1)
        await until(lambda: {job.status for job in jobs} == {JobStatus.QUEUED})
        docker.be("down", still=False)
    assert outcome(first) == ("FINISHED", None, 1)
    assert {job.status for job in jobs} == {JobStatus.FINISHED}
    assert {job.trial_count for job in jobs} == {0}
    assert max(job.infrastructure_retries for job in jobs) == 1


async def test_a_container_that_is_kept_does_not_hold_its_first_job_until_the_limit(
    run: Callable[..., Runner],
) -> None:
    limit = 600
    async with run(forks=1, reuse=True) as runner:
        jobs = [
            await runner.wait(await runner.feed(["/bin/sh", "-c", "exit 3"], timeout=limit))
            for _ in range(2)
        ]
    assert [(job.rc, job.failure) for job in jobs] == [(3, Failure.EXIT)] * 2
    for job in jobs:
        assert job.started is not None
        assert job.ended is not None
        assert job.ended - job.started < limit / 2


async def test_an_engine_that_stays_away_from_starts_alone_is_given_up(
    run: Callable[..., Runner], docker: FakeDocker
) -> None:
    """As where each image can be looked at, but no container be started."""
    docker.be("down_for_runs")
    async with run(infrastructure_retries=1) as runner:
        job = await runner.feed(["true"])
    assert outcome(job) == ("FAILED", Failure.UNAVAILABLE, 2)
    assert "Cannot connect to the Docker daemon" in job.reason
    assert "; start it (systemctl start docker)" in job.reason
