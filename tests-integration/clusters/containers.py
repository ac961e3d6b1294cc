"""One specification of a container, run by the tasks of a cluster."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import anyio
import pytest

from sched_core import Failure, JobStatus, Resources, Runner
from sched_core.model.container import Container
from sched_core.testing.contract.driver import driver_command, driver_killed_at_end

from ..containers.machines import Apptainer
from ..engines import or_skip
from ..jobs import INSIDE, ONCE, STUBBORN, begun, left_of, ran, running, until, waiting
from .engine import Engine
from .outcomes import cancel_what_runs

__all__ = ["Containers"]


class Containers:
    pytestmark = pytest.mark.timeout(300)

    @pytest.fixture
    def container(self, tree: Path) -> dict[str, Any]:
        with or_skip():
            engine = Apptainer(tree.parent, tree)
        return {"engine": engine.name, "image": engine.image}

    async def test_commands_of_an_array_run_inside(
        self,
        engine: Engine,
        container: dict[str, Any],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("LEAKED", "1")
        data = tmp_path / "a b"
        data.mkdir()
        (data / "f").write_text("text\n")
        codes = [0, 1, 125, 126, 127, 255]
        seen = (
            f'{INSIDE}; cat "$DATA/f"; echo "$GIVEN ${{LEAKED-none}}"; pwd; touch made; echo x >&2'
        )
        envs = {"GIVEN": "a  'b' $c"}
        commands = [
            {"cmd": ["/bin/sh", "-c", f"{seen}; exit {code}"], "envs": envs} for code in codes
        ]
        own = container | {"volumes": [f"DATA={data}"]}
        scheduler = engine.scheduler_class(
            tmp_path / "run", forks=10, container=own, cwd=tmp_path / "run"
        )
        async with running(scheduler) as runner:
            jobs = await runner.feed_all(commands)
            await runner.stop_feeding()
        assert [job.rc for job in jobs] == codes
        assert {job.failure for job in jobs[1:]} == {Failure.EXIT}
        for job in jobs:
            words = f"inside\ntext\na  'b' $c none\n{tmp_path / 'run'}\n"
            assert await job.stdout_file.read_text() == words
            assert await job.stderr_file.read_text() == "x\n"
        found = (tmp_path / "run/made").stat()
        assert (found.st_uid, found.st_gid) == (os.geteuid(), os.getegid())

    async def test_a_job_has_its_own_or_that_of_all_or_none(
        self, engine: Engine, container: dict[str, Any], tmp_path: Path
    ) -> None:
        scheduler = engine.scheduler_class(tmp_path / "run", forks=10)
        async with running(scheduler) as runner:
            plain = await runner.feed(["/bin/sh", "-c", INSIDE])
            inside = await runner.feed(["/bin/sh", "-c", INSIDE], container=container)
            missing = {**container, "image": "/no/such/image.sif"}
            refused = await runner.feed(["true"], container=missing)
            refused.error_retry = True
        assert plain.container is None
        assert inside.container == Container.from_value(container)
        assert await plain.stdout_file.read_text() == ""
        assert await inside.stdout_file.read_text() == "inside\n"
        assert (refused.status, refused.failure) == (JobStatus.FAILED, Failure.REJECTED)
        assert refused.attempt == 1
        assert "/no/such/image.sif" in await refused.stderr_file.read_text()

    async def test_limits_are_the_clusters_where_they_hold_inside(
        self, engine: Engine, container: dict[str, Any], tmp_path: Path
    ) -> None:
        scheduler = engine.scheduler_class(tmp_path / "run")
        async with running(scheduler):
            job = scheduler.new_job(0, ["true"])
            job.resources = Resources(memory="64 MiB")
            for name, told in (("apptainer", False), ("docker", True), ("podman", True)):
                job.container = Container.from_value({**container, "engine": name})
                script = scheduler.container_script(job)
                assert script is not None
                assert ("--memory" in script.start) is told

    async def test_t26_killing_ends_what_is_inside(
        self, engine: Engine, container: dict[str, Any], tmp_path: Path
    ) -> None:
        scheduler = engine.scheduler_class(tmp_path / "run", container=container, grace=1)
        async with running(scheduler) as runner:
            job = await runner.feed(["/bin/bash", "-c", STUBBORN])
            await begun(job)
            assert left_of(runner, job)
            await runner.kill(job)
            assert (job.status, job.failure) == (JobStatus.KILLED, Failure.CANCELLED)
            await until(lambda: not left_of(runner, job))

    async def test_t26_the_time_limit_ends_what_is_inside(
        self, engine: Engine, container: dict[str, Any], tmp_path: Path
    ) -> None:
        options: dict[str, Any] = {"timeout": 2, "grace": 1}
        scheduler = engine.scheduler_class(tmp_path / "run", container=container, **options)
        async with running(scheduler) as runner:
            job = await runner.wait(await runner.feed(["/bin/bash", "-c", STUBBORN]))
            assert (job.status, job.failure) == (JobStatus.FAILED, Failure.TIMEOUT)
            await until(lambda: not left_of(runner, job))

    async def test_cancelled_by_hand(
        self, engine: Engine, container: dict[str, Any], tmp_path: Path
    ) -> None:
        scheduler = engine.scheduler_class(tmp_path / "run", container=container)
        job = await cancel_what_runs(engine, scheduler)
        assert (job.status, job.failure, job.rc) == (JobStatus.FAILED, Failure.CANCELLED, 143)

    async def test_a_job_that_the_engine_starts_again(
        self, engine: Engine, container: dict[str, Any], tmp_path: Path
    ) -> None:
        scheduler = engine.scheduler_class(
            tmp_path / "run", container=container, **engine.restartable
        )
        async with running(scheduler) as runner:
            job = await runner.feed(waiting())
            await begun(job)
            await engine.start_again(job)
            await (scheduler.workdir / "gate").write_text("")
            await runner.wait(job)
        assert (job.status, job.attempt, job.restart) == (JobStatus.FINISHED, 1, 1)
        assert ran(scheduler.workdir, job) == ["1", "1"]

    async def test_a_run_that_is_resumed_keeps_its_containers(
        self, engine: Engine, container: dict[str, Any], tmp_path: Path
    ) -> None:
        folder = tmp_path / "run"
        options: dict[str, Any] = {"forks": 1, "container": container}
        commands = [waiting(), *[["/bin/sh", "-c", f"{ONCE}; {INSIDE}"]] * 2]
        argv = driver_command(
            engine.scheduler_class(folder, **options), options, commands, "asyncio"
        )
        async with driver_killed_at_end(argv):
            await until((anyio.Path(folder) / "0/begun").exists)
        with anyio.fail_after(250):
            async with Runner.resume(folder, plugins=[]) as runner:
                assert runner.scheduler.container == Container.from_value(container)
                await (runner.scheduler.workdir / "gate").write_text("")
                await runner.stop_feeding()
                jobs = runner.jobs
        assert {job.status for job in jobs} == {JobStatus.FINISHED}
        assert [ran(folder, job) for job in jobs] == [["1"]] * 3
        assert [await job.stdout_file.read_text() for job in jobs[1:]] == ["inside\n"] * 2
