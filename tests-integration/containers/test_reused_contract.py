"""The contract, where one container serves job after job."""

from __future__ import annotations

import pytest

from sched_container import ContainerScheduler
from sched_core import Job
from sched_core.testing.contract import SchedulerContract

from .machines import Engine


class OnEngine(SchedulerContract):
    scheduler_class = ContainerScheduler
    workdir_names = SchedulerContract.workdir_names[:-1]  # no engine mounts what is not UTF-8
    backends = ("asyncio",)
    patience = 90.0
    engine: Engine

    async def told_by_engine(self, job: Job) -> str:
        left = self.engine.left()
        return self.engine.run("inspect", *left) if left else ""


class TestApptainer(OnEngine):
    @pytest.fixture(autouse=True)
    def _engine(self, apptainer: Engine) -> None:
        self.engine = apptainer
        self.options = {"reuse": True, **apptainer.options}


@pytest.mark.full
class TestDocker(OnEngine):
    @pytest.fixture(autouse=True)
    def _engine(self, docker: Engine) -> None:
        self.engine = docker
        self.options = {"reuse": True, "pull": "never", **docker.options}


@pytest.mark.full
class TestPodman(OnEngine):
    @pytest.fixture(autouse=True)
    def _engine(self, podman: Engine) -> None:
        self.engine = podman
        self.options = {"reuse": True, "pull": "never", **podman.options}
