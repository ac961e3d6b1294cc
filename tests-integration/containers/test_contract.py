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


class TestDocker(OnEngine):
    @pytest.fixture(autouse=True)
    def _engine(self, docker: Engine) -> None:
        self.engine = docker
        self.options = {"pull": "never", **docker.options}


class TestPodman(OnEngine):
    @pytest.fixture(autouse=True)
    def _engine(self, podman: Engine) -> None:
        self.engine = podman
        self.options = {"pull": "never", **podman.options}


class TestRootlessPodman(OnEngine):
    @pytest.fixture(autouse=True)
    def _engine(self, rootless: Engine) -> None:
        self.engine = rootless
        self.options = {"pull": "never", **rootless.options}


class TestApptainer(OnEngine):
    @pytest.fixture(autouse=True)
    def _engine(self, apptainer: Engine) -> None:
        self.engine = apptainer
        self.options = dict(apptainer.options)
