"""Images that come from a registry: when, and how often."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sched_core import Failure, JobStatus, Runner

from ..jobs import until
from .image import archive_of
from .machines import Engine
from .registry import Registry, serving
from .test_outcomes import engine, keeper, scheduler

__all__ = ["engine", "keeper"]

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

VERSION = ["/bin/sh", "-c", "echo $PUBLISHED"]


@pytest.fixture
def registry(tree: Path) -> Iterator[Registry]:
    with serving(archive_of(tree)) as found:
        yield found


async def test_an_image_that_many_jobs_need_is_fetched_once(
    engine: Engine, registry: Registry, tmp_path: Path
) -> None:
    wanted = {"cmd": VERSION, "container": {"image": engine.of(registry)}}
    registry.open.clear()
    async with Runner(scheduler(engine, tmp_path, pull="missing", forks=8), plugins=[]) as runner:
        jobs = await runner.feed_all([wanted])
        await until(lambda: registry.asked["layer"] > 0)
        jobs += await runner.feed_all([wanted] * 7)
        registry.open.set()
    assert {job.status for job in jobs} == {JobStatus.FINISHED}
    assert {await job.stdout_file.read_text() for job in jobs} == {"1\n"}
    assert (registry.asked["layer"], registry.asked["config"]) == (1, 1)
    assert not engine.left()


@pytest.mark.parametrize("whose", ["the scheduler's", "its own"])
async def test_who_always_wants_it_fetched_has_that_once_a_run(
    keeper: Engine, registry: Registry, tmp_path: Path, whose: str
) -> None:
    image = keeper.of(registry)
    for version in ("1", "2"):
        registry.publish(version)
        registry.asked.clear()
        keeper.run("pull", image)
    as_one_pull = dict(registry.asked)
    registry.publish("3")
    registry.asked.clear()
    own = {"image": image, "pull": "always"}
    options, container = ({}, own) if whose == "its own" else (own, {})
    async with Runner(scheduler(keeper, tmp_path, forks=4, **options), plugins=[]) as runner:
        jobs = await runner.feed_all([{"cmd": VERSION, "container": container}] * 4)
    assert {await job.stdout_file.read_text() for job in jobs} == {"3\n"}
    assert registry.asked == as_one_pull


async def test_who_never_wants_it_fetched_is_told_what_is_missing(
    engine: Engine, registry: Registry, tmp_path: Path
) -> None:
    wanted = {"cmd": VERSION, "container": {"image": engine.of(registry)}}
    async with Runner(scheduler(engine, tmp_path, pull="never"), plugins=[]) as runner:
        jobs = await runner.feed_all([wanted] * 2)
    assert {(job.status, job.failure) for job in jobs} == {(JobStatus.FAILED, Failure.REJECTED)}
    assert {registry.image in job.reason and "fetch it" in job.reason for job in jobs} == {True}
    assert not registry.asked


async def test_what_the_registry_does_not_have_is_told_in_the_engines_words(
    engine: Engine, registry: Registry, tmp_path: Path
) -> None:
    wanted = {"cmd": VERSION, "container": {"image": engine.of(registry).replace("image", "none")}}
    async with Runner(scheduler(engine, tmp_path, pull="missing"), plugins=[]) as runner:
        (job,) = await runner.feed_all([wanted])
    assert (job.status, job.failure) == (JobStatus.FAILED, Failure.REJECTED)
    assert "manifest unknown" in job.reason
